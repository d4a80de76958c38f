"""The risk: a producer that dies, or shows stale quotes as fresh, when source, account or folder fails."""

from __future__ import annotations

from pathlib import Path

from shared_schema.clock import Moment
from shared_schema.drop_folder.names import signal_name
from shared_schema.ids import SignalId
from shared_schema.messages import Account, decode_account
from tests.producer.world import CODE, EPOCH, WALL, Scripted, World, at, quote_data, two_days
from windows_side.producer import Pace
from windows_side.quotes.gate import Hold
from windows_side.quotes.replay import AS_FAST_AS_POSSIBLE, ReplaySource
from windows_side.quotes.resume import resume_time
from windows_side.quotes.tape import read_tape


def replay(folder: Path, speed: float = AS_FAST_AS_POSSIBLE) -> ReplaySource:
    return ReplaySource([read_tape(two_days(folder), CODE)], speed)


def test_every_step_reaches_the_folder_on_two_clocks(tmp_path: Path) -> None:
    """Each step is one file: market time of the replay, wall time of the host, day and mode of the replay."""
    world = World(tmp_path / "x", replay(tmp_path))
    received = world.each_quote()
    assert len(received) == 1 + 4 * 4 + 1 + 1
    for number, quote in enumerate(received, start=1):
        envelope = quote.envelope
        assert envelope is not None
        assert (envelope.seq, envelope.epoch, envelope.mode) == (number, EPOCH, "simulate")
        assert envelope.trading_day == "2024-01-03"
        assert WALL <= envelope.written_at < WALL + 10
    times = [quote.envelope.market_time for quote in received if quote.envelope]
    assert times[4] == at("2024-01-03T09:31:00")


def test_the_seed_fields_speak_of_the_first_code(tmp_path: Path) -> None:
    """A reader of the old format finds code, price, preClose, history, position and a time that moves."""
    last = World(tmp_path / "x", replay(tmp_path)).each_quote()[4].body
    assert (last.code, last.price, last.preClose, last.time) == (CODE, 10.2, 10.0, "09:31:00")
    assert last.history == (10.0, 10.0, 10.2)
    assert (last.position.volume, last.position.can_use_volume, last.position.open_price) == (2000, 2000, 9.5)
    assert last.position == last.positions[CODE]
    assert last.complete


def test_the_same_replay_gives_the_same_bytes(tmp_path: Path) -> None:
    """With one clock and epoch two runs publish identical files."""
    first = [quote.raw for quote in World(tmp_path / "1", replay(tmp_path)).each_quote()]
    second = [quote.raw for quote in World(tmp_path / "2", replay(tmp_path)).each_quote()]
    assert first == second


def test_the_account_is_there_before_the_market_moves(tmp_path: Path) -> None:
    """A simulated executor can begin with the base position: it stands in the first snapshot."""
    world = World(tmp_path / "x", replay(tmp_path))
    world.producer.round()
    raw = world.folder.read_large("account_snapshot.json")
    assert raw is not None
    received = decode_account(raw)
    account = received.body.accounts["main"]  # type: ignore[index]
    assert received.envelope is not None and received.envelope.mode == "simulate"
    assert (account.asset.cash, account.positions[CODE].can_use_volume) == (1000.0, 2000)
    assert account.asset.total_asset == 1000.0 + 2000 * 10.0
    assert account.complete


