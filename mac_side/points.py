"""Every durable step of the dashboard's engine, by name (see shared_schema.points)."""

from __future__ import annotations

from enum import Enum


class Point(Enum):
    """BEFORE: nothing of the step has happened. The others: it is done."""

    BEFORE_SAVE = "before_save"
    """Decided, or a result applied, in memory only."""
    SAVED = "saved"
    """Books and outbox are one durable file."""
    BEFORE_PUBLISH = "before_publish"
    PUBLISHED = "published"
    """The signal is in the folder."""
    COPIED = "copied"
    """The copy of the last good books is written."""
    HEARTBEAT = "heartbeat"
    HALT_WRITTEN = "halt_written"
