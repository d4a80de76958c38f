"""The risk: a key on one host only, or two keys, looks like silence, and a person waits instead of acting."""

from __future__ import annotations

from pathlib import Path

import pytest

from mac_side.bridge_client import Bridge
from mac_side.bridge_client.bridge import BridgeError
from mac_side.engine import Engine
from mac_side.view import read_view
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import ACCOUNT_SIMULATE, CONTROL_FOLDER, HEARTBEAT_FOLDER, halt_name
from shared_schema.ids import AccountAlias
from shared_schema.integrity import Key
from shared_schema.keys import KEY_FILE, write_key
from shared_schema.messages import (
    Account,
    AccountSnapshot,
    Asset,
    Halt,
    decode_heartbeat,
    decode_signal,
    encode,
    reads_as_halt,
    signal_digest,
)
from shared_schema.sessions import trading_day_of
from tests.commands.hosts import Host, make_host
from tests.mac_side.scripted_executor import ScriptedExecutor
from tests.mac_side.test_engine_over_a_folder import Desk
from tests.mac_side.world import Moment, at, envelope, quote

KEY, OTHER = Key(b"k" * 32), Key(b"o" * 32)


class KeyedExecutor(ScriptedExecutor):
    """An executor with a key of its own, or none."""

    key: Key | None = None

    def _publish(self, name: str, body) -> None:  # type: ignore[no-untyped-def]
        now = Moment(self.wall, self.wall)
        stamped = self.stamper.next(now, trading_day_of(self.wall))
        self.folder.publish(name, encode(stamped, body, self.key))


class KeyedDesk(Desk):
    """A folder with an executor and engines over it; each side has a key, another, or none."""

    executor: KeyedExecutor

    def __init__(self, tmp_path: Path, ours: Key | None, theirs: Key | None) -> None:
        super().__init__(tmp_path)
        self.executor = KeyedExecutor(self.path, self.clock)
        self.executor.key = theirs
        self.ours = ours

    def engine(self) -> Engine:
        """An engine with our key."""
        made = super().engine()
        made.place.folder.key = self.ours
        return Engine(made.place, made.config, made.log, made.watch, lambda: self.clock)

    def quote(self, price: float) -> None:
        """A quote signed as the executor's side signs."""
        self.seq += 1
        now = Moment(self.clock, self.clock)
        seen = quote(now, price, self.seq).received
        assert seen.envelope is not None
        raw = encode(seen.envelope, seen.body, self.executor.key)
        self.executor.folder.publish("shared_quote.json", raw)

    def after_a_fall(self, engine: Engine) -> None:
        """Anchor at 1.06, a minute later 1.05: a buy, where one may go out."""
        self.quote(1.06)
        self.turn(engine)
        self.clock += 60
        self.quote(1.05)
        self.turn(engine)

    def shown(self) -> str:
        """Why nothing is sent, as the screen has it."""
        view = read_view(self.runtime / "view.json")
        assert view is not None
        return view.trading_held

    def raw_signal(self, name: str = "order_signal.json") -> bytes:
        """A waiting signal's bytes."""
        raw = self.executor.folder.read(name)
        assert raw is not None
        return raw


def test_with_one_key_on_both_hosts_it_works_and_all_is_signed(tmp_path: Path) -> None:
    """A fall becomes a signed signal, its signed fill settles it; the dashboard's heartbeat is signed too."""
    desk = KeyedDesk(tmp_path, KEY, KEY)
    engine = desk.engine()
    desk.after_a_fall(engine)
    assert decode_signal(desk.raw_signal(), key=KEY).signed
    desk.executor.answer_all()
    desk.turn(engine, 1)
    assert engine.core is not None and len(engine.core.state.books.lots) == 1
    (beat,) = (desk.path / HEARTBEAT_FOLDER).glob("dashboard-*.json")
    assert decode_heartbeat(beat.read_bytes(), key=KEY).signed


def test_a_dashboard_without_the_executors_key_sends_nothing_and_says_why(tmp_path: Path) -> None:
    """The executor signs, we can't: its signals would be refused, so none goes out."""
    desk = KeyedDesk(tmp_path, None, KEY)
    desk.after_a_fall(desk.engine())
    assert desk.signals() == []
    assert "本机没有密钥" in desk.shown() and "scripted" in desk.shown()