def test_a_source_that_raises_leaves_incomplete_quotes_with_their_old_tick_time(tmp_path: Path) -> None:
    """Failing, the file says complete false and keeps its tick's time; recovery makes it whole."""
    source = Scripted([quote_data(10.0, WALL), ConnectionError("terminal gone"), quote_data(10.1, WALL + 2)])
    world = World(tmp_path / "x", source)
    world.producer.round()
    assert world.quote().body.complete
    world.clock.now = WALL + 0.5
    world.producer.round()
    failing = world.quote().body
    assert not failing.complete
    assert failing.quotes[CODE].tick_time == WALL
    assert world.heartbeat().body.state == "source_failed"
    assert not world.heartbeat().body.ready
    world.clock.now = WALL + 2
    world.producer.round()
    recovered = world.quote().body
    assert recovered.complete
    assert (recovered.price, recovered.quotes[CODE].tick_time) == (10.1, WALL + 2)
    assert world.heartbeat().body.state == "running"
    assert [a for a in world.told.actions if a.startswith("source_")] == ["source_failed", "source_recovered"]
    states = [line.sentence for line in world.told.lines if line.action == "producer_state"]
    assert states[-2:] == ["行情桥状态：行情来源出错", "行情桥状态：运行中"]


def test_a_source_that_goes_on_failing_is_asked_less_and_less_and_said_once(tmp_path: Path) -> None:
    """The pauses double up to 30 s: in two minutes it is asked 8 times, and logged once."""
    source = Scripted([RuntimeError("no") for _ in range(1000)])
    world = World(tmp_path / "x", source)
    for second in range(121):
        world.clock.now = WALL + second
        world.producer.round()
    assert 1000 - len(source.answers) == 8
    assert world.told.actions.count("source_failed") == 1
    assert world.folder.read_large("shared_quote.json") is None, "nothing was known, nothing is shown"


class FailingAccount:
    """Answers once, then not at all, then raises."""

    def __init__(self) -> None:
        self.calls = 0

    def account(self, now: Moment, prices: object) -> Account | None:
        self.calls += 1
        if self.calls == 1:
            return Account(queried_at=now.wall)
        if self.calls == 2:
            return None
        raise TimeoutError("query")


def test_an_account_that_does_not_answer_is_incomplete_not_empty(tmp_path: Path) -> None:
    """Quotes and snapshot say complete false; the time of the last good query stays."""
    world = World(tmp_path / "x", Scripted([quote_data(10.0, WALL)]), account=FailingAccount())
    world.producer.round()
    for second in (1, 2, 3):
        world.clock.now = WALL + second
        world.producer.round()
        assert not world.quote().body.complete
        raw = world.folder.read_large("account_snapshot.json")
        assert raw is not None
        account = decode_account(raw).body.accounts["main"]  # type: ignore[index]
        assert (account.complete, account.queried_at) == (False, WALL)
    assert world.told.actions.count("account_failed") == 1


def test_a_folder_that_fails_loses_no_step(tmp_path: Path) -> None:
    """The replay stands still while nothing can be written, and goes on with the very next step."""
    world = World(tmp_path / "x", replay(tmp_path))
    world.producer.round()
    world.producer.round()
    assert world.quote().body.time == "09:30:03"
    world.disk.broken = True
    for second in (1, 2, 3):
        world.clock.now = WALL + second
        world.producer.round()
    assert world.producer.state == "folder_failed"
    world.disk.broken = False
    world.clock.now = WALL + 20
    world.producer.round()
    assert world.quote().body.time == "09:30:20"
    world.producer.round()
    assert world.heartbeat().body.state == "running"
    said = [action for action in world.told.actions if action.startswith("folder_")]
    assert said == ["folder_failed", "folder_works_again"]


def test_a_quote_nobody_renews_is_published_again_with_its_old_tick(tmp_path: Path) -> None:
    """The file's clock goes on each interval, so that a dead producer is told from a quiet market."""
    world = World(tmp_path / "x", Scripted([quote_data(10.0, WALL)]))
    world.producer.round()
    first = world.quote()
    world.clock.now = WALL + 0.9
    world.producer.round()
    assert world.quote().raw == first.raw
    world.clock.now = WALL + 1.0
    world.producer.round()
    again = world.quote()
    assert again.envelope is not None and again.envelope.written_at == WALL + 1.0
    assert again.body.quotes[CODE].tick_time == WALL


