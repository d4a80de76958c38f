"""The risk: an executor that has a key and does not look, and so trades for whoever can write the folder."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import (
    ACCOUNT_SIMULATE,
    EXECUTED,
    HEARTBEAT_FOLDER,
    QUARANTINE_FOLDER,
    QUOTE,
    RESULT_SLOT,
    RESULTS_FOLDER,
    halt_name,
    result_name,
    signal_name,
)
from shared_schema.ids import SignalId
from shared_schema.integrity import Key
from shared_schema.keys import KEY_FILE, write_key
from shared_schema.messages import (
    Envelope,
    ExecutedSignals,
    Halt,
    OrderSignal,
    QuoteSnapshot,
    decode_account,
    decode_heartbeat,
    decode_result,
    encode,
)
from shared_schema.messages.record import decode
from shared_schema.sessions import trading_day_of
from shared_schema.settings import load_settings
from tests.execution.bench import FUND, envelope_of, signal_of
from tests.execution.shell import Shell
from windows_side.execution.actions import Action
from windows_side.execution.events import Event, QuoteSeen
from windows_side.order_executor import run

KEY, OTHER = Key(b"k" * 32), Key(b"o" * 32)
SETTLED = 5.1
"""Seconds after which an unusable file goes to quarantine."""


class KeyedShell(Shell):
    """An executor whose folder has a key; it may lose or change it at a restart."""

    key: Key | None = KEY

    def _begin(self) -> None:
        self.folder.key = self.key
        super()._begin()

    def sealed(self, signal: OrderSignal, key: Key | None = KEY, **changes: object) -> bytes:
        """The file of ``signal``; ``changes`` are those of its envelope."""
        now = time.time()
        head = envelope_of(1, written_at=now, market_time=now, trading_day=trading_day_of(now))
        return encode(Envelope.model_validate(head.model_dump() | changes), signal, key)

    def offer(self, raw: bytes, name: str = "order_signal_s1.json") -> None:
        """Lay a file there and look at it until it has settled."""
        self.put(name, raw)
        self.executor.turn()
        self.skip += SETTLED
        self.executor.turn()
        self.executor.turn()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[KeyedShell]:
    """A ready executor with a key."""
    shell = KeyedShell(tmp_path)
    shell.ready()
    yield shell
    shell.kill()


def test_a_signed_signal_is_executed_and_everything_about_it_is_signed(shell: KeyedShell) -> None:
    """One order; result (both places), executed ids, snapshot and heartbeat all hold under the key."""
    shell.put("order_signal_s1.json", shell.sealed(shell.signal()))
    assert shell.settled().filled_shares == 1000 and shell.orders == 1
    shell.skip += 6
    shell.executor.turn()
    place = shell.folder.path
    assert decode_result((place / RESULT_SLOT).read_bytes(), key=KEY).signed
    assert decode_result((place / RESULTS_FOLDER / result_name(SignalId("s1"))).read_bytes(), key=KEY).signed
    assert decode((place / EXECUTED).read_bytes(), ExecutedSignals, key=KEY).signed
    assert decode_account((place / ACCOUNT_SIMULATE).read_bytes(), key=KEY).signed
    (beat,) = (place / HEARTBEAT_FOLDER).glob("executor-*.json")
    assert decode_heartbeat(beat.read_bytes(), key=KEY).signed


def _version_1(shell: KeyedShell) -> bytes:
    seed = {"signal_id": "s1", "code": FUND, "direction": "BUY", "price": 1.2, "shares": 1000}
    return orjson.dumps(seed | {"timestamp": time.time()})


UNSIGNED_FILES: dict[str, Callable[[KeyedShell], bytes]] = {
    "bad_signature": lambda shell: shell.sealed(shell.signal(), None),
    "bad_signature (another key)": lambda shell: shell.sealed(shell.signal(), OTHER),
    "bad_signature (broken record)": lambda shell: shell.sealed(shell.signal(shares=100_000_000), None),
    "bad_signature (a cancel)": lambda shell: shell.sealed(
        shell.signal(action="cancel", target_signal_id="s0"), None
    ),
    "version_1": _version_1,
}


@pytest.mark.parametrize("case", UNSIGNED_FILES)
def test_what_is_not_signed_is_kept_apart_and_answered_by_nothing(shell: KeyedShell, case: str) -> None:
    """No order, result or row; in quarantine with the reason; one alarm however often it is seen."""
    for _ in range(3):
        shell.offer(UNSIGNED_FILES[case](shell))
    assert shell.orders == 0 and shell.result() is None
    assert shell.core.book.get(SignalId("s1")) is None
    assert set(shell.reasons()) == {case.partition(" ")[0]}
    assert shell.lines.actions.count("not_signed") == 1
    # The id was not burnt by it: the real signal of that id is executed.
    shell.put("order_signal_s1.json", shell.sealed(shell.signal()))
    assert shell.settled().filled_shares == 1000


def test_a_recorded_signal_does_nothing_a_second_time(shell: KeyedShell) -> None:
    """Replayed byte for byte, under its own name, the slot or after a restart: one order for ever."""
    raw = shell.sealed(shell.signal())
    shell.put("order_signal_s1.json", raw)
    shell.settled()
    for name in ("order_signal_s1.json", "order_signal.json"):
        shell.put(name, raw)
        shell.executor.turn()
        assert name not in shell.names()
    shell.restart()
    shell.ready()
    shell.put("order_signal_s1.json", raw)
    shell.executor.turn()
    assert shell.orders == 1 and "order_signal_s1.json" not in shell.names()


def test_a_recorded_signal_of_elsewhere_or_long_ago_places_nothing(shell: KeyedShell) -> None:
    """Signed with our key, but expired, of another mode, account or executor: refused or left alone."""
    old = shell.signal("old", timestamp=time.time() - 400)
    shell.put(signal_name(SignalId("old")), shell.sealed(old))
    assert shell.settled("old").error_code == "expired"
    shell.put("order_signal_live.json", shell.sealed(shell.signal("live"), mode="live"))
    assert shell.settled("live").error_code == "other_mode"
    shell.put("order_signal_other.json", shell.sealed(shell.signal("other"), account="second"))
    assert shell.settled("other").error_code == "other_account"
    shell.put("order_signal_far.json", shell.sealed(shell.signal("far", executor="another")))
    shell.executor.turn()
    assert shell.result("far") is None and shell.orders == 0


def test_another_name_for_a_signed_file_is_a_conflict_copy(shell: KeyedShell) -> None:
    """A signed signal copied under a name of another id is not that id's signal."""
    shell.offer(shell.sealed(shell.signal()), "order_signal_s2.json")
    assert (shell.orders, shell.result("s1"), shell.result("s2")) == (0, None, None)
    assert shell.reasons() == ["conflict_copy"]


