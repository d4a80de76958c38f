"""How far the ledger has come, kept a second time elsewhere: tells a ledger that was put back.

Written before each submit, in place and without fsync: one short record of fixed length, so that a
kill leaves the old or the new one and nothing between. After a power loss it may lag, which says
nothing (a ledger ahead of it is normal); a ledger behind it has lost what it did.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from shared_schema.disk import LocalDisk
from shared_schema.errors import StateError
from shared_schema.ids import InstanceId, LedgerId

_LENGTH = 160
_RECORD = re.compile(r"miniqmt-ledger ([0-9a-f]{1,32}) (\d{1,15}) ([A-Za-z0-9._-]{1,64}) *\n\Z")


@dataclass(frozen=True)
class Counted:
    """What the second file says."""

    ledger_id: LedgerId
    commits: int
    instance: InstanceId


class SecondCounter:
    """The second file of one ledger. Used by one thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def read(self) -> Counted | None:
        """What was counted last; None where nothing ever was. Raises StateError where it can't be read."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise StateError("recovery.counter_unreadable", self.path, detail=str(problem)) from problem
        found = _RECORD.match(raw[:_LENGTH].decode("ascii", "replace"))
        if found is None:
            raise StateError("recovery.counter_unreadable", self.path, detail=repr(raw[:40]))
        return Counted(LedgerId(found[1]), int(found[2]), InstanceId(found[3]))

    def write(self, counted: Counted) -> None:
        """Count. Raises StateError: a submit that can't be counted must not leave."""
        line = f"miniqmt-ledger {counted.ledger_id} {counted.commits} {counted.instance}"
        raw = line.encode("ascii").ljust(_LENGTH - 1) + b"\n"
        try:
            if self._handle is None:
                self._handle = self._open(raw)
            os.lseek(self._handle, 0, os.SEEK_SET)
            os.write(self._handle, raw)
        except OSError as problem:
            raise StateError("recovery.counter_unwritable", self.path, detail=str(problem)) from problem

    def _open(self, raw: bytes) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self.path.exists():
            # Whole from its first moment, after a power loss too: an empty file would be taken for damaged.
            disk, new = LocalDisk(), self.path.with_name(self.path.name + ".new")
            disk.remove(new)
            disk.create(new, raw)
            disk.replace(new, self.path)
            disk.sync_folder(self.path.parent)
        return os.open(self.path, os.O_WRONLY | getattr(os, "O_BINARY", 0))

    def close(self) -> None:
        """Let go of the file."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
