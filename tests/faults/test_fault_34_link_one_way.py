"""Fault 34: an executor that hears nothing of a writer refuses its new orders and still cancels."""

from __future__ import annotations

from shared_schema.ids import InstanceId
from shared_schema.link_health import Beat, Skew
from shared_schema.messages import Heartbeat
from tests.execution.bench import Bench, alarms, envelope_of, of_kind, signal_of
from windows_side.execution.actions import CancelAtBroker
from windows_side.execution.events import BeatsSeen


def beat(bench: Bench, *, skew: Skew | None = None) -> BeatsSeen:
    """The dashboard's heartbeat, written and seen now."""
    body = Heartbeat(role="dashboard", instance=InstanceId("dash"), ready=True, state="running")
    now = bench.now.wall
    head = envelope_of(written_at=now + (skew.offset if skew else 0.0))
    return BeatsSeen((Beat(body, head, now, now, skew),))


def test_a_silent_writer_places_nothing_and_its_cancels_run() -> None:
    """Red after five seconds: ``link_down``, while a cancel of a live order reaches the broker."""
    bench = Bench()
    bench.tell(beat(bench))
    bench.drop(signal_of("s1"))
    bench.placed("s1")
    said = bench.pass_time(6)
    assert alarms(said) == ["link_down"]
    bench.drop(signal_of("s2", price=1.19, timestamp=bench.now.wall))
    assert bench.result("s2").error_code == "link_down" and len(bench.submits) == 1
    cancel = signal_of("c1", action="cancel", target_signal_id="s1", timestamp=bench.now.wall)
    assert of_kind(bench.drop(cancel), CancelAtBroker)


def test_its_return_lets_orders_in_again() -> None:
    """A new heartbeat is enough; nobody has to resume."""
    bench = Bench()
    bench.tell(beat(bench))
    bench.pass_time(60)
    bench.quote()
    bench.tell(beat(bench))
    bench.drop(signal_of("s1", timestamp=bench.now.wall))
    assert bench.state("s1") == "submitted"


def test_a_writer_known_before_the_restart_is_silent_until_its_next_heartbeat() -> None:
    """The executor remembers who has a heartbeat: a restart is no way around a lost link."""
    bench = Bench()
    bench.tell(beat(bench))
    bench.restart()
    bench.drop(signal_of("s1"))
    assert bench.result("s1").error_code == "link_down"


def test_a_writer_without_a_heartbeat_is_bound_by_expiry_alone() -> None:
    """Scripts and the seed's format have none."""
    bench = Bench()
    bench.drop(signal_of("s1"))
    assert bench.state("s1") == "submitted"
