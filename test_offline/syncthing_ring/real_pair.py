"""The real engines as a ``SyncedPair``."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from test_offline.syncthing_ring.behaviours import Side, View
from test_offline.syncthing_ring.pair import SyncthingFault, SyncthingPair, wait_until

QUIET = 2.5
"""Delays without any change after which nothing more is coming."""
SETTLES_WITHIN = 300.0


class RealPair:
    """Two folders that two real engines keep equal."""

    def __init__(self, pair: SyncthingPair) -> None:
        self._pair = pair
        self._staging = pair.a.home.parent / "staging"
        self._staging.mkdir(exist_ok=True)
        self._watcher: _Watcher | None = None

    def write(self, side: Side, name: str, raw: bytes, *, age: float = 0.0, keep_time: bool = False) -> None:
        """Written outside the folder and renamed into it: the engine sees the whole file at once."""
        target, staged = self._path(side, name), self._staging / name.replace("/", "_")
        staged.write_bytes(raw)
        if keep_time:
            before = target.stat()
            os.utime(staged, ns=(before.st_atime_ns, before.st_mtime_ns))
        elif age:
            os.utime(staged, (time.time() - age, time.time() - age))
        target.parent.mkdir(exist_ok=True)
        os.replace(staged, target)

    def move(self, side: Side, name: str, to: str) -> None:
        """Rename."""
        target = self._path(side, to)
        target.parent.mkdir(exist_ok=True)
        os.replace(self._path(side, name), target)

    def delete(self, side: Side, name: str) -> None:
        """Remove."""
        self._path(side, name).unlink()

    def touch(self, side: Side, name: str) -> None:
        """Give it the present time."""
        os.utime(self._path(side, name))

    def files(self, side: Side) -> dict[str, bytes]:
        """Every file of one side but temp names."""
        root = self._root(side)
        found = {}
        for path in root.rglob("*"):
            try:
                if path.is_file() and not path.name.startswith("."):
                    found[path.relative_to(root).as_posix()] = path.read_bytes()
            except FileNotFoundError:
                continue  # gone between listing and reading
        return found

    def disconnect(self) -> None:
        """Pause both devices."""
        self._pair.disconnect()

    def connect(self) -> None:
        """Resume both; nothing where they are connected."""
        self._pair.connect()

    def wait(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def settle(self) -> None:
        """Until both engines are idle and neither folder has changed for two and a half delays."""
        quiet = QUIET * self._pair.delay
        last, since = self._marks(), time.monotonic()

        def is_quiet() -> bool:
            nonlocal last, since
            marks = self._marks()
            if marks != last or not self._pair.is_idle():
                last, since = marks, time.monotonic()
            return time.monotonic() - since >= quiet

        if not wait_until(is_quiet, SETTLES_WITHIN, 0.1):
            raise SyncthingFault("the pair does not come to rest")

    def watch(self, *names: str) -> None:
        """Poll side b as fast as can be."""
        self._watcher = _Watcher(self._root("b"), names)

    def seen(self) -> list[View]:
        """What the polling saw."""
        if self._watcher is None:
            raise SyncthingFault("nothing is watched")
        watcher, self._watcher = self._watcher, None
        return watcher.end()

    def _root(self, side: Side) -> Path:
        return (self._pair.a if side == "a" else self._pair.b).path

    def _path(self, side: Side, name: str) -> Path:
        return self._root(side) / name

    def _marks(self) -> set[tuple[str, int, int]]:
        marks = set()
        for side in (self._pair.a.path, self._pair.b.path):
            for path in side.rglob("*"):
                try:
                    status = path.stat()
                except FileNotFoundError:
                    continue
                if not path.is_dir():
                    marks.add((str(path), status.st_mtime_ns, status.st_size))
        return marks


class _Watcher:
    """A reader that does nothing but look. The moment between delete and rename is under a millisecond."""

    def __init__(self, root: Path, names: tuple[str, ...]) -> None:
        self._paths = {name: root / name for name in names}
        self._views: list[View] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        last: object = object()
        while not self._ended.is_set():
            marks = [_mark(path) for path in self._paths.values()]
            if marks == last:
                continue
            last = marks
            view: View = {name: _read(path) for name, path in self._paths.items()}
            if not self._views or view != self._views[-1]:
                self._views.append(view)

    def end(self) -> list[View]:
        self._ended.set()
        self._thread.join(5)
        return self._views


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
