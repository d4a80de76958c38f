"""Fault 37: a folder put back to an earlier version holds trading; a single old file does not."""

from __future__ import annotations

from shared_schema.rollback import WITHIN, RollbackWatch
from tests.execution.bench import Bench, alarms, signal_of
from windows_side.execution.events import FolderRolledBack, ResumeTyped


def test_a_folder_put_back_halts_until_a_person_resumes() -> None:
    """Latched over a restart; new orders are refused, the resume at the keyboard lets them in."""
    bench = Bench()
    said = bench.tell(FolderRolledBack())
    assert alarms(said) == ["folder_rolled_back", "halted"]
    bench.restart()
    bench.drop(signal_of("s1"))
    assert bench.result("s1").error_code == "halted" and not bench.submits
    bench.tell(ResumeTyped("compared with the broker", {}))
    bench.drop(signal_of("s2", price=1.19))
    assert bench.state("s2") == "submitted"


def test_only_all_three_going_back_together_is_a_rollback() -> None:
    """Rule 14: one or two old files are zombies; the three within a minute are a restored folder."""
    for missing in ("heartbeat", "results", "slot", ""):
        watch = RollbackWatch()
        for group in ("heartbeat", "results", "slot"):
            watch.look(group, ("e1", 10), 0.0)  # type: ignore[arg-type]
            if group != missing:
                watch.look(group, ("e1", 5), 100.0)  # type: ignore[arg-type]
        assert watch.is_rolled_back(101.0) == (missing == "")


def test_three_that_went_back_far_apart_are_three_zombies() -> None:
    """Each alone says nothing, and neither do three of different hours."""
    watch = RollbackWatch()
    for place, group in enumerate(("heartbeat", "results", "slot")):
        watch.look(group, ("e1", 10), 0.0)  # type: ignore[arg-type]
        watch.look(group, ("e1", 5), 100.0 + place * (WITHIN + 1))  # type: ignore[arg-type]
    assert not watch.is_rolled_back(100.0 + 2 * (WITHIN + 1))


def test_a_new_epoch_is_no_going_back() -> None:
    """Rule 9: a process that made its memory anew begins at one."""
    watch = RollbackWatch()
    for group in ("heartbeat", "results", "slot"):
        watch.look(group, ("e1", 10), 0.0)  # type: ignore[arg-type]
        watch.look(group, ("e2", 1), 1.0)  # type: ignore[arg-type]
    assert not watch.is_rolled_back(1.0)
