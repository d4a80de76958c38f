"""The drop folder: publish, scan, read, archive, quarantine. Rules 1 to 7 of the contract."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import orjson

from shared_schema.disk import Disk, FileEntry, LocalDisk
from shared_schema.drop_folder.names import (
    ABOVE,
    CONTROL_FOLDER,
    DONE_FOLDER,
    FOLDERS,
    OFFLINE_MARKER,
    QUARANTINE_FOLDER,
    Name,
    NameKind,
    classify,
    done_name,
    folder_above,
    is_halt,
)
from shared_schema.errors import FolderError
from shared_schema.ids import SignalId
from shared_schema.integrity import Key
from shared_schema.messages.record import LARGE_FILE, SMALL_FILE

HELD_READINGS = 5
HELD_PAUSE = 0.02
"""Halt files that can't be read are tried again so often in one look, with so many seconds between: however
many are held, far within the second in which a halt must be seen."""
PATHS_KEPT = 1024
"""Joined paths a folder remembers."""


@dataclass(frozen=True)
class Found:
    """One file a scan found, with its classified name."""

    name: Name
    entry: FileEntry


def random_name_part() -> str:
    """Eight hex digits."""
    return secrets.token_hex(4)


class DropFolder:
    """One exchange folder on this host's disk. Holds no state: the folder is the truth."""

    def __init__(
        self,
        path: Path,
        disk: Disk | None = None,
        random_part: Callable[[], str] = random_name_part,
        key: Key | None = None,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        """``rest`` waits the given seconds before a held file is read again."""
        self.path = path
        self.key = key
        """The secret that seals what crosses this folder; None: nothing is signed or checked."""
        self.disk: Disk = disk if disk is not None else LocalDisk()
        self.random_part = random_part
        """Makes the part of a temp name that is nobody else's."""
        self._rest = rest
        above = folder_above(path)
        self._above = DropFolder(above, self.disk, random_part, key, rest) if above is not None else None
        """Where this is the room of one account: the folder whose halts and OFFLINE hold here as well."""
        self._paths: dict[str, Path] = {}
        self._held: dict[str, tuple[int, int, int]] = {}
        """Halt files for which patience was spent in vain: such a one slows no later look."""

    def _at(self, name: str) -> Path:
        """Where ``name`` lies. The same few are asked for many times a second, and joining paths is slow."""
        path = self._paths.get(name)
        if path is None:
            if len(self._paths) >= PATHS_KEPT:
                self._paths.clear()
            path = self._paths[name] = self.path / name
        return path

    def prepare(self) -> None:
        """Make the folders of the contract inside the exchange folder."""
        for folder in FOLDERS:
            self.disk.make_folder(self.path / folder)

    def publish(self, name: str, data: bytes, *, durable: bool = True) -> None:
        """Put ``data`` under ``name`` (relative, ``/`` between folder and name) in one step.

        Private temp name in the same folder, write, fsync, rename, fsync the folder
        (rule 2). ``durable=False`` leaves out the folder's fsync, for files that are
        rewritten every second, and where ``sync`` follows for several. Raises FolderError.
        """
        target = self._at(name)
        temporary = target.with_name(f".{target.name}{self.random_part()}.tmp")
        try:
            self.disk.create(temporary, data)
            self.disk.replace(temporary, target)
            if durable:
                self.disk.sync_folder(target.parent)
        except OSError as problem:
            self._clean_up(temporary)
            raise FolderError("folder.publish_failed", target, detail=str(problem)) from problem

    def sync(self, folder: str) -> None:
        """Make everything durable that was published into ``folder`` before. Raises FolderError."""
        try:
            self.disk.sync_folder(self.path / folder)
        except OSError as problem:
            raise FolderError("folder.publish_failed", self.path / folder, detail=str(problem)) from problem

    def _clean_up(self, temporary: Path) -> None:
        try:
            self.disk.remove(temporary)
        except OSError:
            return  # the failure that brought us here is the one to report; readers ignore temp names

    def read(self, name: str, limit: int = SMALL_FILE) -> bytes | None:
        """The bytes of ``name``; None where it is missing. One byte over ``limit`` tells "too large".

        Raises FolderError where the file is there and can't be read just now.
        """
        target = self._at(name)
        try:
            return self.disk.read(target, limit)
        except OSError as problem:
            raise FolderError("folder.read_failed", target, detail=str(problem)) from problem

    def stat(self, name: str) -> FileEntry | None:
        """Size and times of ``name``; None where it is missing."""
        try:
            return self.disk.stat(self._at(name))
        except OSError as problem:
            raise FolderError("folder.read_failed", self.path / name, detail=str(problem)) from problem

    def read_large(self, name: str) -> bytes | None:
        """The bytes of a quote file, snapshot or executed list (4 MiB at most)."""
        return self.read(name, LARGE_FILE)

    def scan(self) -> list[Found]:
        """All files of the top folder with their classified names, oldest first.

        Raises FolderError where the folder can't be listed: that is not "no files".
        """
        return [Found(classify(entry.name), entry) for entry in self._listing(self.path)]

    def signals(self) -> list[Found]:
        """The slot and every ``order_signal_<id>.json`` found, oldest first."""
        return [f for f in self.scan() if f.name.kind in (NameKind.SIGNAL, NameKind.SIGNAL_SLOT)]

    def list_folder(self, folder: str) -> list[FileEntry]:
        """The files of one of the contract's folders; empty where it was never made."""
        try:
            return self._listing(self._at(folder))
        except FolderError as problem:
            if not isinstance(problem.__cause__, FileNotFoundError):
                raise
        self._listing(self.path)  # where the exchange folder itself is gone, that is not "no files"
        return []

    def _listing(self, path: Path) -> list[FileEntry]:
        try:
            entries = self.disk.list(path)
        except OSError as problem:
            raise FolderError("folder.list_failed", path, detail=str(problem)) from problem
        return sorted(entries, key=lambda entry: (entry.modified_ns, entry.name))

    def halts(self) -> dict[str, bytes | None]:
        """The files in ``control/`` whose names halt, with their bytes (None: unreadable just now).

        In the room of one account also those of the folder above it, which hold every account; their
        names begin with ``ABOVE``.
        """
        found: dict[str, bytes | None] = {}
        if self._above is not None:
            found = {ABOVE + name: raw for name, raw in self._above.halts().items()}
        pauses = repeat(HELD_PAUSE, HELD_READINGS)
        for entry in self.list_folder(CONTROL_FOLDER):
            if not is_halt(entry.name):
                continue
            try:
                spent = self._held.get(entry.name) == entry.fingerprint
                raw = self._read_patiently(f"{CONTROL_FOLDER}/{entry.name}", iter(()) if spent else pauses)
            except FolderError:
                found[entry.name], self._held[entry.name] = None, entry.fingerprint
                continue
            self._held.pop(entry.name, None)
            if raw is not None:
                # Gone since the listing is a sync tool's delete + rename: the next look shows what it became.
                found[entry.name] = raw
        return found

    def _read_patiently(self, name: str, pauses: Iterator[float]) -> bytes | None:
        """``read``, tried again while a scanner or a backup holds the file: it stays there for months and is
        read at every turn, and one held moment must not halt what a person has lifted."""
        while True:
            try:
                return self.read(name)
            except FolderError:
                pause = next(pauses, None)
                if pause is None:
                    raise
                self._rest(pause)

    def is_offline(self) -> bool:
        """Whether the marker ``OFFLINE`` stands in the folder or above: no live process may use it."""
        above = self._above is not None and self._above.is_offline()
        return above or self.stat(OFFLINE_MARKER) is not None

    def archive(self, name: str, signal_id: SignalId) -> bytes | None:
        """Move a recorded signal to ``order_signal_done/`` and return the bytes that were moved.

        A courtesy, never the commit point. The caller compares the moved id with the
        recorded one: another id is a newly found signal. None where it was gone already.
        """
        target = self.path / DONE_FOLDER / done_name(signal_id)
        try:
            self.disk.make_folder(target.parent)
            self.disk.replace(self.path / name, target)
            return self.disk.read(target, SMALL_FILE)
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise FolderError("folder.archive_failed", self.path / name, detail=str(problem)) from problem

    def rename_done(self, recorded: SignalId, found: SignalId) -> None:
        """Give an archived file the name of the id that was found in it."""
        done = self.path / DONE_FOLDER
        try:
            self.disk.replace(done / done_name(recorded), done / done_name(found))
        except OSError as problem:
            raise FolderError(
                "folder.archive_failed", done / done_name(recorded), detail=str(problem)
            ) from problem

    def quarantine_copy(self, name: str, raw: bytes, reason: dict[str, object]) -> str:
        """Copy what could not be used to ``quarantine/`` with its reason; returns the name there."""
        place = self._quarantine_name(name, hashlib.sha256(raw).hexdigest())
        if self.read(f"{QUARANTINE_FOLDER}/{place}", LARGE_FILE) is None:
            try:
                self.disk.make_folder(self.path / QUARANTINE_FOLDER)
            except OSError as problem:
                where = self.path / name
                raise FolderError("folder.quarantine_failed", where, detail=str(problem)) from problem
            self.publish(f"{QUARANTINE_FOLDER}/{place}", raw)
        self._write_reason(place, name, reason)
        return place

    def quarantine_move(self, name: str, reason: dict[str, object]) -> str:
        """Move a file to ``quarantine/`` out of the way, with its reason; returns the name there."""
        source = self.path / name
        place = self._quarantine_name(Path(name).name, self.random_part())
        try:
            self.disk.make_folder(self.path / QUARANTINE_FOLDER)
            self.disk.replace(source, self.path / QUARANTINE_FOLDER / place)
        except FileNotFoundError:
            return place
        except OSError as problem:
            raise FolderError("folder.quarantine_failed", source, detail=str(problem)) from problem
        self._write_reason(place, name, reason)
        return place

    def _quarantine_name(self, name: str, distinction: str) -> str:
        # A second bad file of one name must not replace the first: nothing is lost.
        # The end of a long name is kept; 255 bytes is what disks take, and the reason's name is longer.
        plain = name.encode("utf-8", "backslashreplace")[-180:].decode("utf-8", "ignore")
        return f"{distinction[:8]}.{plain}"

    def _write_reason(self, place: str, name: str, reason: dict[str, object]) -> None:
        # A name of another encoding reaches us with lone surrogates, which JSON does not take.
        said = name.encode("utf-8", "backslashreplace").decode("utf-8")
        body = orjson.dumps({"name": said, **reason}, option=orjson.OPT_INDENT_2)
        self.publish(f"{QUARANTINE_FOLDER}/{place}.reason.json", body)

    def remove(self, name: str) -> None:
        """Take a file of this host's own away."""
        try:
            self.disk.remove(self.path / name)
        except OSError as problem:
            raise FolderError("folder.remove_failed", self.path / name, detail=str(problem)) from problem
