"""Halt wins, stays, and ends only by its own writer's newer word or at this keyboard."""

from __future__ import annotations

import hashlib

import orjson
import pytest

from windows_side.execution.halt_latch import OWN, HaltLatch

NAME = "halt.dashboard@mac.json"
ON = b'{"halt": true, "reason": "a", "at": 10.0}'
LATER = b'{"halt": true, "reason": "b", "at": 20.0}'


def off(at: float) -> bytes:
    """The writer resumed."""
    return orjson.dumps({"halt": False, "at": at})


def test_a_halt_is_latched_and_a_missing_file_resumes_nothing() -> None:
    """Rule: once seen, its file may go."""
    latch = HaltLatch().seeing({NAME: ON}, 1.0)
    assert latch.is_halted and latch.since == 1.0 and "a" in latch.reason
    assert latch.seeing({}, 2.0) is latch


def test_seeing_the_same_again_changes_nothing() -> None:
    """No commit a turn."""
    latch = HaltLatch().seeing({NAME: ON}, 1.0)
    assert latch.seeing({NAME: ON}, 2.0) is latch


def test_only_a_file_that_is_not_older_lifts() -> None:
    """A folder rolled back shows the writer's last "resumed" again: that is no resume."""
    latch = HaltLatch().seeing({NAME: ON}, 1.0)
    assert latch.seeing({NAME: off(9.9)}, 2.0).is_halted
    assert not latch.seeing({NAME: off(10.1)}, 2.0).is_halted
    again = latch.seeing({NAME: LATER}, 2.0)
    assert again.since == 1.0 and "b" in again.reason
    assert again.seeing({NAME: off(15.0)}, 3.0).is_halted


def test_another_writers_file_lifts_nothing() -> None:
    """Fault 68: two hosts halting make two halts."""
    latch = HaltLatch().seeing({NAME: ON, "halt.other@pc.json": ON}, 1.0)
    latch = latch.seeing({"halt.other@pc.json": off(30.0)}, 2.0)
    assert latch.is_halted and set(latch.active) == {NAME}


def test_half_a_file_halts_and_its_whole_counts_then() -> None:
    """Unreadable, then readable: one halt, with its reason and time."""
    latch = HaltLatch().seeing({NAME: b'{"ha'}, 1.0).seeing({NAME: None}, 1.5).seeing({NAME: ON}, 2.0)
    assert latch.since == 1.0 and "a" in latch.reason
    assert latch.seeing({NAME: off(5.0)}, 3.0).is_halted


def test_a_resume_here_covers_the_very_files_that_lie_there() -> None:
    """The same bytes do not halt again, others do, also under another name."""
    latch = HaltLatch().seeing({NAME: ON}, 1.0).resumed({NAME: ON})
    assert not latch.is_halted and latch.was_lifted(NAME, ON)
    assert not latch.seeing({NAME: ON}, 2.0).is_halted
    assert latch.seeing({NAME: LATER}, 2.0).is_halted
    assert latch.seeing({"halt.x@y.json": ON}, 2.0).is_halted


@pytest.mark.parametrize("raw", [b"", b"stop\n", b'{"halt": true}'])
def test_a_file_made_by_hand_is_lifted_and_halts_again_when_made_anew(raw: bytes) -> None:
    """``touch control/halt``, or ``echo stop``: nothing but its going tells the lifted one from the next."""
    latch = HaltLatch().seeing({"halt": raw}, 1.0).resumed({"halt": raw})
    assert not latch.seeing({"halt": raw}, 2.0).is_halted
    assert latch.seeing({"halt": raw}, 2.0) is latch
    assert latch.seeing({}, 3.0).seeing({"halt": raw}, 4.0).is_halted


def test_a_ledger_of_before_knows_what_it_lifted() -> None:
    """Undated files had no mark before their digest: what lies there lifted halts no upgraded host."""
    old = {"active": {}, "lifted": {"halt": hashlib.sha256(b"stop\n").hexdigest()}}
    assert not HaltLatch.from_json(old).seeing({"halt": b"stop\n"}, 1.0).is_halted


def test_a_halt_that_came_after_the_look_is_not_lifted() -> None:
    """What a person has not seen is not covered."""
    latch = HaltLatch().seeing({NAME: ON}, 1.0).resumed({NAME: ON})
    assert not latch.was_lifted(NAME, LATER) and not latch.was_lifted("halt.new.json", ON)


def test_a_halt_of_its_own_keeps_its_time() -> None:
    """The same trouble told again is the same halt."""
    latch = HaltLatch().halting("over-fill", 1.0)
    assert latch.halting("over-fill", 9.0) is latch
    assert latch.halting("another", 9.0).active[OWN].reason == "another"
    assert not latch.resumed({}).is_halted


def test_the_ledger_keeps_all_of_it() -> None:
    """Also as an older version wrote it, without the time of the writer."""
    latch = HaltLatch().seeing({NAME: ON}, 1.0).resumed({NAME: ON}).seeing({NAME: LATER}, 2.0)
    assert HaltLatch.from_json(orjson.loads(orjson.dumps(latch.to_json()))) == latch
    assert HaltLatch.from_json({}) == HaltLatch()
    assert HaltLatch.from_json({"active": {NAME: [1.0, "a", "d"]}}).is_halted
