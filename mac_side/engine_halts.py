"""The halt latch of a dashboard: what sets it and the only ways it is lifted (contract.md, Halt). Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from mac_side.bridge_client.link import Beat
from mac_side.state_file import DashboardState, HaltLatch
from shared_schema.drop_folder.names import halt_name, is_halt_of
from shared_schema.errors import MessageError
from shared_schema.integrity import Key
from shared_schema.messages import Halt, reads_as_halt
from shared_schema.messages.halt import halted_at
from shared_schema.messages.record import decode
from shared_schema.words import say

_KEPT_LIFTED = 50
SHOWN_WITHIN = 1.0
"""Seconds from a halt's coming to the executor to its heartbeat that shows it (contract.md, Halt)."""
_UNDATED = "undated "
"""Before what tells a halt file that doesn't say when it was written: made by hand, it may be made again."""


def latch_seen(
    state: DashboardState, files: Mapping[str, bytes | None], wall: float, key: Key | None = None
) -> DashboardState:
    """``state`` with every halt found latched, and those lifted whose own file now says so.

    A file that is missing changes nothing. ``wall`` is Unix seconds; with ``key`` only a signed file lifts.
    """
    latched = {halt.name: halt for halt in state.halts}
    # A halt made by hand once more is a new one, and looks like the one that was lifted.
    there = {_digest(name, raw) for name, raw in files.items()}
    lifted = tuple(
        known for known in state.lifted if known in there or "" in there or not known.startswith(_UNDATED)
    )
    for name, raw in files.items():
        halted, reason = reads_as_halt(raw, key, name)
        digest = _digest(name, raw)
        known, at = latched.get(name), halted_at(raw)
        if not halted:
            # A rolled-back folder shows the writer's last "resumed" again: that is no resume.
            if known is not None and at >= known.at:
                del latched[name]
        elif _is_among(lifted, digest):
            continue
        elif known is None:
            latched[name] = HaltLatch(name, reason, _writer(name, raw), wall, digest, at=at)
        elif digest and digest != known.digest:
            latched[name] = replace(known, reason=reason, digest=digest, at=max(at, known.at))
    halts = tuple(sorted(latched.values(), key=lambda halt: halt.since))
    changed = replace(state, halts=halts, lifted=lifted)
    return state if changed == state else changed


def follow_executor(state: DashboardState, beat: Beat | None) -> DashboardState:
    """The executor's keyboard lifts every halt it had confirmed: its heartbeat then shows none."""
    if beat is None or not state.halts:
        return state
    if beat.body.halt_since is not None:
        if all(halt.confirmed for halt in state.halts):
            return state
        return replace(state, halts=tuple(replace(halt, confirmed=True) for halt in state.halts))
    gone = [halt for halt in state.halts if halt.confirmed]
    if not gone:
        return state
    lifted = (*state.lifted, *(halt.digest for halt in gone if halt.digest))[-_KEPT_LIFTED:]
    return replace(state, halts=tuple(h for h in state.halts if not h.confirmed), lifted=lifted)


def was_lifted(state: DashboardState, name: str, raw: bytes | None) -> bool:
    """Whether this very file was lifted, though it still lies there."""
    return _is_among(state.lifted, _digest(name, raw))


def halt_sentence(latch: HaltLatch) -> str:
    """Who halted and, where they said it, why."""
    by = latch.by or latch.name
    if not latch.reason:
        return say("dashboard.halted_unexplained", by=by)
    return say("dashboard.halted", by=by, reason=latch.reason)


def halt_by_hand(state: DashboardState, name: str, halt: Halt) -> DashboardState:
    """Latched at once, before the file is even written."""
    if any(latch.name == name for latch in state.halts):
        return state
    latch = HaltLatch(name, halt.reason, halt.by, halt.at, "", at=halt.at)
    return replace(state, halts=(*state.halts, latch))


def is_own(name: str, state: DashboardState, today: str = "") -> bool:
    """Whether ``name`` is a halt of the books' writer, or of the writer of ``today``'s host name."""
    return any(is_halt_of(name, writer) for writer in _writers(state, today))


def own_halts(state: DashboardState, today: str = "") -> list[str]:
    """The names of this host's own halts: the usual one of each of its names, and others in force."""
    usual = [halt_name(writer) for writer in _writers(state, today)]
    return [*usual, *(h.name for h in state.halts if h.name not in usual and is_own(h.name, state, today))]


def unheld_there(
    state: DashboardState, beat: Beat, red_after: float, today: str = ""
) -> tuple[HaltLatch, ...]:
    """The halts of others that ``beat``, of a living executor, shows it does not hold: lifted there, or
    never there.

    A green link brings a file within ``red_after`` seconds, and the executor then says so within one: only
    a heartbeat written later than that tells that it has not merely yet to see the halt.
    """
    if beat.body.halt_since is not None:
        return ()
    seen_by = beat.written_here - red_after - SHOWN_WITHIN
    return tuple(h for h in state.halts if h.since < seen_by and not is_own(h.name, state, today))


def resume_by_hand(
    state: DashboardState, today: str = "", unheld: tuple[HaltLatch, ...] = ()
) -> DashboardState:
    """Lifts this host's own halts and the ``unheld``; their bytes under another name hold nothing either."""
    own = [halt for halt in state.halts if halt in unheld or is_own(halt.name, state, today)]
    lifted = (*state.lifted, *(halt.digest for halt in own if halt.digest))[-_KEPT_LIFTED:]
    return replace(state, halts=tuple(halt for halt in state.halts if halt not in own), lifted=lifted)


def _digest(name: str, raw: bytes | None) -> str:
    """What tells a halt file from later ones; "" where it can't be read just now."""
    if raw is None:
        return ""
    if not raw:
        return _UNDATED + name  # an empty one has nothing but its name
    digest = hashlib.sha256(raw).hexdigest()
    return digest if halted_at(raw) else _UNDATED + digest


def _is_among(lifted: tuple[str, ...], digest: str) -> bool:
    # Books of before 2026-11-21 have an undated file's digest alone.
    return bool(digest) and (digest in lifted or digest.removeprefix(_UNDATED) in lifted)


def _writers(state: DashboardState, today: str) -> list[str]:
    return [state.writer] if today in ("", state.writer) else [state.writer, today]


def _writer(name: str, raw: bytes | None) -> str:
    try:
        return decode(raw or b"", Halt, seed_fields=frozenset(Halt.model_fields)).body.by or name
    except MessageError:
        return name