def test_it_stops_with_a_last_heartbeat(tmp_path: Path) -> None:
    """Asked to stop, it says so in its heartbeat and closes the source, even one that fails to close."""
    source = Scripted([quote_data(10.0, WALL)])
    world = World(tmp_path / "x", source)
    world.producer.run(lambda seconds: True)
    assert source.stopped
    assert (world.heartbeat().body.state, world.heartbeat().body.ready) == ("stopped", False)
    assert world.told.actions[-1] == "producer_stopped"


def test_the_market_clock_starts_with_its_readers(tmp_path: Path) -> None:
    """Until executor and dashboard are there the first quote stands; a heartbeat of yesterday is nobody."""
    world = World(tmp_path / "x", replay(tmp_path), hold=Hold(("executor", "dashboard"), wait_at_most=30.0))
    world.clock.now = WALL - 1000
    world.beat("dashboard")
    world.clock.now = WALL
    world.beat("executor")
    for second in (0, 1, 2):
        world.clock.now = WALL + second
        world.producer.round()
    assert world.quote().body.time == "09:29:57"
    assert world.heartbeat().body.state == "waiting_for_readers"
    assert world.heartbeat().body.seen["heartbeat/executor-other"].seq == 2
    world.beat("dashboard", ready=False, seen_seq=1, seq=5)
    world.producer.round()
    assert world.quote().body.time == "09:30:03"
    assert [line.fields["roles"] for line in world.told.lines if line.action == "waiting_for_readers"] == [
        "dashboard"
    ]


def test_readers_that_never_come_hold_it_only_so_long(tmp_path: Path) -> None:
    """After the time-out it starts alone, and says whom it missed."""
    world = World(tmp_path / "x", replay(tmp_path), hold=Hold(("executor",), wait_at_most=30.0))
    world.producer.round()
    world.producer.round()
    world.clock.now = WALL + 30
    world.producer.round()
    assert world.quote().body.time == "09:30:03"
    alone = [line for line in world.told.lines if line.action == "replay_started_alone"]
    assert [line.fields["missing"] for line in alone] == ["executor"]


def test_lockstep_waits_for_the_dashboard_and_not_for_ever(tmp_path: Path) -> None:
    """No step without the dashboard having seen the one before; a dead one holds it for 10 s once."""
    world = World(tmp_path / "x", replay(tmp_path), hold=Hold(lockstep=True), pace=Pace(quote_interval=1.0))
    world.producer.round()
    for tenth in range(15):
        world.clock.now = WALL + tenth / 10
        world.producer.round()
    assert world.quote().body.time == "09:29:57"
    world.beat("dashboard", seen_seq=1)  # the file was renewed meanwhile: seeing the first is enough
    world.producer.round()
    assert world.quote().body.time == "09:30:03"
    shown = world.quote().envelope
    assert shown is not None
    world.producer.round()
    assert world.quote().body.time == "09:30:03"
    world.beat("dashboard", seen_seq=shown.seq, seq=7)
    world.producer.round()
    assert world.quote().body.time == "09:30:20"
    world.clock.now += 10.0
    world.producer.round()
    world.producer.round()
    assert world.quote().body.time == "09:31:00", "lost: it goes on without waiting"
    assert world.told.actions.count("lockstep_lost") == 1


def test_lockstep_waits_for_a_slow_executor(tmp_path: Path) -> None:
    """No step while a signal waits for a living executor; one that is gone holds nobody."""
    world = World(tmp_path / "x", replay(tmp_path), hold=Hold(lockstep=True), pace=Pace(quote_interval=1.0))
    world.producer.round()
    world.beat("executor")
    world.beat("dashboard", seen_seq=1)
    world.folder.publish(signal_name(SignalId("slow")), b"{}")
    world.producer.round()
    assert world.quote().body.time == "09:29:57"
    world.folder.remove(signal_name(SignalId("slow")))
    world.producer.round()
    assert world.quote().body.time == "09:30:03"
    world.folder.publish(signal_name(SignalId("late")), b"{}")
    world.clock.now += 6.0
    shown = world.quote().envelope
    assert shown is not None
    world.beat("dashboard", seen_seq=shown.seq, seq=2)
    world.producer.round()
    assert world.quote().body.time == "09:30:20", "its heartbeat is old"


