"""Who works with whom changes by a typed word only, on the host that owns the binding, with a copy kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands import rebind as rebind_command
from commands.place import OperateError
from mac_side.bridge_client.signal_ids import FIRST_STRATEGY
from mac_side.single_engine import hold_engine
from tests.commands.hosts import Host
from windows_side.keyboard import FOLDER, Typed


def bound(path: Path) -> str:
    """The executor in a state file."""
    return str(json.loads(path.read_text(encoding="utf-8"))["executor"])


def refused(host: Host, *typed: str) -> str:
    """The key of the error a rebind ends with."""
    problem = host.run("rebind", "--yes", *typed).exception
    assert isinstance(problem, OperateError)
    return problem.key


def test_the_books_are_bound_to_the_executor_seen(host: Host) -> None:
    """Old and new are shown, the word is asked for, the file's other content stays, and a copy is kept."""
    path, before = host.books("simulate-old", counter=41)
    raw = path.read_bytes()
    (path.parent / "dashboard_state_backup.simulate.json").write_bytes(raw)  # a person's copies are no books
    (path.parent / "dashboard_state_old.json").write_text("{half", encoding="utf-8")
    host.heartbeat("simulate-new")
    assert host.run("rebind", text="no\n").exit_code == 1 and path.read_bytes() == raw
    ended = host.run("rebind", text="REBIND\n")
    assert ended.exit_code == 0 and "simulate-old" in ended.output and "simulate-new" in ended.output
    after = json.loads(path.read_text(encoding="utf-8"))
    assert (after["executor"], after["counter"], after["epoch"]) == ("simulate-new", 41, before.epoch)
    (copy,) = path.parent.glob(f"{path.name}.before-rebind-*")
    assert copy.read_bytes() == raw
    assert "simulate-new" in host.run("rebind", "--yes").output  # already bound: said, and nothing changes


def test_a_running_dashboard_keeps_its_books(host: Host) -> None:
    """While an engine holds the lock nothing is written."""
    path, _ = host.books("simulate-old")
    host.heartbeat("simulate-new")
    lock = hold_engine(host.runtime, FIRST_STRATEGY)
    try:
        assert refused(host) == "operate.rebind_running"
    finally:
        lock.release()
    assert bound(path) == "simulate-old"


def test_none_or_several_are_not_guessed(host: Host) -> None:
    """No books, a dead executor, and two living ones: refused until one is named."""
    assert refused(host) == "operate.rebind_no_books"
    path, _ = host.books("simulate-old")
    host.heartbeat("simulate-a", age=99.0)
    assert refused(host) == "operate.rebind_none_seen"
    host.heartbeat("simulate-a")
    host.heartbeat("simulate-b")
    assert refused(host) == "operate.rebind_several"
    assert host.run("rebind", "--yes", "--executor", "simulate-b").exit_code == 0
    assert bound(path) == "simulate-b"


def test_another_account_is_no_choice(host: Host) -> None:
    """Books of one account are never bound to an executor of another."""
    path, _ = host.books("simulate-old", account="other")
    host.heartbeat("simulate-new")
    assert refused(host) == "operate.rebind_none_seen" and bound(path) == "simulate-old"


def test_a_strategy_name_is_released_at_the_executors_host(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is typed at the running executor of this host, for a name it has bound."""
    typed: list[Typed] = []

    def taken(runtime: Path, order: Typed, seconds: float) -> bool:
        typed.append(order)
        return True

    monkeypatch.setattr(rebind_command, "type_and_watch", taken)
    assert refused(host, "--strategy", "grid") == "operate.rebind_no_executor_here"
    host.ledger()
    host.heartbeat()
    assert refused(host, "--strategy", "other") == "operate.rebind_no_strategy"
    ended = host.run("rebind", "--strategy", "grid", text="rebind\n")
    assert ended.exit_code == 0 and "dashboard@mac" in ended.output
    assert [(order.kind, order.strategy) for order in typed] == [("rebind", "grid")]


def test_an_executor_that_takes_nothing_is_said(host: Host) -> None:
    """The typed order is withdrawn and the command fails."""
    host.ledger()
    host.heartbeat()
    assert refused(host, "--strategy", "grid", "--wait", "0") == "operate.typed_not_taken"
    assert list((host.runtime / FOLDER).iterdir()) == []
