"""The risk: a script that takes a time-out for a failure, or forgets what it sent (faults.md, peers)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mac_side.bridge_client import Bridge
from mac_side.bridge_client.bridge import BridgeError
from shared_schema.clock import Moment
from shared_schema.drop_folder.names import ACCOUNT_SIMULATE, CONTROL_FOLDER, ring_name, signal_name
from shared_schema.errors import MiniqmtError, StateError
from shared_schema.messages import decode_signal
from tests.mac_side.scripted_executor import ScriptedExecutor
from tests.mac_side.world import CODE, account, at, quote

WALL = at("10:00:30")


def opened(
    tmp_path: Path, pause: Callable[[float], None] = lambda _: None, strategy: str = "myscript"
) -> Bridge:
    """A bridge on the folder of ``tmp_path`` with an injected clock."""
    return Bridge(
        tmp_path / "folder",
        strategy,
        runtime_dir=tmp_path / "runtime",
        wait_for_executor=0,
        wall_clock=lambda: WALL,
        pause=pause,
    )


@pytest.fixture
def executor(tmp_path: Path) -> ScriptedExecutor:
    """A living executor on an empty folder."""
    (tmp_path / "folder").mkdir()
    made = ScriptedExecutor(tmp_path / "folder", WALL)
    made.beat()
    return made


def test_a_buy_is_one_file_and_its_fill_is_done(tmp_path: Path, executor: ScriptedExecutor) -> None:
    """Sent under its own name, answered while we wait: done, with the shares filled."""
    with opened(tmp_path, lambda _: executor.answer_all()) as bridge:
        handle = bridge.buy("159201.SZ", price=1.05, shares=1000, reason="mine")
        name = signal_name(handle.signal_id)
        raw = executor.folder.read(name)
        assert raw is not None and decode_signal(raw).body.strategy == "myscript"
        assert handle.signal_id.startswith("BUY_159201.SZ_myscript_")
        outcome = handle.wait(30)
    assert (outcome.answer, outcome.filled_shares, bool(outcome)) == ("done", 1000, True)


def test_a_scripts_buy_runs_without_a_name_in_the_cash_pool(
    tmp_path: Path, executor: ScriptedExecutor
) -> None:
    """A script keeps no lots to name: what it buys is freed by its own sells, and never for ever in use."""
    with opened(tmp_path) as bridge:
        raw = executor.folder.read(signal_name(bridge.buy("159201.SZ", 1.05, 1000).signal_id))
        assert raw is not None and decode_signal(raw).body.client_order_id is None


def test_an_executor_that_is_starting_is_waited_for(tmp_path: Path, executor: ScriptedExecutor) -> None:
    """Its first heartbeats say that it is not ready: within the patience that is no refusal."""
    executor.beat(ready=False, state="reconcile")

    def pause(_: float) -> None:
        executor.beat()

    bridge = Bridge(
        tmp_path / "folder",
        "myscript",
        runtime_dir=tmp_path / "runtime",
        wait_for_executor=30.0,
        wall_clock=lambda: WALL,
        pause=pause,
    )
    with bridge:
        assert bridge.buy("159201.SZ", 1.05, 1000).outcome.answer == "unknown"
    with opened(tmp_path, strategy="other") as impatient:
        executor.beat(ready=False, state="reconcile")
        with pytest.raises(BridgeError):
            impatient.buy("159201.SZ", 1.05, 1000)


def test_a_time_out_is_unknown_and_never_refused(tmp_path: Path, executor: ScriptedExecutor) -> None:
    """No answer, and an executor in doubt: unknown both times; a later wait may know more."""
    with opened(tmp_path) as bridge:
        handle = bridge.buy("159201.SZ", 1.05, 1000)
        assert handle.wait(0).answer == "unknown"
        executor.answer_all("unknown")
        assert (handle.wait(0).answer, handle.outcome.state) == ("unknown", "unknown")


def test_a_rejection_is_refused(tmp_path: Path, executor: ScriptedExecutor) -> None:
    """A terminal result without fills: refused."""
    with opened(tmp_path, lambda _: executor.answer_all("rejected")) as bridge:
        assert bridge.buy("159201.SZ", 1.05, 1000).wait(30).answer == "refused"


def test_a_killed_script_finds_its_open_signal_and_never_its_id_again(
    tmp_path: Path, executor: ScriptedExecutor
) -> None:
    """The outbox is on the disk before the signal: after a restart it is open, and the next id is another."""
    first = opened(tmp_path)
    sent = first.buy("159201.SZ", 1.05, 1000).signal_id
    first.close()
    with opened(tmp_path, lambda _: executor.answer_all()) as bridge:
        (handle,) = bridge.open
        assert handle.signal_id == sent
        other = bridge.sell("159201.SZ", 1.06, 1000)
        assert other.signal_id != sent
        assert [handle.wait(30).answer, other.wait(30).answer] == ["done", "done"]
        assert bridge.open == ()


def test_a_missing_signal_is_offered_again_with_the_same_bytes(
    tmp_path: Path, executor: ScriptedExecutor
) -> None:
    """The folder lost it: after the republish time the same bytes stand there again."""
    clock = [WALL]
    bridge = Bridge(
        tmp_path / "folder", "s", runtime_dir=tmp_path / "r", wait_for_executor=0, wall_clock=lambda: clock[0]
    )
    with bridge:
        name = signal_name(bridge.buy("159201.SZ", 1.05, 1000).signal_id)
        raw = executor.folder.read(name)
        executor.folder.remove(name)
        bridge.look()
        assert executor.folder.read(name) is None
        clock[0] += 3.5
        bridge.look()
        assert executor.folder.read(name) == raw


def test_a_cancel_is_a_signal_of_its_own(tmp_path: Path, executor: ScriptedExecutor) -> None:
    """It names its target and the executor; asked twice it is one signal; done when the target ended."""
    with opened(tmp_path, lambda _: executor.answer_all("cancelled")) as bridge:
        order = bridge.buy("159201.SZ", 1.05, 1000)
        cancel = order.cancel()
        assert order.cancel().signal_id == cancel.signal_id
        raw = executor.folder.read(signal_name(cancel.signal_id))
        assert raw is not None and decode_signal(raw).body.target_signal_id == order.signal_id
        assert cancel.wait(30).answer == "done"
        assert order.wait(30).answer == "refused"


def test_without_an_executor_nothing_is_sent(tmp_path: Path) -> None:
    """No heartbeat: refused at the door, with a sentence."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(BridgeError) as refused:
        opened(tmp_path)
    assert refused.value.next_step


