"""The risk: what the core decides well and the loop around it loses (crash, order of writes, two engines)."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from mac_side.engine import LOOK_INTERVAL, Engine, Place
from mac_side.engine_memory import EngineConfig
from mac_side.rebind import rebind_books
from mac_side.screen_commands import Command, write_command
from mac_side.single_engine import EngineHeld, hold_engine
from mac_side.strategy.presets import preset
from mac_side.view import read_view
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import StateError
from shared_schema.ids import AccountAlias, InstanceId, SignalId, StrategyName
from shared_schema.integrity import Key
from shared_schema.logs import Log
from shared_schema.messages import decode_heartbeat, decode_signal, reads_as_halt
from shared_schema.trading_calendar import load_calendar
from shared_schema.watch import FolderWatch
from tests.mac_side.scripted_executor import ScriptedExecutor
from tests.mac_side.world import CODE, Moment, at, quote

GRID = StrategyName("grid")


class Desk:
    """A folder with an executor, a settable clock, and engines over it."""

    def __init__(self, tmp_path: Path) -> None:
        self.path = tmp_path / "folder"
        self.runtime = tmp_path / "runtime"
        self.path.mkdir()
        self.runtime.mkdir()
        self.clock = at("10:00:30")
        self.executor = ScriptedExecutor(self.path, self.clock)
        self.seq = 0

    def engine(
        self, writer: str = "dashboard@mac", key: Key | None = None, instance: str = "dash"
    ) -> Engine:
        """An engine as a process would make it; ``writer`` bears today's name of the host."""
        place = Place(
            folder=DropFolder(self.path, key=key),
            runtime_dir=self.runtime,
            view=self.runtime / "view.json",
            commands=self.runtime / "screen_commands",
            strategy=GRID,
            writer=writer,
            offline=False,
            in_folder=False,
            alias=AccountAlias("main"),
            pinned=None,
            republish_after=3.0,
            heartbeat_interval=1.7,
        )
        config = EngineConfig(CODE, preset("159201"), InstanceId(instance), load_calendar())
        watch = FolderWatch(self.path, 0.0, use_watcher=False)
        return Engine(place, config, Log("test", []), watch, lambda: self.clock)

    def quote(self, price: float) -> None:
        """Publish a quote of this moment."""
        self.seq += 1
        now = Moment(self.clock, self.clock)
        self.executor.folder.publish("shared_quote.json", quote(now, price, self.seq).received.raw)

    def turn(self, engine: Engine, seconds: float = 0.0) -> None:
        """One turn of the loop after ``seconds``, with a living executor."""
        self.clock += seconds
        self.executor.wall = self.clock
        self.executor.beat()
        if engine.core is None:
            engine._begin()
        engine.turn()

    def signals(self) -> list[SignalId]:
        """The ids that wait in the folder."""
        found = []
        for file in self.executor.folder.signals():
            raw = self.executor.folder.read(file.name.text)
            assert raw is not None
            found.append(decode_signal(raw).body.signal_id)
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A fresh desk."""
    return Desk(tmp_path)


def anchored(desk: Desk) -> Engine:
    """An engine that has set its anchor at 1.06."""
    engine = desk.engine()
    desk.quote(1.06)
    desk.turn(engine)
    return engine


def test_a_fall_becomes_a_signal_its_fill_becomes_a_lot(desk: Desk) -> None:
    """Quote to signal in one turn, in the slot; result to books in the next; the heartbeat lists it."""
    engine = anchored(desk)
    desk.clock += 60
    desk.quote(1.05)
    desk.turn(engine)
    (identity,) = desk.signals()
    assert (desk.path / "order_signal.json").exists()
    desk.executor.answer_all()
    desk.turn(engine, 1)
    state = orjson.loads((desk.runtime / "dashboard_state.simulate.json").read_bytes())
    assert state["positions"][0]["client_order_id"] == identity
    assert state["outbox"][0]["intention"]["settled"] is True
    desk.turn(engine, 2)
    beat = decode_heartbeat((desk.path / "heartbeat" / "dashboard-dash.json").read_bytes()).body
    assert beat.applied_results == (identity,) and beat.seen["shared_quote"].seq == 2
    view = read_view(desk.runtime / "view.json")
    assert view is not None and view.lots[0].pending is False and view.signals[0].state == "filled"


def test_an_engine_killed_with_a_signal_out_sends_no_second_one(desk: Desk) -> None:
    """Restarted before and after the executor took it: the same id, never another; then it is settled."""
    engine = anchored(desk)
    desk.clock += 60
    desk.quote(1.05)
    desk.turn(engine)
    (identity,) = desk.signals()
    again = desk.engine()
    desk.turn(again, 1)
    desk.quote(1.05)
    desk.turn(again, 1)
    assert desk.signals() == [identity]
    desk.executor.answer_all()
    third = desk.engine()
    desk.turn(third, 1)
    assert third.core is not None and third.core.state.outbox.open == ()
    assert desk.executor.consumed == [identity]


def test_a_signal_lost_by_the_sync_tool_is_offered_again(desk: Desk) -> None:
    """Gone from the folder and unanswered: the same bytes under its own name after the time."""
    engine = anchored(desk)
    desk.clock += 60
    desk.quote(1.05)
    desk.turn(engine)
    raw = (desk.path / "order_signal.json").read_bytes()
    (desk.path / "order_signal.json").unlink()
    desk.turn(engine, 2)
    assert desk.signals() == []
    desk.turn(engine, 2)
    (file,) = desk.executor.folder.signals()
    assert desk.executor.folder.read(file.name.text) == raw
    modified = file.entry.modified_ns
    desk.turn(engine, 30)
    assert desk.executor.folder.signals()[0].entry.modified_ns == modified


def test_an_answer_damaged_after_a_pending_one_is_asked_for_again(desk: Desk) -> None:
    """The result lies there as rubbish and stays so: the signal is offered again, its answer settles it."""
    engine = anchored(desk)
    desk.clock += 60
    desk.quote(1.05)
    desk.turn(engine)
    (identity,) = desk.signals()
    desk.executor.answer_all("submitted")
    desk.turn(engine, 1)
    (desk.path / "order_results" / f"order_result_{identity}.json").write_bytes(bytes(200))
    desk.turn(engine, 5)
    assert desk.signals() == []
    desk.turn(engine, 4)
    assert desk.signals() == [identity]
    desk.executor.answer_all()
    desk.turn(engine, 1)
    assert engine.core is not None and engine.core.state.outbox.open == ()


def test_books_put_back_stop_the_engine(desk: Desk) -> None:
    """An older state file restored: the folder knows a later number; nothing is sent (fault 37)."""
    engine = anchored(desk)
    path = desk.runtime / "dashboard_state.simulate.json"
    old = path.read_bytes()
    desk.clock += 60
    desk.quote(1.05)
    desk.turn(engine)
    desk.executor.answer_all()
    path.write_bytes(old)
    with pytest.raises(StateError):
        desk.turn(desk.engine(), 1)


def test_without_an_executor_it_waits_and_a_halt_still_works(desk: Desk) -> None:
    """Nobody to bind to: no books are opened, the view says so, and the person's halt is written."""
    engine = desk.engine()
    write_command(engine.place.commands, Command(kind="halt", argument="now", at=desk.clock, by="me"))
    engine._begin()
    assert engine.core is None
    view = read_view(desk.runtime / "view.json")
    assert view is not None and view.waiting_for
    (halt,) = desk.executor.folder.halts().values()
    assert reads_as_halt(halt) == (True, "now")
    assert not (desk.runtime / "dashboard_state.simulate.json").exists()