def test_quotes_of_a_stranger_move_no_market(shell: KeyedShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unsigned quote is not used and said once; a signed one is."""
    seen: list[object] = []
    handle = shell.core.handle

    def watched(event: Event, now: Moment) -> list[Action]:
        seen.append(event)
        return handle(event, now)

    monkeypatch.setattr(shell.core, "handle", watched)
    now = time.time()
    head = envelope_of(written_at=now, market_time=now, trading_day=trading_day_of(now))
    for price in (1.1, 1.2):
        shell.put(QUOTE, encode(head, QuoteSnapshot(code=FUND, price=price)))
        shell.executor.turn()
    assert not any(isinstance(event, QuoteSeen) for event in seen)
    assert shell.lines.actions.count("not_signed") == 1
    shell.put(QUOTE, encode(head, QuoteSnapshot(code=FUND, price=1.3), KEY))
    shell.executor.turn()
    assert [event.received.body.price for event in seen if isinstance(event, QuoteSeen)] == [1.3]


def test_anybody_halts_and_only_the_signed_lift_resumes(shell: KeyedShell) -> None:
    """Unsigned halt: halted. Unsigned, foreign, renamed, recorded lifts: still. The signed one lifts."""
    name = halt_name("operator@mac")

    def lay(body: Halt, key: Key | None, writer: str = "operator@mac", at: str = name) -> bool:
        raw = encode(envelope_of(writer=writer), body, key)
        shell.put(f"control/{at}", raw)
        shell.executor.turn()
        return shell.core.halt_since is not None

    recorded = Halt(halt=False, reason="an earlier lift", at=50.0)
    assert lay(Halt(reason="stop", at=100.0), None)
    assert shell.executor.broker.stops(FUND, time.time() + 60) == "halt"
    lift = Halt(halt=False, reason="checked", at=200.0)
    assert lay(lift, None) and lay(lift, OTHER) and lay(recorded, KEY)
    assert lay(lift, KEY, writer="operator@elsewhere")
    assert not lay(lift, KEY)
    assert shell.executor.broker.stops(FUND, time.time() + 60) is None


def test_the_guard_before_the_native_call_checks_the_signature_too(shell: KeyedShell) -> None:
    """A halt replaced by an unsigned lift before anybody latched it still stops the submit."""
    raw = encode(envelope_of(writer="operator@mac"), Halt(halt=False, at=1.0))
    shell.put(f"control/{halt_name('operator@mac')}", raw)
    assert shell.executor.broker.stops(FUND, time.time() + 60) == "halt"


def test_results_are_signed_again_when_the_key_changes(shell: KeyedShell) -> None:
    """After a restart with another key the results in the folder hold under it, with the same content."""
    shell.put("order_signal_s1.json", shell.sealed(shell.signal()))
    before = shell.settled()
    shell.key = OTHER
    shell.restart()
    shell.ready()
    raw = (shell.folder.path / RESULTS_FOLDER / result_name(SignalId("s1"))).read_bytes()
    assert decode_result(raw, key=OTHER).body == before


@pytest.mark.slow
@pytest.mark.parametrize("has_key", [True, False])
def test_the_process_itself_uses_the_key_of_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_key: bool
) -> None:
    """``order_executor.run``: with a key in RUNTIME_DIR an unsigned signal is kept apart and the start names
    the key; without one it is executed and the start says that anyone who can write the folder can trade."""
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    monkeypatch.chdir(tmp_path)
    overrides = {"shared_dir": exchange, "runtime_dir": tmp_path / "runtime", "log_dir": tmp_path / "logs"}
    settings = load_settings(
        overrides={**{name: str(path) for name, path in overrides.items()}, "executor.simulate": True}
    )
    if has_key:
        write_key(tmp_path / "runtime" / KEY_FILE, KEY)
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(settings, stop), kwargs={"console": False})
    thread.start()
    try:
        folder = DropFolder(exchange)
        beat = decode_heartbeat(_first(exchange / HEARTBEAT_FOLDER, "executor-*.json"))
        signal = signal_of("s1", timestamp=time.time(), executor=beat.body.instance)
        now = time.time()
        head = envelope_of(written_at=now, market_time=now, trading_day=trading_day_of(now))
        folder.publish("order_signal_s1.json", encode(head, signal))
        if has_key:
            reason = orjson.loads(_first(exchange / QUARANTINE_FOLDER, "*.reason.json"))
            assert reason["reason"] == "bad_signature" and beat.carries_signature
        else:
            result = decode_result(_first(exchange / RESULTS_FOLDER, "order_result_s1.json"))
            assert result.body.signal_id == "s1" and not result.carries_signature
        assert bool(list((exchange / RESULTS_FOLDER).glob("*.json"))) is not has_key
    finally:
        stop.set()
        thread.join(120.0)
    said = (tmp_path / "logs" / "order_executor.log").read_text(encoding="utf-8")
    assert ((" no_signing_key " in said), (" signing_key " in said)) == (not has_key, has_key)


def _first(folder: Path, pattern: str) -> bytes:
    """The bytes of the first file of ``pattern``, waited for."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = list(folder.glob(pattern)) if folder.is_dir() else []
        if found:
            return found[0].read_bytes()
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {folder}/{pattern}")