@pytest.mark.parametrize("theirs", [None, OTHER])
def test_an_executor_without_our_key_is_not_met_and_the_screen_says_why(
    tmp_path: Path, theirs: Key | None
) -> None:
    """Its heartbeat proves nothing: no binding, no signal, and the sentence names it."""
    desk = KeyedDesk(tmp_path, KEY, theirs)
    engine = desk.engine()
    desk.quote(1.06)
    desk.executor.beat()
    engine._begin()
    assert engine.core is None and desk.signals() == []
    assert "签名不符" in desk.shown() and "scripted" in desk.shown()


def test_an_executor_that_lost_its_key_is_no_longer_believed(tmp_path: Path) -> None:
    """Bound and then unsigned: its results settle nothing, nothing further is sent, the screen says why."""
    desk = KeyedDesk(tmp_path, KEY, KEY)
    engine = desk.engine()
    desk.after_a_fall(engine)
    desk.executor.key = None
    desk.executor.answer_all()
    desk.turn(engine, 1)
    desk.turn(engine, 1)
    assert engine.core is not None
    (entry,) = engine.core.state.outbox.open
    assert entry.answered_at is None and "签名不符" in desk.shown()
    desk.executor.key = KEY
    desk.turn(engine, 1)
    assert "签名不符" not in desk.shown()


def test_prices_and_holdings_of_a_stranger_are_not_seen(tmp_path: Path) -> None:
    """An unsigned quote and an unsigned snapshot change nothing the strategy sees; signed ones do."""
    desk = KeyedDesk(tmp_path, KEY, KEY)
    engine = desk.engine()
    desk.quote(1.06)
    desk.turn(engine)
    assert engine.core is not None and engine.core.snapshot is not None
    for key, price in ((None, 1.06), (OTHER, 1.06), (KEY, 1.05)):
        desk.executor.key = key
        desk.clock += 60
        desk.quote(1.05)
        held = Account(asset=Asset(cash=1.0, total_asset=1.0))
        desk.executor._publish(ACCOUNT_SIMULATE, AccountSnapshot(accounts={AccountAlias("main"): held}))
        desk.executor.key = KEY
        desk.turn(engine)
        assert engine.core.snapshot.price == price
        assert (engine.core.account is not None) is (key == KEY)


def test_a_signal_made_before_the_key_is_signed_when_the_key_comes(tmp_path: Path) -> None:
    """Unanswered for want of a signature: after the restart it goes out signed, the same signal."""
    desk = KeyedDesk(tmp_path, None, None)
    desk.after_a_fall(desk.engine())
    before = decode_signal(desk.raw_signal())
    desk.ours = desk.executor.key = KEY
    engine = desk.engine()
    for _ in range(3):
        desk.turn(engine, 4)
    raw = desk.raw_signal(f"order_signal_{before.body.signal_id}.json")
    after = decode_signal(raw, key=KEY)
    assert (after.body, after.envelope) == (before.body, before.envelope)
    assert signal_digest(after.body, after.envelope) == signal_digest(before.body, before.envelope)
    desk.executor.answer_all()
    desk.turn(engine, 1)
    assert engine.core is not None and len(engine.core.state.books.lots) == 1


def test_unanswered_signals_are_not_repeated_into_a_refusal(tmp_path: Path) -> None:
    """While the keys differ nothing is published again: each would only fill the quarantine."""
    desk = KeyedDesk(tmp_path, None, None)
    engine = desk.engine()
    desk.after_a_fall(engine)
    (identity,) = desk.signals()
    desk.executor.key = KEY
    desk.turn(engine, 1)
    (desk.path / "order_signal.json").unlink()
    for _ in range(4):
        desk.turn(engine, 4)
    assert desk.signals() == []
    desk.executor.key = None
    for _ in range(2):
        desk.turn(engine, 4)
    assert desk.signals() == [identity]


