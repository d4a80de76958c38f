"""Writing ``control/halt.<role>@<host>.json``: to stop trading, and to lift one's own halt."""

from __future__ import annotations

import re

from shared_schema.clock import host_name, new_epoch
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.halt_file import publish_halt
from shared_schema.drop_folder.names import CONTROL_FOLDER
from shared_schema.errors import FolderError
from shared_schema.ids import AccountAlias, Mode
from shared_schema.messages import Envelope, Halt, encode
from shared_schema.sessions import trading_day_of

OPERATOR = "operator"


def writer_of(role: str) -> str:
    """``role@host`` of this host, ``role`` made fit for a name."""
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', role)[:32] or OPERATOR}@{host_name()}"


def write_halt(folder: DropFolder, writer: str, reason: str, mode: Mode, now: float) -> str:
    """Publish a halt; returns the name it got. Raises FolderError where none could be written.

    A halt is about every account.
    """
    raw = _encoded(folder, writer, Halt(halt=True, reason=reason, by=writer, at=now), mode, now)
    control = folder.path / CONTROL_FOLDER
    try:
        folder.disk.make_folder(control)
    except OSError as problem:
        raise FolderError("folder.publish_failed", control, detail=str(problem)) from problem
    return publish_halt(folder, writer, raw)


def lift_halt(folder: DropFolder, name: str, writer: str, reason: str, mode: Mode, now: float) -> None:
    """Publish the lifting of this host's own halt under its very name. Raises FolderError."""
    raw = _encoded(folder, writer, Halt(halt=False, reason=reason, by=writer, at=now), mode, now)
    folder.publish(f"{CONTROL_FOLDER}/{name}", raw)


def _encoded(folder: DropFolder, writer: str, body: Halt, mode: Mode, now: float) -> bytes:
    envelope = Envelope(
        writer=writer,
        # Nobody remembers how many halts this host wrote: each begins a memory of its own, after the last.
        epoch=new_epoch(now),
        seq=1,
        written_at=now,
        market_time=now,
        trading_day=trading_day_of(now),
        mode=mode,
        account=AccountAlias("*"),
    )
    return encode(envelope, body, folder.key)
