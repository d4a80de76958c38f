"""Faults 35 and 36: of two executors over one folder only the one a signal names executes it."""

from __future__ import annotations

from shared_schema.ids import InstanceId
from tests.execution.bench import INSTANCE, Bench, alarms, rules_of, signal_of
from windows_side.execution.actions import Say

OLD = InstanceId("simulate-0000dead")


def test_the_one_that_is_not_named_neither_places_nor_moves_nor_answers() -> None:
    """A clone or an old one that woke up: it says so once and leaves the file to the other."""
    old, ours = Bench(rules_of(instance=OLD)), Bench(rules_of(instance=INSTANCE))
    signal = signal_of("s1")
    said = old.drop(signal) + old.drop(signal)
    assert alarms(said) == ["addressed_elsewhere"] and all(isinstance(action, Say) for action in said)
    ours.drop(signal)
    assert (len(old.submits), len(ours.submits)) == (0, 1)


def test_a_clone_of_the_same_instance_that_traded_holds_the_other() -> None:
    """It can't be prevented, so it is detected: its order carries our tag and stands in no row of ours."""
    clone, ours = Bench(), Bench()
    clone.drop(signal_of("s1"))
    clone.placed("s1")
    said = ours.day(clone.seen_order("s1"))
    assert alarms(said)[:1] == ["ledger_put_back"]
    ours.drop(signal_of("s2", price=1.19))
    assert not ours.submits
