"""``miniqmt recover``: the new ledger knows all that can be known, says the rest, executes nothing twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from commands.main import app_for
from shared_schema.clock import Moment
from shared_schema.drop_folder.names import (
    DONE_FOLDER,
    EXECUTED,
    RESULTS_FOLDER,
    done_name,
    result_name,
)
from shared_schema.errors import SettingsError
from shared_schema.ids import SignalId
from tests.execution.shell import ACCOUNT, Shell
from windows_side.execution.ledger import DOUBT_BEFORE, Change
from windows_side.execution.sqlite_ledger import SqliteLedger
from windows_side.ledger_opening import open_ledger
from windows_side.single_instance import hold_single_instance


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A ready executor whose host's settings name its own files."""
    config = tmp_path / "miniqmt.toml"
    config.write_text("[executor]\nsimulate = true\ncounter_dir = 'elsewhere'\n")
    monkeypatch.setenv("MINIQMT_CONFIG", str(config))
    monkeypatch.setenv("MINIQMT_SHARED_DIR", str(tmp_path / "exchange"))
    monkeypatch.setenv("RUNTIME_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    shell = Shell(tmp_path).ready()
    yield shell
    shell.kill()


def run(*typed: str, text: str = "RECOVER\n") -> Any:
    """The command line as a person types it."""
    return CliRunner().invoke(app_for(typed), list(typed), input=text)


def lose(shell: Shell) -> None:
    """The executor ended and its ledger is gone."""
    shell.kill()
    for tail in ("", "-wal", "-shm"):
        Path(f"{shell.files.ledger}{tail}").unlink(missing_ok=True)


def heartbeats(shell: Shell) -> list[Path]:
    """The executors' heartbeat files."""
    return list((shell.folder.path / "heartbeat").glob("executor-*.json"))


def begin(shell: Shell) -> None:
    """The executor starts over what recover has made."""
    shell.lines.actions.clear()
    shell._begin()
    shell.ready()


def test_a_lost_ledger_is_made_again_and_nothing_is_executed_twice(shell: Shell) -> None:
    """All known: exit 0, same instance, same results, and every old signal is consumed without an order."""
    signals = [shell.signal("s1"), shell.signal("s2", shares=500), shell.signal("bad", shares=150)]
    for signal in signals:
        shell.drop(signal)
    before = {signal.signal_id: shell.settled(signal.signal_id) for signal in signals}
    instance, held = shell.instance, shell.broker.positions()
    lose(shell)
    ended = run("recover")
    assert ended.exit_code == 0, ended.output
    begin(shell)
    assert (shell.instance, shell.core.halt_since, shell.orders) == (instance, None, 2)
    for signal in signals:
        shell.drop(signal)
    shell.until(lambda: not [name for name in shell.names() if name.startswith("order_signal_")])
    for signal in signals:
        after = shell.result(signal.signal_id)
        assert after is not None
        was = before[signal.signal_id]
        assert (after.state, after.trades, after.signal_digest) == (was.state, was.trades, was.signal_digest)
    assert shell.orders == 2 and shell.broker.positions() == held
    report = next(shell.place.glob("recover-*.txt")).read_text("utf-8")
    assert "3" in report


def test_what_was_under_way_is_held_and_then_adopted_by_its_tag(shell: Shell) -> None:
    """Result gone, archive there: the broker's own books show it under its tag; no second order."""
    shell.instant = False
    shell.drop(shell.signal("s1"))
    shell.until(lambda: shell.orders == 1 and shell.names(DONE_FOLDER))
    shell.until(lambda: shell.result("s1") is not None)
    lose(shell)
    (shell.folder.path / RESULTS_FOLDER / result_name(SignalId("s1"))).unlink()
    ended = run("recover")
    assert ended.exit_code == 0, "the broker's own books show it under its tag"
    begin(shell)
    shell.until(lambda: (row := shell.core.book.get(SignalId("s1"))) is not None and row.order_id)
    assert shell.orders == 1


def test_what_nobody_can_tell_is_unknown_and_halts(shell: Shell) -> None:
    """Archive without result and without an order: unknown, in the report, halted until a person resumes."""
    shell.drop(shell.signal("s1"))
    shell.settled("s1")
    lose(shell)
    (shell.folder.path / RESULTS_FOLDER / result_name(SignalId("s1"))).unlink()
    shell.files.simulated_books.unlink()
    ended = run("recover")
    assert ended.exit_code == 1 and "s1" in ended.output
    ledger = open_ledger(shell.files.ledger, "simulate", ACCOUNT)
    row = ledger.order(SignalId("s1"))
    ledger.close()
    assert row is not None and row.state == "unknown" and row.filled_shares == 0
    begin(shell)
    assert shell.core.halt_since is not None


def test_an_id_of_which_nothing_else_is_left_is_never_executed(shell: Shell) -> None:
    """``executed_signals.json`` alone: consumed with an alarm, no order, no invented result, still listed."""
    signal = shell.signal("s1")
    shell.drop(signal)
    shell.settled("s1")
    shell.skip += 1.1
    shell.executor.turn()
    lose(shell)
    (shell.folder.path / RESULTS_FOLDER / result_name(SignalId("s1"))).unlink()
    (shell.folder.path / DONE_FOLDER / done_name(SignalId("s1"))).unlink()
    assert run("recover").exit_code == 1
    begin(shell)
    shell.drop(signal)
    shell.until(lambda: "order_signal_s1.json" not in shell.names())
    assert shell.orders == 1 and shell.result("s1") is None
    assert "settled_without_record" in shell.lines.actions
    shell.skip += 1.1
    shell.executor.turn()
    assert "s1" in orjson.loads((shell.folder.path / EXECUTED).read_bytes())["signal_ids"]


def test_a_signal_found_nowhere_is_doubted(shell: Shell) -> None:
    """Only a dashboard's outbox has it: it comes again, is adopted by its tag, and is never placed twice."""
    signal = shell.signal("s1")
    shell.drop(signal)
    shell.settled("s1")
    lose(shell)
    for name in (
        f"{RESULTS_FOLDER}/{result_name(SignalId('s1'))}",
        f"{DONE_FOLDER}/{done_name(SignalId('s1'))}",
    ):
        (shell.folder.path / name).unlink()
    (shell.folder.path / EXECUTED).unlink(missing_ok=True)
    ended = run("recover")
    assert ended.exit_code == 1 and "1" in ended.output, "an order with our tag that no signal explains"
    shell.lines.actions.clear()
    shell._begin()
    shell.drop(signal)
    assert shell.settled("s1").filled_shares == 1000 and shell.orders == 1


def test_a_damaged_ledger_is_kept_aside_byte_for_byte(shell: Shell) -> None:
    """The old file is renamed, never changed; what could not be read of it stands in the report."""
    shell.drop(shell.signal("s1"))
    shell.settled("s1")
    shell.kill()
    shell.files.ledger.write_bytes(b"garbage" * 1000)
    ended = run("recover")
    assert ended.exit_code == 1 and shell.files.ledger.name in ended.output
    (aside,) = shell.place.glob("*.aside-*")
    assert aside.read_bytes() == b"garbage" * 1000
    begin(shell)
    assert shell.core.book.get(SignalId("s1")) is not None


def test_a_ledger_of_another_machine_becomes_this_ones_under_a_new_name(shell: Shell) -> None:
    """Its rows are kept, the instance is new: signals for the old one stay alone. Not while that lives."""
    shell.drop(shell.signal("s1"))
    shell.settled("s1")
    old = shell.instance
    shell.kill()
    ledger = SqliteLedger(shell.files.ledger, dict)
    bound = {"mode": "simulate", "account": "main", "host": "elsewhere"}
    ledger.commit(Change(meta={"bound_to": bound}))
    ledger.close()
    held = run("recover").exception
    assert isinstance(held, SettingsError) and held.key == "single_instance.other_executor"
    heartbeats(shell)[0].unlink()
    assert run("recover").exit_code == 0
    begin(shell)
    assert shell.instance != old and shell.core.book.digest_of(SignalId("s1")) is not None


def test_on_a_host_without_the_executor_it_makes_no_stray_ledger(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Typed where the executor never ran, while it lives elsewhere: refused, and nothing is made."""
    shell.drop(shell.signal("s1"))
    shell.settled("s1")
    monkeypatch.setenv("RUNTIME_DIR", str(tmp_path / "other_host"))
    monkeypatch.setattr("windows_side.recovery.host_name", lambda: "mac")
    (tmp_path / "miniqmt.toml").write_text("[executor]\nsimulate = true\ncounter_dir = 'mac_counter'\n")
    for typed in (("recover",), ("recover", "--rebuild")):
        held = run(*typed).exception
        assert isinstance(held, SettingsError) and held.key == "single_instance.other_executor"
    assert not list((tmp_path / "other_host").glob("*.sqlite3*"))


def test_without_the_word_nothing_changes(shell: Shell) -> None:
    """Exit 1, no file made, the ledger still missing."""
    shell.drop(shell.signal("s1"))
    shell.settled("s1")
    lose(shell)
    ended = run("recover", text="yes\n")
    assert ended.exit_code == 1
    assert not shell.files.ledger.exists() and not list(shell.place.glob("recover-*"))


def test_a_sound_ledger_needs_nothing(shell: Shell) -> None:
    """Exit 0 and the same bytes; also where there never was one."""
    shell.kill()
    before = shell.files.ledger.read_bytes()
    assert run("recover").exit_code == 0
    assert shell.files.ledger.read_bytes() == before


def test_a_running_executor_keeps_recover_out(shell: Shell) -> None:
    """Exit 2 and who holds the folder."""
    lock = hold_single_instance("executor", shell.place, shell.folder.path)
    ended = run("recover")
    lock.release()
    assert isinstance(ended.exception, Exception) and ended.exception.exit_code == 2  # type: ignore[attr-defined]


def test_a_second_run_after_a_kill_in_the_middle_ends_the_same(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between putting the old file aside and the new one in place: run again, all is there."""
    shell.drop(shell.signal("s1"))
    shell.settled("s1")
    shell.kill()
    shell.files.ledger.write_bytes(b"garbage")
    from shared_schema.disk import LocalDisk

    replace = LocalDisk.replace

    def die(disk: LocalDisk, source: Path, target: Path) -> None:
        if source.name.endswith(".recovered"):
            raise KeyboardInterrupt
        replace(disk, source, target)

    with monkeypatch.context() as patch:
        patch.setattr(LocalDisk, "replace", die)
        run("recover")
    assert not shell.files.ledger.exists()
    assert run("recover").exit_code == 0
    ledger = open_ledger(shell.files.ledger, "simulate", ACCOUNT)
    assert ledger.order(SignalId("s1")) is not None
    assert ledger.load().meta[DOUBT_BEFORE] > time.time()
    ledger.close()


def test_the_cash_pool_is_made_again(shell: Shell) -> None:
    """What was bought and not sold stays in use, whether the ledger could still be read or not."""
    shell.drop(shell.signal("s1", client_order_id="s1"))
    shell.drop(shell.signal("s2", client_order_id="s2", shares=500, layer_index=1))
    used = sum(shell.settled(name).average_price * shell.settled(name).filled_shares for name in ("s1", "s2"))

    def shown() -> float:
        pool = shell.core.pool(Moment(time.time(), time.time()))
        assert pool is not None
        return float(pool.model_dump()["used_159201"])

    assert used > 0 and shown() == pytest.approx(used)
    shell.kill()
    assert run("recover").exit_code == 0
    begin(shell)
    assert shown() == pytest.approx(used)
    lose(shell)
    assert run("recover").exit_code == 0
    begin(shell)
    assert shown() == pytest.approx(used)
