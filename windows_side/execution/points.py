"""Every durable step and every outside call of the executor, by name, in the order of one signal's way.

``executor.py`` and what it owns say where they are; ``shared_schema.points`` tells what that is for.
"""

from __future__ import annotations

from enum import Enum


class Point(Enum):
    """BEFORE: nothing of the step has happened. AFTER: it is durable, or the call has returned."""

    # Start
    MIGRATION_BEFORE_BACKUP = "migration_before_backup"
    MIGRATION_BACKED_UP = "migration_backed_up"
    MIGRATION_BEFORE_COMMIT = "migration_before_commit"
    MIGRATION_COMMITTED = "migration_committed"
    STARTED = "started"
    """The ledger is loaded and what provably never reached the broker is closed."""
    RESULTS_RESTORED = "results_restored"
    RECONCILED = "reconciled"
    """The first complete list of the day is worked in."""

    # A signal's way
    SIGNAL_READ = "signal_read"
    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"
    AFTER_INTENT = "after_intent"
    """A commit that holds INTENT and CALLING of an order is durable, its submit not yet handed on."""
    COUNTED = "counted"
    """The second counter holds this commit."""
    AFTER_HANDING_ON = "after_handing_on"
    """The submit waits in the worker's queue."""
    BEFORE_NATIVE_CALL = "before_native_call"
    """In the worker, past the last look at halt and expiry."""
    AFTER_NATIVE_CALL = "after_native_call"
    """In the worker: the broker's answer is there and nobody has heard it."""
    BROKER_HEARD = "broker_heard"
    """In the loop: news of the broker are taken from the queue, nothing of them recorded."""
    BEFORE_CANCEL = "before_cancel"
    BEFORE_ASKING = "before_asking"

    # What the folder shows
    BEFORE_RESULT = "before_result"
    AFTER_RESULT_FILE = "after_result_file"
    """The signal's own result stands, the slot ``order_result.json`` not yet."""
    AFTER_RESULT = "after_result"
    BEFORE_ARCHIVE = "before_archive"
    AFTER_ARCHIVE = "after_archive"
    BEFORE_QUARANTINE = "before_quarantine"
    AFTER_QUARANTINE = "after_quarantine"
    BEFORE_EXECUTED = "before_executed"
    AFTER_EXECUTED = "after_executed"
    AFTER_SNAPSHOT = "after_snapshot"
    AFTER_HEARTBEAT = "after_heartbeat"
    STOPPED = "stopped"
    """The clean end, the ledger still open."""