def test_a_role_named_twice_is_waited_for_twice(tmp_path: Path) -> None:
    """Two strategies: the market does not begin with the first dashboard alone."""
    hold = Hold(("executor", "dashboard", "dashboard"))
    world = World(tmp_path / "x", replay(tmp_path), hold=hold)
    world.producer.round()
    world.beat("executor")
    world.beat("dashboard")
    world.producer.round()
    assert world.quote().body.time == "09:29:57"
    world.beat("dashboard", instance="second")
    world.producer.round()
    assert world.quote().body.time == "09:30:03"


def test_a_killed_replay_is_resumed_and_a_stopped_one_is_not(tmp_path: Path) -> None:
    """Market time never runs back under the readers of a replay whose producer was killed."""
    world = World(tmp_path / "x", replay(tmp_path))
    instance = world.producer._identity.instance
    for _ in range(5):
        world.producer.round()
    killed = resume_time(world.folder, instance, (CODE,), "2024-01-03")
    assert killed == at("2024-01-03T09:31:00")
    assert resume_time(world.folder, instance, (CODE,), "2024-01-02") is None
    world.producer.finish()
    assert resume_time(world.folder, instance, (CODE,), "2024-01-03") is None


def test_a_ring_takes_turns(tmp_path: Path) -> None:
    """With a ring every quote also lies under the next of the ring's names."""
    world = World(tmp_path / "x", replay(tmp_path), pace=Pace(quote_ring=8))
    last = world.each_quote()[-1]
    assert last.envelope is not None
    assert world.folder.read_large(f"shared_quote.{last.envelope.seq % 8}.json") == last.raw
    assert len([f for f in world.folder.scan() if f.name.text.startswith("shared_quote.")]) == 1 + 8


def test_a_clock_set_back_keeps_nothing_waiting(tmp_path: Path) -> None:
    """Fault 40: heartbeat, account and quotes go on at once, not when the old hour has come again."""
    source = Scripted([quote_data(10.0, WALL), ConnectionError("terminal gone"), quote_data(10.1, WALL)])
    world = World(tmp_path / "x", source)
    world.producer.round()
    before = world.heartbeat().envelope
    world.clock.now = WALL - 3600
    world.producer.round()
    after = world.heartbeat().envelope
    assert before is not None and after is not None
    assert (after.seq > before.seq, after.written_at) == (True, WALL - 3600)
    assert world.heartbeat().body.state == "source_failed"
    world.clock.now = WALL - 3602
    world.producer.round()
    assert (world.quote().body.price, world.quote().body.complete) == (10.1, True)
    account = world.folder.read_large("account_snapshot.json")
    assert account is not None
    assert decode_account(account).envelope.written_at == WALL - 3602  # type: ignore[union-attr]


def test_a_signal_nobody_here_takes_costs_the_lockstep_its_patience_once(tmp_path: Path) -> None:
    """One addressed to another executor lies there for ever: lockstep with the dashboard goes on."""
    hold = Hold(lockstep=True)
    world = World(tmp_path / "x", replay(tmp_path), hold=hold, pace=Pace(quote_interval=1.0))
    world.folder.publish(signal_name(SignalId("elsewhere")), b"{}")
    world.producer.round()

    def seen(seq: int) -> None:
        shown = world.quote().envelope
        assert shown is not None
        world.beat("executor", seq=seq)
        world.beat("dashboard", seen_seq=shown.seq, seq=seq)

    seen(1)
    world.clock.now += hold.lockstep_at_most
    seen(2)
    world.producer.round()
    assert world.told.actions.count("lockstep_lost") == 1
    assert world.quote().body.time == "09:30:03"
    world.producer.round()
    assert world.quote().body.time == "09:30:03", "the dashboard lives and has not seen this step"
    seen(3)
    world.producer.round()
    assert world.quote().body.time == "09:30:20"
