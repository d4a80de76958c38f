"""The executor with real files: what lies in the folder is executed once, answered, moved, never lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from shared_schema.clock import Moment
from shared_schema.drop_folder.names import EXECUTED, RESULT_SLOT, RESULTS_FOLDER, SIGNAL_SLOT, halt_name
from shared_schema.errors import StateError
from shared_schema.ids import SignalId
from shared_schema.messages import Quote, QuoteSnapshot, Received, decode_result
from shared_schema.sessions import trading_day_of
from tests.execution.bench import FUND, OPEN_AT, envelope_of
from tests.execution.shell import Shell
from tests.mac_side.world import at
from windows_side.execution.events import QuoteSeen
from windows_side.executor import KEYBOARD_INTERVAL
from windows_side.executor_views import RESTORE_INTERVAL
from windows_side.keyboard import STALE, Typed, type_order

SEED = {"signal_id": "s1", "code": "159201.SZ", "direction": "BUY", "price": 1.2, "shares": 1000}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A ready executor whose broker fills at once."""
    shell = Shell(tmp_path).ready()
    yield shell
    shell.kill()


def seed_line(**changes: object) -> bytes:
    """The seed's format, of this moment."""
    return orjson.dumps(SEED | {"timestamp": time.time()} | changes)


def test_a_dropped_file_is_an_order_a_result_and_an_archive(shell: Shell) -> None:
    """The whole way once: order, filled result in both places, ``.done``, and the id in the list."""
    shell.drop(shell.signal())
    result = shell.settled()
    assert (result.status, result.filled_shares, result.state) == ("success", 1000, "filled")
    assert shell.orders == 1
    assert shell.names("order_signal_done") == ["order_signal_s1.done"]
    assert "order_signal_s1.json" not in shell.names()
    assert decode_result((shell.folder.path / RESULT_SLOT).read_bytes()).body == result
    shell.skip += 1.1
    shell.executor.turn()
    assert orjson.loads((shell.folder.path / EXECUTED).read_bytes())["signal_ids"] == ["s1"]


def test_the_executed_list_holds_refused_and_expired_ids_newest_last(shell: Shell) -> None:
    """Every id that will never be executed again; none that is still open."""
    shell.drop(shell.signal("refused", shares=150))
    shell.settled("refused")
    shell.drop(shell.signal("late", timestamp=time.time() - 400))
    shell.settled("late")
    shell.instant = False
    shell.drop(shell.signal("open", shares=300))
    shell.until(lambda: shell.orders == 1)
    shell.skip += 1.1
    shell.executor.turn()
    assert orjson.loads((shell.folder.path / EXECUTED).read_bytes())["signal_ids"] == ["refused", "late"]


