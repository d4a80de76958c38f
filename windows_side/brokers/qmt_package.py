"""xtquant itself: found, imported without its network check, and named in the log.

``import xtquant`` asks the package index for a newer version and waits up to 10 s for it behind a
firewall; without ``requests`` it does not, and that import is put back directly afterwards.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from shared_schema.errors import SettingsError

PIP, BROKER = "pip", "broker"
IN_TERMINAL = ("bin.x64/Lib/site-packages", "bin.x64/lib/site-packages", "Lib/site-packages")
"""Where a terminal keeps its own copy, from its installation folder."""
_SUPPORTED = {(3, 11), (3, 12)}


@dataclass(frozen=True)
class Package:
    """The xtquant in use."""

    version: str
    folder: Path
    digest: str
    """First 12 hex digits of SHA-256 over its trade layer, native part included."""
    native: str
    """File name of the native trade module, "-" where there is none."""


def is_installed() -> bool:
    """Whether an xtquant can be imported, without importing it."""
    return "xtquant" in sys.modules or importlib.util.find_spec("xtquant") is not None


def load_package(choice: str = PIP, data_path: Path | None = None) -> Package:
    """Import xtquant: the installed one, or the terminal's own copy. Raises SettingsError."""
    if choice == BROKER:
        folder = broker_copy(data_path)
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
            importlib.invalidate_caches()
    elif not is_installed():
        raise SettingsError("qmt.no_package")
    try:
        package = _import_quietly()
    except ImportError as problem:
        raise SettingsError("qmt.package_broken", detail=problem) from problem
    return _described(package)


def xttrader() -> ModuleType:
    """``xtquant.xttrader``. Raises SettingsError where its native part can't be loaded."""
    return _module("xttrader")


def xtdata() -> Any:
    """``xtquant.xtdata``, which then prints no banner. Raises SettingsError."""
    module: Any = _module("xtdata")
    module.enable_hello = False
    return module


def stock_account(number: str, kind: str) -> Any:
    """``StockAccount``; SettingsError where xtquant takes no such account (it returns a text then)."""
    account = _module("xttype").StockAccount(number, kind)
    if isinstance(account, str):
        raise SettingsError("qmt.bad_account", detail=account)
    return account


def broker_copy(data_path: Path | None) -> Path:
    """The folder that holds the terminal's own xtquant. Raises SettingsError."""
    if data_path is None:
        raise SettingsError("qmt.no_path")
    for place in IN_TERMINAL:
        folder = data_path.parent / place
        if (folder / "xtquant" / "__init__.py").is_file():
            return folder
    raise SettingsError("qmt.no_broker_copy", data_path.parent, places=", ".join(IN_TERMINAL))


def _import_quietly() -> ModuleType:
    if "xtquant" in sys.modules:
        return sys.modules["xtquant"]
    before = sys.modules.get("requests")
    sys.modules["requests"] = None  # type: ignore[assignment]
    try:
        return importlib.import_module("xtquant")
    finally:
        if before is not None:
            sys.modules["requests"] = before
        else:
            del sys.modules["requests"]


def _module(name: str) -> Any:
    try:
        return importlib.import_module(f"xtquant.{name}")
    except ImportError as problem:
        key = "qmt.package_broken" if sys.version_info[:2] in _SUPPORTED else "qmt.package_python"
        version = ".".join(map(str, sys.version_info[:2]))
        raise SettingsError(key, detail=problem, python=version) from problem


def _described(package: ModuleType) -> Package:
    folder = Path(package.__file__ or ".").parent
    digest = hashlib.sha256()
    tag = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    native = next((path for path in sorted(folder.glob("xtpythonclient*")) if tag in path.name), None)
    for path in (folder / "xttrader.py", native):
        if path is not None and path.is_file():
            digest.update(path.read_bytes())
    version = str(getattr(package, "__version__", "?"))
    return Package(version, folder, digest.hexdigest()[:12], native.name if native is not None else "-")
