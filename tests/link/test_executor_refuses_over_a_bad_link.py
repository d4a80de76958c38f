"""Over a silent or skewed link no new order starts, cancels still run, and it ends when the link is back."""

from __future__ import annotations

import pytest

from shared_schema.ids import InstanceId
from shared_schema.link_health import Beat, Skew
from shared_schema.messages import Heartbeat, OrderSignal
from tests.execution.bench import OPEN_AT, Bench, alarms, envelope_of, of_kind, rules_of, signal_of
from windows_side.execution.actions import CancelAtBroker, Say
from windows_side.execution.events import BeatsSeen, FolderRolledBack, ResumeTyped

FIRST = "BUY_159201.SZ_L1_00000001"
SECOND = "BUY_159201.SZ_L2_00000002"


def beat(bench: Bench, *, ahead: float | None = None, blind: float = 0.1, **envelope: object) -> Beat:
    """The dashboard's heartbeat of this moment; ``ahead``: its clock, known to ``blind`` seconds."""
    now = bench.now.wall
    body = Heartbeat(role="dashboard", instance=InstanceId("d1"), ready=True, state="running")
    head = envelope_of(written_at=now + (ahead or 0.0), **envelope)
    return Beat(body, head, now, now, None if ahead is None else Skew(ahead, 2 * blind))


def live(bench: Bench, **known: object) -> None:
    """The dashboard shows life now."""
    bench.tell(BeatsSeen((beat(bench, **known),)))  # type: ignore[arg-type]


def later(bench: Bench, **changes: object) -> OrderSignal:
    """Another intention, decided now."""
    plain = {"shares": 2000, "layer_index": 1, "timestamp": bench.now.wall}
    return signal_of(SECOND, **(plain | changes))


def words(bench: Bench) -> list[str]:
    """What the core said."""
    return [action.action for action in bench.actions if isinstance(action, Say)]


def test_a_silent_writer_places_nothing_new() -> None:
    """Fault 34: its heartbeat is red, so its order is refused as link_down, with an alarm told once."""
    bench = Bench()
    live(bench)
    said = [word for _ in range(8) for word in alarms(bench.pass_time(1))]
    assert said == ["link_down"]
    bench.drop(later(bench))
    assert bench.result(SECOND).error_code == "link_down"
    assert not bench.submits


def test_the_link_coming_back_ends_it() -> None:
    """I10: when the fault stops, orders go again and it is said."""
    bench = Bench()
    live(bench)
    bench.pass_time(60)
    live(bench)
    bench.drop(later(bench))
    assert bench.state(SECOND) == "submitted"
    assert words(bench).count("link_up") == 2


def test_cancels_run_while_the_link_is_down() -> None:
    """Taking back is never refused for a silent writer."""
    bench = Bench()
    live(bench)
    bench.drop(signal_of())
    bench.placed(FIRST)
    bench.pass_time(60)
    actions = bench.drop(signal_of("c1", action="cancel", target_signal_id=FIRST))
    assert len(of_kind(actions, CancelAtBroker)) == 1


def test_a_script_without_a_heartbeat_is_bound_by_expiry_alone() -> None:
    """Only writers that ever had a heartbeat can be silent."""
    bench = Bench()
    live(bench, writer="other@mac")
    bench.pass_time(60)
    bench.drop(later(bench))
    assert bench.state(SECOND) == "submitted"


def test_a_restart_remembers_who_has_a_heartbeat() -> None:
    """The heartbeat's file gone and the executor new: the writer is silent, not unknown."""
    bench = Bench()
    live(bench)
    bench.restart()
    bench.drop(later(bench))
    assert bench.result(SECOND).error_code == "link_down"


def test_a_heartbeat_of_another_mode_speaks_for_nobody_here() -> None:
    """A live dashboard's heartbeat says nothing of this simulated account's writer."""
    bench = Bench()
    live(bench, mode="live")
    bench.pass_time(60)
    bench.drop(later(bench))
    assert bench.state(SECOND) == "submitted"


def test_an_offline_folder_only_lives_without_heartbeats() -> None:
    """There the phases of a dry run follow each other, and the dashboard has ended before."""
    bench = Bench(rules_of(offline=True))
    live(bench)
    bench.pass_time(60)
    bench.drop(later(bench))
    assert bench.state(SECOND) == "submitted"


