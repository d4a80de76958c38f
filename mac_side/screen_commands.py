"""What a screen asks of the engine: small files in a private folder in ``RUNTIME_DIR``.

The screen writes, the engine reads, acts, and then forgets: a crash in between repeats a
command, and every command may be repeated without harm. A halt is never too old; anything
else left over from an engine that was down is not what the person means now.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import ValidationError

from shared_schema.disk import Disk, LocalDisk
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import FolderError, MessageError
from shared_schema.messages.record import SMALL_FILE, Record, load_object

FOLDER = "screen_commands"
"""Name of the folder inside ``RUNTIME_DIR``."""
TOO_OLD = 60.0
"""Seconds after which a command other than halt is no longer carried out."""

Kind = Literal["halt", "resume", "pause", "unpause", "cancel", "adjust"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Command(Record):
    """One wish of the person at the screen."""

    kind: Kind
    argument: str = ""
    """The reason of a halt or resume, the signal id of a cancel, how the books follow an ex-date."""
    at: float
    """Unix seconds, wall clock."""
    by: str = ""
    """``screen@host``"""

    def too_old(self, wall: float) -> bool:
        """Whether it is left over from earlier; a halt never is."""
        return self.kind != "halt" and not 0 <= wall - self.at <= TOO_OLD


@dataclass(frozen=True)
class Waiting:
    """A command file found, with the command; None where the file can't be understood."""

    path: Path
    command: Command | None


def commands_folder(runtime_dir: Path) -> Path:
    """Where the commands of the screens of this ``RUNTIME_DIR`` stand."""
    return runtime_dir / FOLDER


def write_command(folder: Path, command: Command) -> Path:
    """Leave ``command`` for the engine; returns the file. Raises FolderError."""
    name = f"{int(command.at * 1000):015d}-{command.kind}-{secrets.token_hex(4)}.json"
    disk = LocalDisk()
    try:
        disk.make_folder(folder)
    except OSError as problem:
        raise FolderError("screen.command_not_written", folder, detail=str(problem)) from problem
    DropFolder(folder, disk).publish(name, command.model_dump_json().encode("utf-8"))
    return folder / name


def waiting_commands(folder: Path, disk: Disk | None = None) -> list[Waiting]:
    """The commands that wait, oldest first. Raises FolderError where the folder can't be listed.

    A file named as a halt that can't be read is a halt. For any other unreadable one
    ``command`` is None: say so and ``forget`` it. Commands that are ``too_old`` are given
    too: the engine says that it did not carry them out.
    """
    try:
        names = sorted(entry.name for entry in (disk or LocalDisk()).list(folder) if _is_ours(entry.name))
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise FolderError("folder.list_failed", folder, detail=str(problem)) from problem
    return [Waiting(folder / name, _read(DropFolder(folder, disk), name)) for name in names]


def forget(waiting: Waiting, disk: Disk | None = None) -> None:
    """Take a command away after it was carried out. Raises FolderError."""
    DropFolder(waiting.path.parent, disk).remove(waiting.path.name)


def _is_ours(name: str) -> bool:
    return not name.startswith(".") and name.endswith(".json")


def _read(folder: DropFolder, name: str) -> Command | None:
    try:
        raw = folder.read(name, SMALL_FILE)
        return Command.model_validate(load_object(raw or b""))
    except (FolderError, MessageError, ValidationError):
        # A wish to halt that arrives damaged is still a wish to halt.
        return Command(kind="halt", argument="unreadable command", at=0.0) if "-halt-" in name else None
