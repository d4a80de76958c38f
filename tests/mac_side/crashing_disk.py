"""A disk in memory that stops at its n-th step, as a killed process or a full disk would."""

from __future__ import annotations

from pathlib import Path

from shared_schema.disk import FileEntry


class Crash(Exception):
    """The process is gone here."""


class CrashingDisk:
    """Files in a dict. Step ``stop_at`` (from 1) of create, replace and sync does not happen."""

    def __init__(self, files: dict[Path, bytes] | None = None, stop_at: int = 0, torn: bool = False) -> None:
        self.files = dict(files or {})
        self.stop_at = stop_at
        self.torn = torn
        self.steps = 0

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.stop_at:
            raise Crash

    def create(self, path: Path, data: bytes) -> None:
        if self.torn and self.steps + 1 == self.stop_at:
            self.files[path] = data[: len(data) // 2]
        self._step()
        self.files[path] = data

    def replace(self, source: Path, target: Path) -> None:
        self._step()
        self.files[target] = self.files.pop(source)

    def sync_folder(self, path: Path) -> None:
        self._step()

    def read(self, path: Path, limit: int) -> bytes | None:
        raw = self.files.get(path)
        return raw[: limit + 1] if raw is not None else None

    def stat(self, path: Path) -> FileEntry | None:
        raw = self.files.get(path)
        return FileEntry(path.name, len(raw), 0, 0) if raw is not None else None

    def list(self, path: Path) -> list[FileEntry]:
        return [FileEntry(p.name, len(raw), 0, 0) for p, raw in self.files.items() if p.parent == path]

    def remove(self, path: Path) -> None:
        self.files.pop(path, None)

    def make_folder(self, path: Path) -> None:
        return None
