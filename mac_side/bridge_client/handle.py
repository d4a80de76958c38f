"""What a script holds of a signal it sent: what is known of it, waiting for it, taking it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from shared_schema.errors import MiniqmtError
from shared_schema.ids import SignalId

Answer = Literal["done", "refused", "unknown"]


class BridgeError(MiniqmtError):
    """Nothing was sent, and why."""


@dataclass(frozen=True)
class Outcome:
    """What is known of a signal. ``done``: it ended with fills (for a cancel: the target has ended);
    ``refused``: it ended without any; ``unknown``: it has not ended as far as is known here."""

    answer: Answer
    state: str
    """The executor's newest word (received, submitted, filled, unknown, ...); "outbox": no answer yet."""
    filled_shares: int
    message: str
    signal_id: SignalId

    def __bool__(self) -> bool:
        return self.answer == "done"


class Sender(Protocol):
    """Who sent the signal, and follows it: the bridge."""

    def outcome(self, signal_id: SignalId) -> Outcome:
        """What is known of a signal now."""

    def wait(self, signal_id: SignalId, timeout: float) -> Outcome:
        """See ``Handle.wait``."""

    def cancel(self, handle: Handle) -> Handle:
        """Ask for an order to be taken back; the handle of the cancel."""


class Handle:
    """One signal sent."""

    def __init__(self, sender: Sender, signal_id: SignalId) -> None:
        self.signal_id = signal_id
        self._sender = sender

    @property
    def outcome(self) -> Outcome:
        """What is known now, without looking again."""
        return self._sender.outcome(self.signal_id)

    def wait(self, timeout: float) -> Outcome:
        """Look until the signal has ended, at most ``timeout`` seconds; "unknown" where it has not by then.

        A time-out ends only the waiting: the order may still be live, and a later ``wait`` may know more.
        """
        return self._sender.wait(self.signal_id, timeout)

    def cancel(self) -> Handle:
        """Ask for this order to be taken back; the handle of the cancel."""
        return self._sender.cancel(self)