@pytest.mark.parametrize("ahead", [-300.0, -31.0, 31.0, 300.0])
def test_clocks_too_far_apart_place_nothing(ahead: float) -> None:
    """Fault 39: measured, said, and refused above the limit; red it is not, its heartbeats arrive."""
    bench = Bench()
    live(bench, ahead=ahead)
    bench.drop(later(bench, timestamp=bench.now.wall + ahead))
    assert bench.result(SECOND).error_code == "clock_skew"
    assert "clock_skew" in words(bench)
    live(bench, ahead=0.0)
    assert "clock_agrees" in words(bench)


def test_what_delay_can_explain_refuses_nothing() -> None:
    """Blind below half the round trip: 50 s measured over 60 s each way are no skew."""
    bench = Bench()
    live(bench, ahead=50.0, blind=60.0)
    bench.drop(later(bench))
    assert bench.state(SECOND) == "submitted"


@pytest.mark.parametrize("ahead", [-20.0, 20.0])
def test_expiry_is_judged_on_the_writers_clock(ahead: float) -> None:
    """A signal of 300 s lives 300 s, however the two clocks stand; the worker's guard agrees."""
    bench = Bench()
    live(bench, ahead=ahead)
    bench.now = type(bench.now)(bench.now.wall + 299, bench.now.market + 299)
    bench.quote()
    live(bench, ahead=ahead)
    bench.drop(later(bench, timestamp=OPEN_AT + ahead))
    assert bench.state(SECOND) == "submitted"
    assert bench.submits[0].expires_at == pytest.approx(OPEN_AT + 300, abs=0.2)
    bench.now = type(bench.now)(bench.now.wall + 2, bench.now.market + 2)
    live(bench, ahead=ahead)
    bench.drop(signal_of("BUY_159201.SZ_L3_00000003", shares=3000, timestamp=OPEN_AT + ahead))
    assert bench.state("BUY_159201.SZ_L3_00000003") == "expired"


def test_a_signal_from_the_future_is_judged_after_correction() -> None:
    """A clock 25 s ahead and a signal 20 s ahead of it: 45 s by ours, 20 s by its own."""
    bench = Bench()
    live(bench, ahead=25.0)
    bench.drop(later(bench, timestamp=bench.now.wall + 45))
    assert bench.state(SECOND) == "submitted"
    bench.drop(signal_of("x", shares=3000, layer_index=3, timestamp=bench.now.wall + 60))
    assert bench.result("x").error_code == "from_future"


def test_the_producers_clock_corrects_the_quotes_age() -> None:
    """Quotes of a host whose clock runs 25 s behind look old and are not."""
    bench = Bench()
    body = Heartbeat(role="producer", instance=InstanceId("p"), ready=True, state="running")
    head = envelope_of(written_at=OPEN_AT - 25, writer="producer@win")
    bench.quote(tick_time=0.0)
    bench.pass_time(290)
    age = bench.core.quote_age("159201.SZ", bench.now)
    bench.tell(BeatsSeen((Beat(body, head, OPEN_AT, OPEN_AT, Skew(-25.0, 0.0)),)))
    assert (age, bench.core.quote_age("159201.SZ", bench.now)) == (290, 265)


def test_a_folder_put_back_halts_until_a_person_resumes() -> None:
    """Its own reason, kept over a restart, lifted at the keyboard; the newest result is shown again."""
    bench = Bench()
    bench.drop(signal_of(FIRST, price=99.0))
    actions = bench.tell(FolderRolledBack())
    assert alarms(actions) == ["folder_rolled_back", "halted"]
    assert bench.published[-1].signal_id == FIRST and bench.published[-1].status == "failed"
    bench.restart()
    assert "rolled_back" in bench.core.halt_reason
    bench.drop(later(bench))
    assert bench.result(SECOND).error_code == "halted"
    bench.tell(ResumeTyped("operator@win: compared", {}))
    bench.drop(signal_of("z", shares=3000, layer_index=3, timestamp=bench.now.wall))
    assert bench.state("z") == "submitted"
