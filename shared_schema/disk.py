"""The disk as a port: the few primitive steps the folder protocol is made of.

Every method is one step that a crash, a full disk or a foreign open handle can
interrupt, so a simulated disk can stop, tear or refuse exactly there.
"""

from __future__ import annotations

import errno
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

REPLACE_BUDGET = 2.0
"""Seconds in all that a rename is retried while Windows reports an open handle."""
_BUSY_WINERRORS = frozenset({5, 32, 33})
_BUSY_ERRNOS = frozenset({errno.EACCES, errno.EBUSY, errno.EPERM})


@dataclass(frozen=True)
class FileEntry:
    """One file of a listing."""

    name: str
    size: int
    """Bytes."""
    modified_ns: int
    inode: int

    @property
    def fingerprint(self) -> tuple[int, int, int]:
        """Changes with every replacement of the file; saves reading it again, proves nothing."""
        return self.modified_ns, self.size, self.inode


class Disk(Protocol):
    """What the folder protocol asks of a disk. All may raise OSError."""

    def create(self, path: Path, data: bytes) -> None:
        """Write a new file and make its bytes durable; FileExistsError where it exists."""

    def replace(self, source: Path, target: Path) -> None:
        """Rename over ``target`` in one step."""

    def sync_folder(self, path: Path) -> None:
        """Make the renames in a folder durable, where the system has that."""

    def read(self, path: Path, limit: int) -> bytes | None:
        """At most ``limit`` + 1 bytes of a file; None where there is no such file."""

    def list(self, path: Path) -> list[FileEntry]:
        """The files (not folders) of a folder."""

    def stat(self, path: Path) -> FileEntry | None:
        """One file; None where there is none."""

    def remove(self, path: Path) -> None:
        """Remove a file; a missing one is fine."""

    def make_folder(self, path: Path) -> None:
        """Make a folder and its parents; an existing one is fine."""


class LocalDisk:
    """The real disk, with the bounded retries Windows needs."""

    def create(self, path: Path, data: bytes) -> None:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644)
        with os.fdopen(handle, "wb", buffering=0) as file:
            left = memoryview(data)
            while left:  # a nearly full disk takes a part and raises nothing
                left = left[file.write(left) :]
            os.fsync(file.fileno())

    def replace(self, source: Path, target: Path) -> None:
        _patiently(lambda: os.replace(source, target))

    def sync_folder(self, path: Path) -> None:
        if os.name == "nt":
            return  # Windows has no fsync for a folder: opening one is refused.
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def read(self, path: Path, limit: int) -> bytes | None:
        try:
            with open(path, "rb") as file:
                return file.read(limit + 1)
        except FileNotFoundError:
            return None

    def list(self, path: Path) -> list[FileEntry]:
        found = []
        with os.scandir(path) as entries:
            for entry in entries:
                try:
                    if entry.is_file(follow_symlinks=False):
                        status = entry.stat(follow_symlinks=False)
                        found.append(FileEntry(entry.name, status.st_size, status.st_mtime_ns, status.st_ino))
                except FileNotFoundError:
                    continue  # gone between listing and looking: the next scan tells
        return found

    def stat(self, path: Path) -> FileEntry | None:
        try:
            status = os.stat(path)
        except FileNotFoundError:
            return None
        return FileEntry(path.name, status.st_size, status.st_mtime_ns, status.st_ino)

    def remove(self, path: Path) -> None:
        _patiently(lambda: path.unlink(missing_ok=True))

    def make_folder(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)


def _patiently(step) -> None:  # type: ignore[no-untyped-def]
    """Run ``step``; on Windows retry while another program holds the file, 2 s in all."""
    deadline = time.monotonic() + REPLACE_BUDGET
    pause = 0.001
    while True:
        try:
            step()
            return
        except OSError as problem:
            if not _is_busy(problem) or time.monotonic() >= deadline:
                raise
        time.sleep(pause * random.uniform(0.5, 1.0))
        pause = min(pause * 2, 0.064)


def _is_busy(problem: OSError) -> bool:
    # open() reports EACCES with no winerror, rename reports 5 or 32: both spellings mean "held by someone".
    if os.name != "nt":
        return False
    return getattr(problem, "winerror", None) in _BUSY_WINERRORS or problem.errno in _BUSY_ERRNOS
