"""From a file found to what it is: a signal, a refusal with a trusted id, a thing to keep apart, not yet.

Pure but for the memory of what is settling (``Settling``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from shared_schema.clock import Moment
from shared_schema.drop_folder import Name, NameKind, Settling, Verdict
from shared_schema.errors import MessageError
from shared_schema.ids import SignalId, file_part
from shared_schema.integrity import Key
from shared_schema.messages import OrderSignal, Received, decode_signal
from shared_schema.messages.record import SMALL_FILE, load_object
from shared_schema.messages.signal import EXPIRES_AFTER


@dataclass(frozen=True)
class SignalFile:
    """A whole, checked signal under a name that is its own."""

    received: Received[OrderSignal]


@dataclass(frozen=True)
class RefusedFile:
    """Whole and wrong, its id trusted: it gets a failed result."""

    signal_id: SignalId
    error: MessageError
    executor: str | None = None
    """Whom it addresses by its own words; None where it names nobody."""


@dataclass(frozen=True)
class KeepApart:
    """Never to be used: into quarantine with its reason; ``copy`` leaves the file where it is."""

    reason: dict[str, object]
    copy: bool = False
    problem: MessageError | None = None
    """What is wrong with it; None: a conflict copy."""


@dataclass(frozen=True)
class LeaveAlone:
    """Not ours to touch now: still arriving, or for a later version."""

    reason: str = ""


Intake = SignalFile | RefusedFile | KeepApart | LeaveAlone


class SignalIntake:
    """Reads the files a scan finds."""

    def __init__(self, key: Key | None = None, settling: Settling | None = None) -> None:
        self._key = key
        self._settling = settling or Settling()

    def look(self, name: Name, raw: bytes, now: Moment, monotonic: float) -> Intake:
        """What the file ``name`` with ``raw`` (at most one byte over the limit) is."""
        if name.kind is NameKind.CONFLICT:
            return KeepApart(_reason("conflict_copy", now))
        try:
            received = decode_signal(raw, name.text, self._key)
        except MessageError as problem:
            return self._unusable(name, raw, problem, now, monotonic)
        self._settling.forget(name.text)
        if _is_other_name(name, received.body.signal_id):
            return KeepApart(_reason("conflict_copy", now, signal_id=received.body.signal_id))
        return SignalFile(received)

    def _unusable(
        self, name: Name, raw: bytes, problem: MessageError, now: Moment, monotonic: float
    ) -> Intake:
        if problem.error_code == "unknown_version":
            return LeaveAlone("unknown_version")
        trusted = problem.signal_id
        if trusted is not None and not problem.damaged:
            self._settling.forget(name.text)
            if _is_other_name(name, trusted):
                return KeepApart(_reason("conflict_copy", now, signal_id=trusted))
            return RefusedFile(SignalId(trusted), problem, _addressee_of(raw))
        expiry = _expiry_of(raw)
        left = None if expiry is None else monotonic + expiry - now.wall
        verdict = self._settling.judge(name.text, hashlib.sha256(raw).digest(), monotonic, left)
        if verdict is Verdict.WAIT:
            return LeaveAlone()
        reason = _reason(problem.error_code, now, sentence=str(problem))
        return KeepApart(reason, copy=verdict is Verdict.COPY, problem=problem)

    def forget_missing(self, present: set[str]) -> None:
        """Drop what the newest scan no longer shows."""
        self._settling.forget_missing(present)


def _is_other_name(name: Name, signal_id: str) -> bool:
    return name.id_part is not None and name.id_part != file_part(signal_id)


def _reason(code: str, now: Moment, **more: object) -> dict[str, object]:
    return {"reason": code, "at": now.wall, **more}


def _addressee_of(raw: bytes) -> str | None:
    """The executor that a whole, wrong file names."""
    try:
        executor = load_object(raw, limit=SMALL_FILE).get("executor")
    except MessageError:
        return None
    return executor if isinstance(executor, str) else None


def _expiry_of(raw: bytes) -> float | None:
    """When an unusable file expires by its own words, Unix seconds; None where it can't be dated."""
    try:
        payload = load_object(raw, limit=SMALL_FILE)
    except MessageError:
        return None
    expires, stamp = payload.get("expires_at"), payload.get("timestamp")
    if isinstance(expires, (int, float)) and not isinstance(expires, bool):
        return float(expires)
    if isinstance(stamp, (int, float)) and not isinstance(stamp, bool):
        return stamp + EXPIRES_AFTER
    return None


Look = Callable[[Name, bytes, Moment, float], Intake]
