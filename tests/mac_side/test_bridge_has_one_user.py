"""The risk: two users of one bridge's memory, so that an order is lost, or two carry one id."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from mac_side.books import Books, Lot
from mac_side.bridge_client.bridge import Bridge, BridgeError
from mac_side.single_engine import EngineHeld, hold_engine
from mac_side.state_file import DashboardState, StateFile, new_state
from shared_schema.drop_folder.names import signal_name
from shared_schema.errors import FolderError, MiniqmtError, SettingsError
from shared_schema.ids import AccountAlias, SignalId, StrategyName
from tests.mac_side.scripted_executor import ScriptedExecutor
from tests.mac_side.test_bridge_never_guesses import WALL, opened
from tests.mac_side.world import moment


@pytest.fixture
def executor(tmp_path: Path) -> ScriptedExecutor:
    """A living executor on an empty folder."""
    (tmp_path / "folder").mkdir()
    made = ScriptedExecutor(tmp_path / "folder", WALL)
    made.beat()
    return made


def waiting(executor: ScriptedExecutor) -> set[str]:
    """The names of the signals in the folder."""
    return {file.name.text for file in executor.folder.signals()}


def test_each_threads_order_is_its_own(tmp_path: Path, executor: ScriptedExecutor) -> None:
    """Eight threads buy at once: eight ids, eight files, eight open signals."""
    sent: list[SignalId] = []
    with opened(tmp_path) as bridge:
        together = threading.Barrier(8)

        def buy(shares: int) -> None:
            together.wait()
            sent.append(bridge.buy("159201.SZ", 1.05, shares).signal_id)

        threads = [threading.Thread(target=buy, args=(1000 + 100 * place,)) for place in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(sent)) == 8
        assert {handle.signal_id for handle in bridge.open} == set(sent)
    assert waiting(executor) == {signal_name(identity) for identity in sent}


def test_a_closed_bridge_sends_nothing_and_writes_over_nothing(
    tmp_path: Path, executor: ScriptedExecutor
) -> None:
    """Another has the name by then: its open order must not be forgotten."""
    closed = opened(tmp_path)
    old = closed.buy("159201.SZ", 1.05, 1000)
    closed.close()
    with opened(tmp_path) as bridge:
        sent = bridge.buy("159201.SZ", 1.04, 1000).signal_id
        for ask in (
            lambda: closed.buy("159201.SZ", 1.03, 1000),
            lambda: old.cancel(),
            lambda: old.wait(0),
            closed.quotes,
        ):
            with pytest.raises(BridgeError):
                ask()
        closed.close()
    assert waiting(executor) == {signal_name(old.signal_id), signal_name(sent)}
    with opened(tmp_path) as bridge:
        assert [handle.signal_id for handle in bridge.open] == [old.signal_id, sent]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
def test_a_forked_child_sends_nothing(tmp_path: Path, executor: ScriptedExecutor) -> None:
    """It shares the lock and has a copy of the memory: to it the bridge is closed; the parent goes on."""
    with opened(tmp_path) as bridge:
        child = os.fork()
        if child == 0:
            try:
                bridge.buy("159201.SZ", 1.03, 1000)
            except BridgeError:
                bridge.close()
                os._exit(7)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        with pytest.raises(EngineHeld):
            opened(tmp_path)
        sent = bridge.buy("159201.SZ", 1.05, 1000).signal_id
    assert waiting(executor) == {signal_name(sent)}


def test_another_thread_may_close(tmp_path: Path, executor: ScriptedExecutor) -> None:
    """Whoever closes: the name is free, for the same process too. Until then it is held for every thread."""
    made: list[Bridge] = []
    opener = threading.Thread(target=lambda: made.append(opened(tmp_path)))
    opener.start()
    opener.join()
    with pytest.raises(EngineHeld):
        opened(tmp_path)
    made[0].close()
    opened(tmp_path).close()


def test_a_signal_handler_sends_nothing_within_an_order(
    tmp_path: Path, executor: ScriptedExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs in the thread it breaks into: two orders would get one id, and one of them be forgotten."""
    with opened(tmp_path) as bridge:
        save, refused = bridge._save, []

        def broken_into(state: DashboardState) -> None:
            for ask in (lambda: bridge.buy("159201.SZ", 1.04, 2000), bridge.look):
                with pytest.raises(BridgeError) as problem:
                    ask()
                refused.append(problem.value.key)
            save(state)

        monkeypatch.setattr(bridge, "_save", broken_into)
        sent = bridge.buy("159201.SZ", 1.05, 1000).signal_id
        assert refused == ["dashboard.bridge_busy"] * 2
        monkeypatch.undo()
        other = bridge.buy("159201.SZ", 1.04, 2000).signal_id
        assert [handle.signal_id for handle in bridge.open] == [sent, other]
    assert waiting(executor) == {signal_name(sent), signal_name(other)}


