"""Typing at the executor's own host, and seeing that it was taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from shared_schema.disk import LocalDisk
from windows_side import keyboard
from windows_side.keyboard import Typed, type_order

LOOK_EVERY = 0.05


def type_and_watch(
    runtime_dir: Path,
    typed: Typed,
    seconds: float,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Leave ``typed`` for the executor and wait until it has taken it; False where it did not.

    What was not taken is withdrawn: an executor started days later must not act on it. Raises FolderError.
    """
    folder = runtime_dir / keyboard.FOLDER
    before = _names(folder)
    type_order(runtime_dir, typed)
    ours = _names(folder) - before
    until = clock() + seconds
    while ours & _names(folder):
        if clock() >= until:
            for name in ours:
                LocalDisk().remove(folder / name)
            return False
        sleep(LOOK_EVERY)
    return True


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.json")}
