"""The parts of the worker: its deadlines, a job, the thread that does it, and the link it keeps open."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from shared_schema.ids import SignalId
from windows_side.brokers.port import BrokerEvent, Guard, Readiness

MOST_HUNG = 8
"""Hung threads left behind before the worker stops opening new links: each keeps its memory."""


@dataclass(frozen=True)
class Deadlines:
    """How long a call may run, and how soon a broker that is not ready is tried again; seconds."""

    open: float = 30.0
    submit: float = 10.0
    cancel: float = 10.0
    query: float = 15.0
    first_retry: float = 1.0
    longest_retry: float = 60.0


DEADLINES = Deadlines()

Kind = Literal["open", "submit", "cancel", "day", "account", "close"]


@dataclass(eq=False)
class Job:
    """One thing the thread does: ``call`` never raises an Exception, it returns what is to be said."""

    kind: Kind
    call: Callable[[Lane], BrokerEvent | None]
    limit: float
    no_answer: BrokerEvent | None = None
    """What is said when the call overruns, or cannot be made now."""
    guard: Guard | None = None
    signal_id: SignalId | None = None


@dataclass(eq=False)
class Lane:
    """One thread and what it is doing; abandoned when a call of its hangs."""

    thread: threading.Thread | None = None
    job: Job | None = None
    started: float = 0.0
    abandoned: bool = False

    @property
    def is_alive(self) -> bool:
        """Whether its thread still runs."""
        return self.thread is not None and self.thread.is_alive()

    @property
    def holds_a_submit(self) -> bool:
        """Whether a place call of its has not come back."""
        return self.job is not None and self.job.kind == "submit"


@dataclass
class Link:
    """What is known of the link to the broker and of the next attempt to open it."""

    readiness: Readiness | None = None
    number: int = 0
    """Counts the attempts to open: news of the link from an older one is ignored."""
    renew: bool = False
    """The old link hung: close it before opening again."""
    retry_at: float = 0.0
    pause: float = 0.0
    failed_query: bool = False
    dropped: int = 0
    """The attempt whose link told of its own end: a probe of before that no longer counts."""
    hung: list[Lane] = field(default_factory=list)
    """Lanes left behind whose thread may still be in its call."""

    @property
    def ready(self) -> bool:
        """Whether a real query of ours passed and nothing was heard against it since."""
        return self.readiness is not None and self.readiness.ready