def test_a_dashboards_halt_is_lifted_by_a_signature_only(tmp_path: Path) -> None:
    """Anybody halts it; an unsigned lift and one of another name leave it halted."""
    desk = KeyedDesk(tmp_path, KEY, KEY)
    engine = desk.engine()
    desk.quote(1.06)
    desk.turn(engine)
    name = halt_name("operator@mac")

    def lay(body: Halt, key: Key | None, writer: str = "operator@mac") -> bool:
        head = envelope(Moment(desk.clock, desk.clock), 1).model_copy(update={"writer": writer})
        desk.executor.folder.publish(f"{CONTROL_FOLDER}/{name}", encode(head, body, key))
        desk.turn(engine, 1)
        assert engine.core is not None
        return engine.core.state.halted

    lift = Halt(halt=False, reason="checked", at=200.0)
    assert lay(Halt(reason="stop", at=100.0), None)
    assert lay(lift, None) and lay(lift, OTHER) and lay(lift, KEY, "operator@elsewhere")
    assert not lay(lift, KEY)


def opened(tmp_path: Path, wall: float) -> Bridge:
    """A script's bridge with the key of its RUNTIME_DIR."""
    return Bridge(
        tmp_path / "folder",
        "myscript",
        runtime_dir=tmp_path / "runtime",
        wait_for_executor=0,
        wall_clock=lambda: wall,
        pause=lambda _: None,
    )


@pytest.mark.parametrize(("theirs", "word"), [(None, "签名不符"), (OTHER, "签名不符"), (KEY, "")])
def test_a_bridge_takes_the_key_of_its_host(tmp_path: Path, theirs: Key | None, word: str) -> None:
    """With the executor's key it signs and is answered; with another it says so instead of waiting."""
    (tmp_path / "folder").mkdir()
    write_key(tmp_path / "runtime" / KEY_FILE, KEY)
    executor = KeyedExecutor(tmp_path / "folder", at("10:00:30"))
    executor.key = theirs
    executor.beat()
    if word:
        with pytest.raises(BridgeError, match=word):
            opened(tmp_path, at("10:00:30"))
        return
    with opened(tmp_path, at("10:00:30")) as bridge:
        handle = bridge.buy("159201.SZ", 1.05, 1000)
        raw = executor.folder.read(f"order_signal_{handle.signal_id}.json")
        assert raw is not None and decode_signal(raw, key=KEY).signed
        executor.answer_all()
        assert handle.wait(0).answer == "done"


def test_a_bridge_without_the_executors_key_sends_nothing(tmp_path: Path) -> None:
    """The executor signs and we have no key: the buy is refused here, with what to do."""
    (tmp_path / "folder").mkdir()
    executor = KeyedExecutor(tmp_path / "folder", at("10:00:30"))
    executor.key = KEY
    executor.beat()
    with opened(tmp_path, at("10:00:30")) as bridge, pytest.raises(BridgeError, match="miniqmt key import"):
        bridge.buy("159201.SZ", 1.05, 1000)
    assert executor.folder.signals() == []


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host named ``mac`` with a key."""
    for module in ("halt_writing", "resume", "status_report", "own_files"):
        monkeypatch.setattr(f"commands.{module}.host_name", lambda: "mac")
    made = make_host(tmp_path, monkeypatch)
    write_key(made.runtime / KEY_FILE, KEY)
    made.folder = DropFolder(made.folder.path, key=KEY)
    return made


def test_halt_and_resume_sign_what_they_write(host: Host) -> None:
    """``miniqmt halt`` and ``resume`` with a key: both files hold under it, and the lift is one."""
    name = "halt.operator@mac.json"
    host.run("halt", "--reason", "look", "--wait", "0")
    assert reads_as_halt(host.folder.halts()[name], KEY, name) == (True, "look")
    host.run("resume", "--reason", "looked", "--yes", "--wait", "0")
    assert reads_as_halt(host.folder.halts()[name], KEY, name) == (False, "looked")
    assert reads_as_halt(host.folder.halts()[name], OTHER, name)[0]


def test_a_key_that_cannot_be_used_stops_no_halt(host: Host) -> None:
    """Damaged key: the halt is written unsigned, which halts, and says what is wrong with the key."""
    (host.runtime / KEY_FILE).write_text("damaged")
    ended = host.run("halt", "--reason", "now", "--wait", "0")
    assert "密钥长度不对" in ended.output
    name = "halt.operator@mac.json"
    assert reads_as_halt(host.folder.halts()[name], KEY, name) == (True, "now")


def test_status_names_heartbeats_it_cannot_believe(host: Host) -> None:
    """An unsigned heartbeat is no living executor, and status says which file and why."""
    host.heartbeat()
    ended = host.run("status")
    assert "签名不符" in ended.output and "executor-simulate-1" in ended.output and ended.exit_code == 1