def test_the_executed_list_lets_ids_go_after_a_month_without_a_restart(shell: Shell) -> None:
    """An executor that runs for a year writes a month of them, not a year, at each order's end."""
    shell.drop(shell.signal())
    shell.settled()
    listed = []
    for days in (28, 32):
        evening = at("22:00:00", trading_day_of(time.time() + days * 86_400.0))
        shell.ahead = evening - time.time()
        shell.skip += 1.1
        shell.executor.turn()
        listed.append(orjson.loads((shell.folder.path / EXECUTED).read_bytes())["signal_ids"])
    assert listed == [["s1"], []]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"shares": 100.7}, "wrong_type"),
        ({"shares": "1000"}, "wrong_type"),
        ({"shares": True}, "wrong_type"),
        ({"price": "1.2"}, "wrong_type"),
        ({"shares": -100}, "out_of_range"),
        ({"price": 0}, "out_of_range"),
        ({"direction": "HOLD"}, "out_of_range"),
        ({"code": "600000.SH"}, "code_not_allowed"),
        ({"price": 1.2005}, "off_tick"),
        ({"shares": 150}, "bad_quantity"),
        ({"shares": 200_000}, "too_many_shares"),
        ({"price": 70.0}, "too_much_money"),
        ({"timestamp": 1.0}, "expired"),
        ({"timestamp": 4e9}, "from_future"),
        ({"signal_id": "../../x"}, "bad_id"),
        ({"signal_id": "CON"}, "bad_id"),
        ({"signal_id": "a" * 300}, "bad_id"),
        ({"signal_id": "a\nb"}, "bad_id"),
        ({"venue": "x"}, "unknown_field"),
        ({"direction": "SELL"}, "not_enough_shares"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else None,
)
def test_a_bad_signal_fails_with_its_word(shell: Shell, changes: dict[str, object], code: str) -> None:
    """Never executed; a failed result with a stable word and a sentence; the next good one passes."""
    shell.put(SIGNAL_SLOT, seed_line(**changes))
    signal_id = str(changes.get("signal_id", "s1"))
    result = shell.settled(signal_id)
    assert (result.status, result.error_code, shell.orders) == ("failed", code, 0)
    assert len(result.message) > 5
    assert SIGNAL_SLOT not in shell.names()
    escaped = [path for path in shell.place.rglob("*x.json") if shell.folder.path not in path.parents]
    assert escaped == []
    shell.drop(shell.signal("good"))
    assert shell.settled("good").status == "success"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "unreadable"),
        (b"\0" * 300, "unreadable"),
        (seed_line()[:60], "unreadable"),
        (b"[1, 2]", "not_an_object"),
        (b'{"signal_id": "s1", "price": NaN}', "unreadable"),
        (b'{"signal_id": "s1", "price": 1e400}', "unreadable"),
        (b'{"signal_id": "s1", "signal_id": "s2"}', "duplicate_key"),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, "unreadable"),
        ('{"reason": "买入"}'.encode("gbk"), "unreadable"),
        (b'{"signal_id": "s1", "schema_version": 2}', "damaged"),
        (b'{"signal_id": "s1", "reason": "' + b"x" * 70_000 + b'"}', "too_large"),
        (b"x" * 20_000_000, "too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_trusted_goes_to_quarantine_with_its_reason(
    shell: Shell, raw: bytes, code: str
) -> None:
    """No id can be trusted: kept whole with the reason once it has settled, no result, executor alive."""
    shell.put("order_signal_s1.json", raw)
    shell.executor.turn()
    assert shell.names("quarantine") == []
    shell.skip += 6
    shell.executor.turn()
    assert shell.reasons() == [code]
    kept = [name for name in shell.names("quarantine") if not name.endswith(".reason.json")]
    assert [(shell.folder.path / "quarantine" / name).read_bytes() for name in kept] == [raw]
    assert shell.names(RESULTS_FOLDER) == [] and "order_signal_s1.json" not in shell.names()
    shell.drop(shell.signal("good"))
    assert shell.settled("good").status == "success"


def test_a_byte_order_mark_is_read(shell: Shell) -> None:
    """Windows tools write it."""
    shell.put(SIGNAL_SLOT, b"\xef\xbb\xbf" + seed_line())
    assert shell.settled().status == "success"


