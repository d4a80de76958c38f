"""Power loss: every disk a machine may wake up with after a recorded run of file operations.

The model is what POSIX promises and no more. A file's bytes are certain once it was fsynced; before that
it may be empty, cut, zeros or whole, also under its final name (a rename may reach the disk before the
data). Names made, renamed or removed are certain once their folder was synced; before that any of them may
be lost while later ones are kept. A rename is one step: it happened or it did not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from shared_schema.disk import FileEntry

Content = Mapping[Path, bytes]
"""A disk as it is found: every file with its bytes."""


@dataclass(frozen=True)
class Step:
    """One primitive effect: entry, data, fsync, rename, remove or sync."""

    kind: str
    path: Path
    target: Path | None = None
    inode: int = 0
    data: bytes = b""


class RecordingDisk:
    """A disk in memory that notes every step; ``forgets`` leaves out fsync or sync, as a broken one would."""

    def __init__(self, content: Content | None = None, forgets: frozenset[str] = frozenset()) -> None:
        self.files = dict(content or {})
        self.base = dict(self.files)
        self.steps: list[Step] = []
        self._forgets = forgets
        self._inodes: dict[Path, int] = {}
        self._count = 0

    def _note(self, step: Step) -> None:
        if step.kind not in self._forgets:
            self.steps.append(step)

    def create(self, path: Path, data: bytes) -> None:
        if path in self.files:
            raise FileExistsError(path)
        self._count += 1
        self._inodes[path] = self._count
        self._note(Step("entry", path, inode=self._count))
        self._note(Step("data", path, inode=self._count, data=data))
        self._note(Step("fsync", path, inode=self._count))
        self.files[path] = data

    def replace(self, source: Path, target: Path) -> None:
        if source not in self.files:
            raise FileNotFoundError(source)
        self._note(Step("rename", source, target))
        self.files[target] = self.files.pop(source)

    def sync_folder(self, path: Path) -> None:
        self._note(Step("sync", path))

    def read(self, path: Path, limit: int) -> bytes | None:
        found = self.files.get(path)
        return None if found is None else found[: limit + 1]

    def list(self, path: Path) -> list[FileEntry]:
        return [self._entry(file) for file in self.files if file.parent == path]

    def stat(self, path: Path) -> FileEntry | None:
        return self._entry(path) if path in self.files else None

    def _entry(self, path: Path) -> FileEntry:
        return FileEntry(path.name, len(self.files[path]), 0, 0)

    def remove(self, path: Path) -> None:
        self._note(Step("remove", path))
        self.files.pop(path, None)

    def make_folder(self, path: Path) -> None:
        """Folders are there already: who makes one syncs it with its first file."""


@dataclass
class _Names:
    """What is certain of the names, and what is still on its way to the disk."""

    certain: dict[Path, int | bytes]
    pending: list[Step] = field(default_factory=list)

    def sync(self, folder: Path) -> None:
        """Everything that touched ``folder`` is certain now."""
        rest = [step for step in self.pending if folder not in (step.path.parent, _target(step).parent)]
        for step in self.pending:
            if step not in rest:
                _apply(step, self.certain)
        self.pending = rest


def _target(step: Step) -> Path:
    return step.target or step.path


def _apply(
    step: Step, names: dict[Path, int | bytes], inodes: Mapping[Path, int | bytes] | None = None
) -> None:
    if step.kind == "entry":
        names[step.path] = step.inode
    elif step.kind == "remove":
        names.pop(step.path, None)
    elif step.kind == "rename" and step.target is not None:
        moved = names.pop(step.path, None)
        if moved is None and inodes is not None:
            moved = inodes.get(step.path)  # its first name never reached the disk; the new one did
        if moved is not None:
            names[step.target] = moved


def wakings(disk: RecordingDisk, until: int | None = None) -> Iterator[tuple[int, Content]]:
    """Each point of time (steps done) with each disk the machine may find after power was lost there."""
    for done in range(len(disk.steps[:until]) + 1):
        seen: list[Content] = []
        for content in _wakings_after(disk.base, disk.steps[:done]):
            if content not in seen:
                seen.append(content)
                yield done, content


def _wakings_after(base: Content, steps: list[Step]) -> Iterator[Content]:
    names = _Names(dict(base))
    born: dict[Path, int | bytes] = dict(base)
    data: dict[int, bytes] = {}
    durable: set[int] = set()
    for step in steps:
        if step.kind == "data":
            data[step.inode] = step.data
        elif step.kind == "fsync":
            durable.add(step.inode)
        elif step.kind == "sync":
            names.sync(step.path)
        else:
            names.pending.append(step)
            if step.kind == "entry":
                born[step.path] = step.inode
            elif step.target is not None and step.path in born:
                born[step.target] = born[step.path]
    doubtful = [inode for inode in data if inode not in durable]
    for kept in product((False, True), repeat=len(names.pending)):
        found = dict(names.certain)
        for step, is_kept in zip(names.pending, kept, strict=True):
            if is_kept:
                _apply(step, found, born)
        for torn in product(*(_torn(data[inode]) for inode in doubtful)):
            bytes_of = data | dict(zip(doubtful, torn, strict=True))
            yield {
                path: value if isinstance(value, bytes) else bytes_of.get(value, b"")
                for path, value in found.items()
            }


def _torn(data: bytes) -> tuple[bytes, ...]:
    """What may stand in a file that was never fsynced."""
    cuts = {0, 1, len(data) // 2, max(0, len(data) - 1), *range(0, len(data), 512)}
    halves = data[: len(data) // 2] + bytes(len(data) - len(data) // 2)
    return (*(data[:cut] for cut in sorted(cuts)), bytes(len(data)), halves, data)
