"""Files of ids the ledger knows: answered again, consumed, or put apart; never executed (I1)."""

from __future__ import annotations

from shared_schema.ids import SignalId
from shared_schema.messages import OrderSignal, Received, signal_digest
from windows_side.execution.actions import AnswerAgain, Archive, MoveToQuarantine
from windows_side.execution.desk import Desk
from windows_side.execution.ledger import SETTLED_BEFORE

UNUSABLE = "unusable:"
"""Begins the digest kept for a file that named an id and was no valid signal."""


class KnownIds:
    """Takes every file whose id is not new; each question tells whether it took it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def takes(self, name: str, received: Received[OrderSignal]) -> bool:
        """A valid signal."""
        signal_id = received.body.signal_id
        if self._clashes(name, signal_id):
            return True
        digest = self._desk.book.digest_of(signal_id)
        if digest is None:
            return False
        if digest == SETTLED_BEFORE:
            self._settled_before(name, signal_id)
            return True
        if digest != signal_digest(received.body, received.envelope):
            self._reused(name, signal_id)
            return True
        self._desk.say("known_signal", signal_id=signal_id)
        self._answer_again(name, signal_id)
        return True

    def takes_unusable(self, name: str, signal_id: SignalId) -> bool:
        """A file that names an id and is no valid signal."""
        if self._clashes(name, signal_id):
            return True
        known = self._desk.book.digest_of(signal_id)
        if known is None:
            return False
        if known == SETTLED_BEFORE:
            self._settled_before(name, signal_id)
        elif known.startswith(UNUSABLE):
            # Unusable the first time, unusable again: the same answer, and it is consumed.
            self._answer_again(name, signal_id)
        else:
            self._reused(name, signal_id)
        return True

    def _answer_again(self, name: str, signal_id: SignalId) -> None:
        self._desk.do(AnswerAgain(signal_id))
        self._desk.do(Archive(name, signal_id))

    def _settled_before(self, name: str, signal_id: SignalId) -> None:
        # Only its id outlived a lost ledger: it is consumed, never executed, and nothing is said of its end.
        self._desk.alarm("settled_without_record", signal_id=signal_id)
        self._desk.do(Archive(name, signal_id))

    def _reused(self, name: str, signal_id: SignalId) -> None:
        # The first stands; nothing further of this id is executed, and no result may confuse the first's.
        self._desk.alarm("id_reused", signal_id=signal_id, file=name)
        self._desk.do(MoveToQuarantine(name, {"reason": "id_reused", "signal_id": signal_id}))

    def _clashes(self, name: str, signal_id: SignalId) -> bool:
        # On a disk that folds case both ids would share one result file.
        clash = self._desk.book.clash_of(signal_id)
        if clash is None:
            return False
        self._desk.alarm("id_case_clash", signal_id=signal_id, other=clash)
        reason: dict[str, object] = {"reason": "id_case_clash", "signal_id": signal_id, "other": clash}
        self._desk.do(MoveToQuarantine(name, reason))
        return True
