"""A way lost for hours: signals stay in the outbox, are offered again, and end by the executor's word."""

from __future__ import annotations

from pathlib import Path

import pytest

from mac_side.engine import Engine
from mac_side.screen_commands import Command, write_command
from shared_schema.clock import Moment
from shared_schema.drop_folder import classify
from shared_schema.drop_folder.names import RESULTS_FOLDER, SIGNAL_SLOT, result_name
from shared_schema.ids import SignalId
from shared_schema.messages import decode_heartbeat, encode
from shared_schema.sessions import trading_day_of
from tests.execution.bench import Bench, rules_of
from tests.mac_side.test_engine_over_a_folder import Desk, anchored
from windows_side.execution.actions import Archive, CancelAtBroker
from windows_side.execution.events import FileSeen


class Link:
    """A real engine over its folder on one side, the executor's core on the other; ways open and close."""

    def __init__(self, tmp_path: Path) -> None:
        self.desk = Desk(tmp_path)
        self.engine: Engine = anchored(self.desk)
        self.bench = Bench(rules_of(instance=self.desk.executor.instance))
        self.answered = 0

    def fall(self) -> SignalId:
        """The price falls by a layer: the engine decides; the id of its signal."""
        self.desk.clock += 60
        self.desk.quote(1.05)
        self.desk.turn(self.engine)
        (entry,) = self.core.state.outbox.open
        return entry.signal_id

    @property
    def core(self):  # type: ignore[no-untyped-def]
        """The engine's core."""
        assert self.engine.core is not None
        return self.engine.core

    def names(self) -> list[str]:
        """Signals that lie in the engine's folder."""
        return [found.name.text for found in self.desk.executor.folder.signals()]

    def pass_time(self, seconds: float) -> None:
        """Time goes on; the engine turns, its executor's heartbeats come."""
        self.desk.turn(self.engine, seconds)

    def carry_there(self, *, archives: bool = True) -> None:
        """The way there works for a moment: signals reach the executor, which archives them."""
        self.bench.now = Moment(self.desk.clock, self.desk.clock)
        self.bench.quote(1.05)
        folder = self.desk.executor.folder
        for name in self.names():
            raw = folder.read(name)
            assert raw is not None
            classified = classify(name)
            intake = self.bench.intake.look(classified, raw, self.bench.now, self.bench.now.wall)
            for action in self.bench.tell(FileSeen(classified, raw, intake, self.bench.now.wall)):
                if isinstance(action, Archive) and archives:
                    folder.archive(action.file_name, action.signal_id)

    def carry_back(self) -> None:
        """The way back works for a moment: the newest result of every signal reaches the engine."""
        executor = self.desk.executor
        executor.wall = self.desk.clock
        newest = {result.signal_id: result for result in self.bench.published}
        for result in newest.values():
            now = Moment(self.desk.clock, self.desk.clock)
            head = executor.stamper.next(now, trading_day_of(now.market))
            executor.folder.publish(f"{RESULTS_FOLDER}/{result_name(result.signal_id)}", encode(head, result))
        self.pass_time(0.5)


@pytest.fixture
def link(tmp_path: Path) -> Link:
    """Both sides, all ways open."""
    return Link(tmp_path)


@pytest.mark.slow
def test_nothing_is_closed_by_the_strategy_hosts_own_clock(link: Link) -> None:
    """Ten minutes past its expiry the signal stands in the outbox, its lot pending, its file untouched."""
    identity = link.fall()
    path = link.desk.path / SIGNAL_SLOT
    before = path.stat()
    for _ in range(90):
        link.pass_time(10)
    (entry,) = link.core.state.outbox.open
    assert entry.signal_id == identity and entry.state == "outbox"
    assert link.core.state.outbox.layer_closed(1)
    after = path.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino), "rule 13: never touched"


def test_healed_after_expiry_it_is_answered_expired(link: Link) -> None:
    """The way there lost for ten minutes: the executor refuses the stale order and the books go on."""
    identity = link.fall()
    for _ in range(60):
        link.pass_time(10)
    link.carry_there()
    assert not link.bench.submits
    link.carry_back()
    entry = link.core.state.outbox.get(identity)
    assert entry is not None and entry.settled and entry.state == "expired"
    assert link.core.state.books.lots == () and not link.core.state.outbox.layer_closed(1)