def test_the_mode_of_the_executor_chooses_the_books(desk: Desk) -> None:
    """A live executor's heartbeat: live books; the simulated ones are not touched (rule 10)."""
    live = ScriptedExecutor(desk.path, desk.clock, mode="live")
    live.beat()
    engine = desk.engine()
    engine._begin()
    assert engine.core is not None and engine.core.state.mode == "live"
    assert engine._books.path.name == "dashboard_state.json"


def test_a_second_engine_is_told_who_works_here(tmp_path: Path) -> None:
    """One process per books: the second hears pid and host of the first."""
    lock = hold_engine(tmp_path, GRID)
    with pytest.raises(EngineHeld) as held:
        hold_engine(tmp_path, GRID)
    assert "pid" in str(held.value)
    lock.release()
    hold_engine(tmp_path, GRID).release()


def test_the_last_view_and_heartbeat_say_that_it_ended(desk: Desk) -> None:
    """Stopped in order: the view is marked as the last one, the heartbeat as stopped."""
    engine = anchored(desk)
    engine.end()
    view = read_view(desk.runtime / "view.json")
    assert view is not None and view.ended
    beat = decode_heartbeat((desk.path / "heartbeat" / "dashboard-dash.json").read_bytes()).body
    assert (beat.state, beat.ready) == ("stopped", False)


