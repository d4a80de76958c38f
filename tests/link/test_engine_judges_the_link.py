"""The dashboard says which direction is late and sends nothing over a lost or skewed link."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mac_side.bridge_client.link import Beat
from mac_side.engine_core import EngineCore
from mac_side.engine_events import BeatsSeen, OperatorSaid, StampsSeen, Tick, WriteHeartbeat
from mac_side.engine_view import make_view
from mac_side.screen.notices import notices
from mac_side.screen_commands import Command
from shared_schema.clock import Moment
from shared_schema.ids import Epoch
from shared_schema.link_health import Skew, beat_stream
from shared_schema.messages import Seen
from tests.mac_side.world import account, at, beats, core, moment, quote

OWN = beat_stream("dashboard", "dash")


def later(now: Moment, seconds: float) -> Moment:
    """Some seconds on, on both clocks."""
    return Moment(now.wall + seconds, now.market + seconds)


def executor(now: Moment, *, echo: float | None = None, ahead: float = 0.0) -> BeatsSeen:
    """The executor's heartbeat, come now; ``echo``: when ours was written that it had by then."""
    seen = {} if echo is None else {
        OWN: Seen(epoch=Epoch("d"), seq=1, written_at=echo, received_at=echo + ahead + 0.2)
    }  # fmt: skip
    (plain,) = beats(now, seen=seen).beats
    head = plain.envelope.model_copy(update={"written_at": now.wall + ahead})
    skew = Skew(ahead, 0.2) if echo is not None else None
    return BeatsSeen((replace(plain, envelope=head, alive_at=now.wall, skew=skew),))


def running() -> tuple[EngineCore, Moment]:
    """An engine that has written its first heartbeat and may send."""
    engine, now = core(), moment("10:00:30")
    engine.begin(now)
    engine.handle(executor(now, echo=now.wall), now)
    engine.handle(account(now, 0, 0), now)
    engine.handle(quote(now, 1.06), now)
    assert engine.held is None
    return engine, now


def test_the_way_there_is_lost_though_heartbeats_still_come() -> None:
    """Fault 34: the executor lives and has had nothing of ours for longer than the red limit."""
    engine, began = running()
    now = later(began, 8)
    engine.handle(executor(now, echo=began.wall), now)
    engine.handle(Tick(), now)
    assert engine.held is not None and engine.held.word == "link_out"
    view = make_view(engine, now)
    assert (view.link.lost_in, view.link.lost_out) == (False, True)
    assert view.link.sent_age == pytest.approx(8) and view.link.sync_age_back == pytest.approx(0.2)
    assert notices(view)[0].kind == "lost_out"
    now = later(now, 2)
    engine.handle(executor(now, echo=now.wall - 1), now)
    engine.handle(Tick(), now)
    assert engine.held is None, "I10: it ends when the link is back"
    assert not any(notice.kind == "lost_out" for notice in notices(make_view(engine, now)))


def test_the_way_back_is_lost_when_no_heartbeat_comes() -> None:
    """Then nothing is known of the way there: only the red heartbeat is said."""
    engine, began = running()
    now = later(began, 8)
    engine.handle(Tick(), now)
    assert engine.held is not None and engine.held.word == "executor_red"
    view = make_view(engine, now)
    assert (view.link.lost_in, view.link.lost_out) == (True, False)
    assert view.link.executor_age == pytest.approx(8)


def test_an_echo_of_a_former_life_is_no_lost_way() -> None:
    """A dashboard started again waits for no round trip: its own time began only now."""
    engine, now = core(), moment("10:00:30")
    engine.begin(now)
    engine.handle(executor(now, echo=now.wall - 3600), now)
    assert not engine.health(now).outward.lost


def test_a_dashboard_never_heard_there_is_told_so() -> None:
    """The executor names the heartbeats it has; ours is none of them for longer than the limit."""
    engine, began = core(), moment("10:00:30")
    engine.begin(began)
    now = later(began, 6)
    (plain,) = executor(now).beats
    other = {beat_stream("producer", "p"): Seen(epoch=Epoch("p"), seq=1, received_at=now.wall)}
    body = plain.body.model_copy(update={"seen": other})
    engine.handle(BeatsSeen((replace(plain, body=body),)), now)
    assert engine.health(now).outward.lost