def test_a_red_executor_or_a_halt_refuses_clearly(tmp_path: Path, executor: ScriptedExecutor) -> None:
    """A silent executor and a halt each refuse with their reason; nothing lies in the folder."""
    clock = [WALL]
    bridge = Bridge(
        tmp_path / "folder", "s", runtime_dir=tmp_path / "r", wait_for_executor=0, wall_clock=lambda: clock[0]
    )
    with bridge:
        clock[0] += 60
        with pytest.raises(BridgeError):
            bridge.buy("159201.SZ", 1.05, 1000)
        clock[0] -= 60
        halt = b'{"halt": true, "reason": "stop!"}'
        executor.folder.publish(f"{CONTROL_FOLDER}/halt.person@desk.json", halt)
        with pytest.raises(BridgeError) as refused:
            bridge.buy("159201.SZ", 1.05, 1000)
        executor.folder.remove(f"{CONTROL_FOLDER}/halt.person@desk.json")
        with pytest.raises(BridgeError):
            bridge.sell("159201.SZ", 1.05, 1000)
    assert "stop!" in str(refused.value)
    assert executor.folder.signals() == []


@pytest.mark.parametrize(
    ("price", "shares"),
    [
        *[(0.0, 100), (float("nan"), 100), (1.0, 0), (1.0, 100.5), (1.0, True), ("1", 100)],
        *[(1e308, 100), (5e-324, 100), (10**400, 100), (1.0, 10**30)],
    ],
)
def test_a_senseless_order_is_refused(
    tmp_path: Path, executor: ScriptedExecutor, price: object, shares: object
) -> None:
    """Price and shares must be numbers that make sense before anything is written."""
    with opened(tmp_path) as bridge, pytest.raises(MiniqmtError):
        bridge.buy("159201.SZ", price, shares)  # type: ignore[arg-type]
    assert executor.folder.signals() == []