def test_another_executor_is_bound_only_by_a_person(desk: Desk) -> None:
    """Rebinding names the new one, keeps a copy, and tells which signals stay with the old."""
    engine = anchored(desk)
    desk.clock += 60
    desk.quote(1.05)
    desk.turn(engine)
    path = desk.runtime / "dashboard_state.simulate.json"
    now = Moment(desk.clock, desk.clock)
    rebound = rebind_books(path, engine.core.state, InstanceId("new"), now)  # type: ignore[union-attr]
    assert (rebound.before, rebound.still_open) == (desk.executor.instance, tuple(desk.signals()))
    again = desk.engine()
    desk.turn(again, 1)
    assert again.core is not None and again.core.held is not None
    assert again.core.state.executor == "new" and again.core.held.word == "executor_red"


def test_where_only_time_has_passed_the_folder_rests_but_no_halt_does(desk: Desk) -> None:
    """Nothing woke the engine: it looks at halts alone, and at the rest after a second."""
    engine = anchored(desk)
    engine.watch.stop()
    engine.watch = FolderWatch(desk.path, 0.05)
    assert engine.watch.healthy and engine.core is not None
    engine.turn()
    desk.clock += LOOK_INTERVAL / 2
    desk.quote(1.07)
    (desk.path / "control" / "halt.someone.json").write_bytes(b"{}")
    engine.turn(woken=False)
    assert engine.core.state.halted and engine.core.quote is not None
    assert engine.core.quote.quote.price == 1.06
    desk.clock += LOOK_INTERVAL
    engine.turn(woken=False)
    assert engine.core.quote.quote.price == 1.07
    engine.watch.stop()


def test_a_result_is_seen_though_the_folder_was_still(desk: Desk) -> None:
    """A folder of results that stands still is not listed at each turn; what comes into it, is."""
    engine = anchored(desk)
    desk.clock += 60
    desk.quote(1.05)
    desk.turn(engine)
    assert engine.core is not None
    inbox, outbox = engine.files.inbox, engine.core.state.outbox
    for whole in (True, False, False):
        assert not list(inbox.each(outbox, whole=whole))
    desk.executor.answer_all()
    assert [found.body.signal_id for found in inbox.each(outbox, whole=False)] == desk.executor.consumed


def test_a_result_written_in_place_is_seen_by_a_whole_look(desk: Desk) -> None:
    """Whoever writes into a file changes no folder: the next whole look reads it all the same."""
    engine = anchored(desk)
    desk.clock += 60
    desk.quote(1.05)
    desk.turn(engine)
    assert engine.core is not None
    inbox, outbox = engine.files.inbox, engine.core.state.outbox
    desk.executor.answer_all("submitted")
    path = desk.path / "order_results" / f"order_result_{desk.executor.consumed[0]}.json"
    for _ in range(3):
        list(inbox.each(outbox, whole=False))
    path.write_bytes(path.read_bytes() + b" ")
    assert not list(inbox.each(outbox, whole=False))
    assert [found.body.signal_id for found in inbox.each(outbox)] == desk.executor.consumed