@pytest.mark.slow
def test_the_way_back_lost_it_is_offered_again_and_executed_once(link: Link) -> None:
    """Consumed and unanswered, also past its expiry: the same bytes again, answered from the ledger."""
    identity = link.fall()
    first = link.desk.executor.folder.read(SIGNAL_SLOT)
    link.carry_there()
    link.bench.placed(identity)
    for _ in range(40):
        link.pass_time(10)
        assert len(link.names()) <= 1
        for name in link.names():
            assert link.desk.executor.folder.read(name) == first
        link.carry_there()
    assert len(link.bench.submits) == 1
    link.carry_back()
    link.pass_time(10)
    link.carry_there()
    for _ in range(3):
        link.pass_time(10)
    assert link.names() == [], "answered: nothing is offered again"


def test_a_signal_the_sync_tool_lost_is_offered_past_its_expiry(link: Link) -> None:
    """Absent and unanswered it is republished for ever; what stands is left alone."""
    identity = link.fall()
    link.desk.executor.folder.remove(SIGNAL_SLOT)
    link.pass_time(400)
    assert link.names() == [f"order_signal_{identity}.json"]
    link.desk.executor.folder.publish(link.names()[0], b'{"half')
    link.pass_time(4)
    raw = link.desk.executor.folder.read(link.names()[0])
    assert raw == link.core.state.outbox.open[0].raw, "other bytes under its name: written again"


def test_what_stands_under_its_own_name_is_never_touched(link: Link) -> None:
    """A mere change of its time would bring a consumed one back to life on the other host."""
    identity = link.fall()
    link.desk.executor.folder.remove(SIGNAL_SLOT)
    link.pass_time(4)
    path = link.desk.path / f"order_signal_{identity}.json"
    before = path.stat()
    for _ in range(4):
        link.pass_time(4)
    after = path.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_cancel_that_overtakes_its_order_settles_it(link: Link) -> None:
    """Two files arrive in either order: the cancel first, then the order is never placed."""
    identity = link.fall()
    now = link.desk.clock
    command = Command(kind="cancel", argument=identity, by="me", at=now)
    write_command(link.engine.place.commands, command)
    link.pass_time(1)
    cancels = [name for name in link.names() if name != SIGNAL_SLOT]
    assert len(cancels) == 1, "the slot holds an unanswered signal: the cancel has a name of its own"
    order = link.desk.executor.folder.read(SIGNAL_SLOT)
    assert order is not None
    link.desk.executor.folder.remove(SIGNAL_SLOT)
    link.carry_there()
    link.desk.executor.folder.publish(SIGNAL_SLOT, order)
    link.carry_there()
    assert not link.bench.submits and link.bench.state(identity) == "cancelled"
    link.carry_back()
    assert link.core.state.outbox.open == ()


def test_a_cancel_reaches_an_order_whose_answer_never_came(link: Link) -> None:
    """The way back lost: the order works at the broker, and the cancel still takes it back."""
    identity = link.fall()
    link.carry_there()
    link.bench.placed(identity)
    command = Command(kind="cancel", argument=identity, by="me", at=link.desk.clock)
    write_command(link.engine.place.commands, command)
    link.pass_time(1)
    link.carry_there()
    assert any(isinstance(action, CancelAtBroker) for action in link.bench.actions)


def test_the_engine_hears_itself_named_before_it_sends(link: Link) -> None:
    """Its first heartbeat lies in the folder before any signal of a new life is offered again."""
    link.fall()
    link.desk.executor.folder.remove(SIGNAL_SLOT)
    (link.desk.path / "heartbeat" / "dashboard-dash.json").unlink()
    again = link.desk.engine()
    link.desk.clock += 400
    link.desk.executor.wall = link.desk.clock
    link.desk.executor.beat()
    again._begin()
    beat = decode_heartbeat((link.desk.path / "heartbeat" / "dashboard-dash.json").read_bytes())
    assert beat.envelope is not None and beat.envelope.written_at == link.desk.clock
    assert link.names() == []
