"""Puts our ``xtpythonclient`` and ``datacenter`` in place of xtquant's native modules, in this process."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from test_offline.fake_qmt import data_place

OURS = {
    f"xtquant.{name}": Path(__file__).with_name(f"{name}.py") for name in ("xtpythonclient", "datacenter")
}


class _InFront(importlib.abc.MetaPathFinder):
    """Looked at before the file system: wins over a real .pyd too."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        ours = OURS.get(fullname)
        return None if ours is None else importlib.util.spec_from_file_location(fullname, ours)


def is_possible() -> bool:
    """Whether xtquant's Python layer is installed here."""
    return importlib.util.find_spec("xtquant") is not None


def install(userdata: Path | None = None) -> None:
    """From now on ``import xtquant.xttrader`` and ``xtquant.xtdata`` run over the stand-in.

    ``userdata`` names the terminal whose quotes are seen; trading goes by the path it is given.
    """
    data_place.userdata = userdata
    if not any(isinstance(finder, _InFront) for finder in sys.meta_path):
        sys.meta_path.insert(0, _InFront())