def test_a_handler_that_closes_within_an_order_keeps_the_name_until_it_is_out(
    tmp_path: Path, executor: ScriptedExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process with the name would write over the order just being made."""
    with opened(tmp_path) as bridge:
        save = bridge._save

        def broken_into(state: DashboardState) -> None:
            bridge.close()
            with pytest.raises(EngineHeld):
                opened(tmp_path)
            save(state)

        monkeypatch.setattr(bridge, "_save", broken_into)
        sent = bridge.buy("159201.SZ", 1.05, 1000).signal_id
        with pytest.raises(BridgeError):
            bridge.look()
    with opened(tmp_path) as bridge:
        assert [handle.signal_id for handle in bridge.open] == [sent]


def test_a_copy_that_fails_is_no_failed_order(
    tmp_path: Path, executor: ScriptedExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order was saved and is out: an error here would have it sent again. The next look says it."""
    with opened(tmp_path) as bridge:

        def full(_raw: bytes) -> None:
            raise FolderError("folder.read_failed", tmp_path, detail="disk full")

        monkeypatch.setattr(bridge._state_file, "keep_last_good", full)
        sent = bridge.buy("159201.SZ", 1.05, 1000).signal_id
        assert waiting(executor) == {signal_name(sent)}
        with pytest.raises(FolderError):
            bridge.buy("159201.SZ", 1.04, 1000)
        assert waiting(executor) == {signal_name(sent)}
        monkeypatch.undo()
        bridge.look()
        assert bridge._state_file.last_good.read_bytes() == bridge._state_file.path.read_bytes()


def test_a_script_takes_no_dashboards_books(tmp_path: Path, executor: ScriptedExecutor) -> None:
    """A further strategy's name: refused while its engine runs, and also when it rests."""
    runtime, name = tmp_path / "runtime", StrategyName("dividend")
    lock = hold_engine(runtime, name)
    with pytest.raises(EngineHeld):
        opened(tmp_path, strategy="dividend")
    lock.release()
    now = moment("10:00:00")
    books = Books(lots=(Lot(20_000, 21_000.0, 1.05, "b1"),), anchor=1.05)
    state = new_state(now, "simulate", AccountAlias("main"), name, "dashboard-dividend@mac")
    path = runtime / "dashboard_state_dividend.simulate.json"
    StateFile(path).save(replace(state, books=books), now, "2026-11-20")
    before = path.read_bytes()
    with pytest.raises(SettingsError):
        opened(tmp_path, strategy="dividend")
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["", "a/b", "../x", "我的", "a b", "x" * 65])
def test_a_name_that_no_signal_could_carry_is_refused_at_once(
    tmp_path: Path, executor: ScriptedExecutor, name: str
) -> None:
    """Not only at the first order, minutes later."""
    with pytest.raises(MiniqmtError):
        opened(tmp_path, strategy=name)
    assert not (tmp_path / "runtime").exists()
