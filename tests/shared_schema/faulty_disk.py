"""A real disk that fails where a test says, and counts the steps it took."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

from shared_schema.disk import FileEntry, LocalDisk

Fails = Callable[[str, Path], bool]


class FaultyDisk(LocalDisk):
    """``fails(step, path)`` says which step raises OSError; ``steps`` lists all that were tried."""

    def __init__(self, fails: Fails = lambda step, path: False) -> None:
        self.fails = fails
        self.steps: list[tuple[str, str]] = []

    def _step(self, step: str, path: Path) -> None:
        self.steps.append((step, path.name))
        if self.fails(step, path):
            raise OSError(errno.ENOSPC, "no space left on device", str(path))

    def create(self, path: Path, data: bytes) -> None:
        if self.fails("tear", path):
            path.write_bytes(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "no space left on device", str(path))
        self._step("create", path)
        super().create(path, data)

    def replace(self, source: Path, target: Path) -> None:
        self._step("replace", target)
        super().replace(source, target)

    def sync_folder(self, path: Path) -> None:
        self._step("sync_folder", path)
        super().sync_folder(path)

    def read(self, path: Path, limit: int) -> bytes | None:
        self._step("read", path)
        return super().read(path, limit)

    def list(self, path: Path) -> list[FileEntry]:
        self._step("list", path)
        return super().list(path)

    def remove(self, path: Path) -> None:
        self._step("remove", path)
        super().remove(path)