def test_a_reason_is_text(tmp_path: Path, executor: ScriptedExecutor) -> None:
    """Anything else is refused with the Bridge's own error, and nothing is written."""
    with opened(tmp_path) as bridge, pytest.raises(BridgeError):
        bridge.buy("159201.SZ", 1.05, 1000, reason=5)  # type: ignore[arg-type]
    assert executor.folder.signals() == []


def test_two_processes_of_one_name_are_refused(tmp_path: Path, executor: ScriptedExecutor) -> None:
    """One writer per strategy name on a host, and the dashboard's name is not for scripts."""
    with opened(tmp_path), pytest.raises(MiniqmtError):
        opened(tmp_path)
    with pytest.raises(MiniqmtError):
        opened(tmp_path, strategy="grid")


def test_memory_that_was_put_back_stops(tmp_path: Path, executor: ScriptedExecutor) -> None:
    """An old copy of the outbox restored: the folder knows later numbers, so nothing more is sent."""
    state = tmp_path / "runtime" / "dashboard_state_myscript.simulate.json"
    with opened(tmp_path, lambda _: executor.answer_all()) as bridge:
        bridge.buy("159201.SZ", 1.05, 1000).wait(30)
        old = state.read_bytes()
        bridge.buy("159201.SZ", 1.04, 1000).wait(30)
    state.write_bytes(old)
    with pytest.raises(StateError):
        opened(tmp_path)


def test_a_quote_put_back_is_not_shown_as_new(tmp_path: Path, executor: ScriptedExecutor) -> None:
    """A folder rolled back shows an older quote file: the script keeps the newer price, in any file."""
    with opened(tmp_path) as bridge:
        for name, price, seq in (
            ("shared_quote.json", 1.05, 7),
            ("shared_quote.json", 1.50, 6),
            (ring_name(0), 1.60, 5),
        ):
            raw = quote(Moment(WALL, WALL), price, seq).received.raw
            executor.folder.publish(name, raw)
            assert bridge.quotes()[CODE].price == 1.05
        executor.folder.publish("shared_quote.json", quote(Moment(WALL, WALL), 1.06, 8).received.raw)
        assert bridge.quotes()[CODE].price == 1.06


def test_the_private_folder_may_be_given_as_text(tmp_path: Path, executor: ScriptedExecutor) -> None:
    """Both folders are paths or text; the script's memory then lies there."""
    folder, private = str(tmp_path / "folder"), tmp_path / "private"
    with Bridge(
        folder, "s", runtime_dir=str(private), wait_for_executor=0, wall_clock=lambda: WALL
    ) as bridge:
        bridge.buy("159201.SZ", price=1.05, shares=1000)
    assert [path.name for path in private.glob("dashboard_state*.json")]


def test_an_account_put_back_is_not_shown_as_new(tmp_path: Path, executor: ScriptedExecutor) -> None:
    """A snapshot of before a trade, back in the folder, gives a script no shares it does not hold."""
    held = []
    with opened(tmp_path) as bridge:
        for volume, seq in ((5000, 7), (9000, 6), (4000, 8)):
            known = account(Moment(WALL, WALL), volume, volume, seq, complete=True)
            executor.folder.publish(ACCOUNT_SIMULATE, known.received.raw)
            found = bridge.positions()
            held.append(found[CODE].volume if found is not None else None)
    assert held == [5000, 5000, 4000]