def test_a_half_written_file_is_executed_when_it_is_whole(shell: Shell) -> None:
    """A sync tool may take its time; within the settle time nothing is put apart."""
    raw = shell.bytes_of(shell.signal())
    for length in (0, 10, len(raw) // 2, len(raw) - 1):
        (shell.folder.path / "order_signal_s1.json").write_bytes(raw[:length])
        shell.skip += 3
        shell.executor.turn()
    (shell.folder.path / "order_signal_s1.json").write_bytes(raw)
    assert shell.settled().status == "success"
    assert shell.names("quarantine") == []


def test_an_unknown_newer_version_is_kept(shell: Shell) -> None:
    """Left where it is, said, never executed."""
    from shared_schema.integrity import checksum

    payload = {"schema_version": 3, "signal_id": "s1", "anything": "new"}
    shell.put("order_signal_s1.json", orjson.dumps(payload | {"checksum": checksum(payload)}))
    shell.skip += 10
    shell.executor.turn()
    assert "order_signal_s1.json" in shell.names()
    assert "unknown_version" in shell.lines.actions


def test_conflict_copies_are_moved_aside_and_temp_names_ignored(shell: Shell) -> None:
    """Faults 31 and 32: nothing of them is executed; books of a strategy named like a copy stay."""
    raw = shell.bytes_of(shell.signal())
    for name in ("order_signal_s1 (1).json", "order_signal_s1-HOST.json", ".order_signal_s1.json.tmp"):
        (shell.folder.path / name).write_bytes(raw)
    (shell.folder.path / "dashboard_state_grid_2.json").write_bytes(b"{}")
    shell.executor.turn()
    assert sorted(shell.reasons()) == ["conflict_copy", "conflict_copy"]
    assert {".order_signal_s1.json.tmp", "dashboard_state_grid_2.json"} <= set(shell.names())
    assert shell.orders == 0


def test_the_slot_overwritten_between_read_and_archive_loses_nothing(shell: Shell) -> None:
    """Rule 1: what was moved is read; another id found there is a newly found signal, good or bad."""
    shell.put(SIGNAL_SLOT, shell.bytes_of(shell.signal("first")))
    waiting = [shell.bytes_of(shell.signal("second", shares=500)), seed_line(signal_id="third", shares=True)]
    archive = shell.folder.archive

    def overwritten(name: str, signal_id: SignalId) -> bytes | None:
        if waiting:
            shell.put(SIGNAL_SLOT, waiting.pop(0))
        return archive(name, signal_id)

    shell.folder.archive = overwritten  # type: ignore[method-assign]
    assert shell.settled("first").status == "success"
    assert shell.settled("second").status == "success"
    assert shell.settled("third").error_code == "wrong_type"
    assert shell.orders == 2
    assert {"order_signal_second.done", "order_signal_third.done"} <= set(shell.names("order_signal_done"))


def test_a_failing_archive_is_no_second_order(shell: Shell) -> None:
    """The move is a courtesy: the file stays, is known, and goes once it can."""
    shell.disk.fails = lambda step, path: step == "replace" and path.suffix == ".done"
    shell.drop(shell.signal())
    assert shell.settled().status == "success"
    shell.skip += 1
    shell.executor.turn()
    assert shell.orders == 1 and "order_signal_s1.json" in shell.names()
    shell.disk.fails = lambda step, path: False
    shell.skip += 1
    shell.executor.turn()
    assert "order_signal_s1.json" not in shell.names()


def test_a_result_the_folder_refused_is_written_when_it_can_be(shell: Shell) -> None:
    """A full disk for a moment must not leave the strategy without its end."""
    shell.disk.fails = lambda step, path: path.parent.name == RESULTS_FOLDER
    shell.drop(shell.signal())
    shell.until(lambda: shell.orders == 1 and not shell.core.book.open() and shell.core.book.everything())
    assert shell.result() is None
    shell.disk.fails = lambda step, path: False
    shell.skip += 1
    assert shell.settled().status == "success"


def test_a_folder_that_is_gone_for_a_while_stops_nothing(shell: Shell) -> None:
    """Fault 25: said once, and the work goes on when it is back."""
    shell.disk.fails = lambda step, path: step == "list"
    for _ in range(3):
        shell.executor.turn()
    assert shell.lines.actions.count("folder_failed") == 1
    shell.disk.fails = lambda step, path: False
    shell.drop(shell.signal())
    assert shell.settled().status == "success"


def test_a_commit_that_fails_ends_the_executor_before_the_broker_hears(shell: Shell) -> None:
    """Fault 26: no submit without a durable INTENT; after a restart the signal is executed once."""

    def full(change: object) -> None:
        raise StateError("executor.ledger_damaged", "ledger", detail="disk full")

    shell.ledger.commit = full  # type: ignore[method-assign, assignment]
    shell.drop(shell.signal())
    with pytest.raises(StateError):
        shell.executor.turn()
    assert shell.orders == 0 and "order_signal_s1.json" in shell.names()
    shell.restart()
    assert shell.settled().status == "success"
    assert shell.orders == 1


def test_results_are_written_again_on_restart_byte_for_byte(shell: Shell) -> None:
    """Results are views: lost or rolled back, a start restores them, and a known signal too."""
    shell.drop(shell.signal())
    shell.settled()
    path = shell.folder.path / RESULTS_FOLDER / "order_result_s1.json"
    before = path.read_bytes()
    path.unlink()
    shell.restart()
    assert path.read_bytes() == before
    path.write_bytes(b"old")
    shell.ready()
    (shell.folder.path / "order_signal_done" / "order_signal_s1.done").rename(
        shell.folder.path / "order_signal_s1.json"
    )
    shell.executor.turn()
    assert path.read_bytes() == before and shell.orders == 1


def test_a_result_lost_or_rolled_back_is_restored_while_it_is_news(shell: Shell) -> None:
    """Rule 14: a file of ours that is missing or behind the ledger is written again, the same bytes."""
    shell.drop(shell.signal())
    shell.settled()
    path = shell.folder.path / RESULTS_FOLDER / "order_result_s1.json"
    before = path.read_bytes()
    for damage in (path.unlink, lambda: path.write_bytes(b"old")):
        damage()
        shell.skip += RESTORE_INTERVAL
        shell.executor.turn()
        assert path.read_bytes() == before


def test_a_restart_finds_its_open_orders_again(shell: Shell) -> None:
    """An order that rests at the broker is ours after a kill, and a cancel reaches it."""
    shell.instant = False
    shell.drop(shell.signal())
    shell.until(lambda: shell.core.book.everything() and shell.core.book.everything()[0].order_id)
    shell.restart()
    shell.ready()
    shell.drop(shell.signal("c1", action="cancel", target_signal_id="s1"))
    assert shell.settled().state == "cancelled"
    assert shell.settled("c1").status == "success"
    assert shell.orders == 1


def halt_file(shell: Shell, raw: bytes, writer: str = "dashboard@mac") -> None:
    """A halt file, as it lies there."""
    (shell.folder.path / "control" / halt_name(writer)).write_bytes(raw)


def test_a_half_written_halt_halts_and_its_writers_newer_file_lifts_it(shell: Shell) -> None:
    """Fault 68: latched even when the file goes; an older "resumed" lifts nothing."""
    halt_file(shell, b'{"halt": tr')
    shell.executor.turn()
    assert shell.core.halt_since is not None
    halt_file(shell, b'{"halt": true, "reason": "look", "at": 100.0}')
    shell.executor.turn()
    assert "look" in shell.core.halt_reason
    (shell.folder.path / "control" / halt_name("dashboard@mac")).unlink()
    shell.restart()
    shell.ready()
    assert shell.core.halt_since is not None
    halt_file(shell, b'{"halt": false, "at": 99.0}')
    shell.executor.turn()
    assert shell.core.halt_since is not None
    halt_file(shell, b'{"halt": false, "at": 101.0}')
    shell.executor.turn()
    assert shell.core.halt_since is None
    shell.drop(shell.signal())
    assert shell.settled().status == "success"


@pytest.mark.parametrize("hour", [9.6, 11.75, 14.96])
def test_the_guard_knows_the_session(tmp_path: Path, hour: float) -> None:
    """Fault 41: an order that waited for the link to come back is not sent into lunch or the closing call."""
    shell = Shell(tmp_path, enforce_sessions=True)
    now, midnight = time.time(), OPEN_AT - 10 * 3600
    shell.clock.quote_seen(now, midnight + hour * 3600)
    stops = shell.executor.broker.stops(FUND, now + 60)
    shell.kill()
    assert stops == (None if hour < 11.5 else "outside_session")


def test_the_guard_knows_the_exchanges_time(tmp_path: Path) -> None:
    """Our clock 50 s behind, the order waited for its turn: the newest tick is of the closing call."""
    shell = Shell(tmp_path, enforce_sessions=True)
    now, midnight = time.time(), OPEN_AT - 10 * 3600
    shell.clock.quote_seen(now, midnight + 14 * 3600 + 56 * 60 + 50)
    stops = []
    for seconds in (-3, 40):
        quote = Quote(price=1.2, pre_close=1.2, tick_time=midnight + 14 * 3600 + 57 * 60 + seconds)
        body = QuoteSnapshot(code=FUND, price=1.2, quotes={FUND: quote})
        shell.core.handle(QuoteSeen(Received(envelope_of(written_at=now), body, b"")), Moment(now, now))
        stops.append(shell.executor.broker.stops(FUND, now + 60))
    shell.kill()
    assert stops == [None, "outside_session"]


def test_the_guard_sees_a_halt_the_loop_has_not_seen(shell: Shell) -> None:
    """Looked at last, directly before the native call; a folder that can't be read halts too."""
    assert shell.executor.broker.stops(FUND, time.time() + 10) is None
    assert shell.executor.broker.stops(FUND, time.time() - 1) == "expired"
    halt_file(shell, b"{}")
    assert shell.executor.broker.stops(FUND, time.time() + 10) == "halt"
    (shell.folder.path / "control" / halt_name("dashboard@mac")).unlink()
    shell.disk.fails = lambda step, path: step == "list"
    assert shell.executor.broker.stops(FUND, time.time() + 10) == "halt"
    shell.disk.fails = lambda step, path: False


def test_resume_at_the_keyboard_lifts_the_halt_though_its_file_stays(shell: Shell) -> None:
    """The very same file does not halt again; a changed one does."""
    halt_file(shell, b'{"halt": true, "reason": "a"}')
    shell.executor.turn()
    type_order(shell.place, Typed(kind="resume", reason="ok", by="me", at=time.time()))
    shell.skip += KEYBOARD_INTERVAL
    shell.executor.turn()
    assert shell.core.halt_since is None
    shell.drop(shell.signal())
    assert shell.settled().status == "success"
    halt_file(shell, b'{"halt": true, "reason": "b"}')
    shell.executor.turn()
    assert shell.core.halt_since is not None


@pytest.mark.parametrize("raw", [b"", b"stop\n"])
def test_a_halt_made_by_hand_again_halts_again(shell: Shell, raw: bytes) -> None:
    """``touch control/halt``, resume, the file removed; in the next emergency the same is typed once more."""
    path = shell.folder.path / "control" / "halt"
    path.write_bytes(raw)
    shell.executor.turn()
    assert shell.core.halt_since is not None
    type_order(shell.place, Typed(kind="resume", reason="ok", by="me", at=time.time()))
    shell.skip += KEYBOARD_INTERVAL
    shell.executor.turn()
    assert shell.core.halt_since is None and shell.executor.broker.stops(FUND, time.time() + 10) is None
    path.unlink()
    shell.executor.turn()
    path.write_bytes(raw)
    assert shell.executor.broker.stops(FUND, time.time() + 10) == "halt"
    shell.executor.turn()
    assert shell.core.halt_since is not None


def test_a_stale_resume_is_not_followed(shell: Shell) -> None:
    """What was typed while no executor ran must not lift a halt that came later."""
    halt_file(shell, b'{"halt": true}')
    shell.executor.turn()
    type_order(shell.place, Typed(kind="resume", reason="ok", by="me", at=time.time() - STALE - 1))
    shell.skip += KEYBOARD_INTERVAL
    shell.executor.turn()
    assert shell.core.halt_since is not None
    assert "typed_order_stale" in shell.lines.actions


def test_a_snapshot_due_while_the_broker_is_closed_holds_up_nothing(shell: Shell) -> None:
    """Found by real kills: at the clean end it stopped the folder's thread; the executed ids were lost."""
    shell.drop(shell.signal())
    shell.settled()
    shell.executor._outgoing._views.account_changed()
    shell.broker.close()
    shell.executor._outgoing.views()
    shell.executor.end()
    assert orjson.loads((shell.folder.path / EXECUTED).read_bytes())["signal_ids"] == ["s1"]