@pytest.mark.parametrize("ahead", [-300.0, -31.0, 31.0, 300.0])
def test_clocks_too_far_apart_send_nothing(ahead: float) -> None:
    """Fault 39: the skew is shown with what it is known to within, and is no red heartbeat."""
    engine, began = running()
    now = later(began, 1)
    engine.handle(executor(now, echo=began.wall, ahead=ahead), now)
    engine.handle(Tick(), now)
    assert engine.held is not None and engine.held.word == "clock_skew"
    view = make_view(engine, now)
    assert (view.link.skew, view.link.skew_blind) == (ahead, pytest.approx(0.1))
    assert view.link.executor_age == pytest.approx(0.1, abs=0.2)


@pytest.mark.parametrize("ahead", [-25.0, 25.0])
def test_a_skew_below_the_limit_makes_nobody_red(ahead: float) -> None:
    """The red limit is 5 s: heartbeats are dated on our clock."""
    engine, began = running()
    now = later(began, 1)
    engine.handle(executor(now, echo=began.wall, ahead=ahead), now)
    engine.handle(Tick(), now)
    assert engine.held is None


def test_quotes_are_dated_by_their_writers_clock() -> None:
    """A producer 200 s behind: its quotes are 100 s old and not 300."""
    engine, began = running()
    producer = beats(began, role="producer", instance="p").beats[0]
    skewed = replace(producer, skew=Skew(-200.0, 0.0))
    now = later(began, 150)
    stamp = Moment(now.wall - 300, now.market - 300)
    engine.handle(BeatsSeen((*executor(now, echo=now.wall).beats, skewed)), now)
    engine.quote = replace(engine.quote, envelope=quote(stamp, 1.06).received.envelope)  # type: ignore[type-var]
    assert make_view(engine, now).link.quote_age == pytest.approx(100)


def old_stamps(*, heartbeat: bool = True, results: int = 3, slot: int = 3) -> StampsSeen:
    """What a restored folder shows."""
    return StampsSeen(heartbeat, ("l1", results), ("l1", slot))


def test_a_folder_put_back_halts_and_is_lifted_here() -> None:
    """Rule 14: latched in the books under our own name; the screen's resume lifts it."""
    engine, now = running()
    engine.handle(old_stamps(heartbeat=False, results=9, slot=9), now)
    engine.handle(old_stamps(), later(now, 1))
    engine.handle(Tick(), later(now, 1))
    assert engine.held is not None and engine.held.word == "halted"
    assert [latch.name for latch in engine.state.halts] == ["halt.dashboard@mac.json"]
    assert "rolled_back" in engine.alarms
    resume = Command(kind="resume", argument="compared", by="me", at=now.wall + 2)
    engine.handle(executor(later(now, 2), echo=now.wall + 1), later(now, 2))
    engine.handle(OperatorSaid(resume), later(now, 2))
    assert not engine.state.halts and "rolled_back" not in engine.alarms


@pytest.mark.parametrize(
    "seen",
    [old_stamps(heartbeat=False), old_stamps(results=9), old_stamps(slot=9)],
    ids=["no heartbeat", "no result", "no slot"],
)
def test_one_or_two_old_files_halt_nothing(seen: StampsSeen) -> None:
    """A zombie is consumed again without effect."""
    engine, now = running()
    engine.handle(old_stamps(heartbeat=False, results=9, slot=9), now)
    engine.handle(seen, later(now, 1))
    assert not engine.state.halts


def test_results_put_away_after_the_close_are_no_rollback() -> None:
    """The executor moves applied results into the archive; two zombies beside that hold nothing."""
    engine, now = running()
    engine.handle(old_stamps(heartbeat=False, results=9, slot=9), now)
    night = Moment(at("20:00:00"), at("20:00:00"))
    engine.handle(StampsSeen(True, None, ("l1", 3)), night)
    assert not engine.state.halts


def test_the_first_heartbeat_names_those_it_has_heard() -> None:
    """The echo the other side measures with: stamp, writing and coming of its newest heartbeat."""
    engine, now = running()
    (command,) = engine.begin(now)
    assert isinstance(command, WriteHeartbeat)
    echo = command.body.seen[beat_stream("executor", "executor-one")]
    assert (echo.seq, echo.received_at) == (1, now.wall)
    assert isinstance(engine.link.executors[0], Beat)
