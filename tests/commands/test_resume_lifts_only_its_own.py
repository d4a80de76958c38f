"""A resume lifts what this host may lift, says which way it took, and names who lifts the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import resume_dashboards, typed_order
from commands.halt_writing import write_halt
from commands.place import OperateError
from mac_side.screen_commands import Command, write_command
from mac_side.state_file import HaltLatch
from shared_schema.messages import reads_as_halt
from tests.commands.hosts import Host
from windows_side.keyboard import FOLDER, Typed

LEFT = "halt.operator@laptop.json"


@pytest.fixture
def executor_takes(monkeypatch: pytest.MonkeyPatch, host: Host) -> list[Typed]:
    """An executor on this host that takes what is typed at once; the list holds it."""
    taken: list[Typed] = []
    original: Callable[[Path, Typed], None] = typed_order.type_order

    def type_and_take(runtime: Path, typed: Typed) -> None:
        original(runtime, typed)
        for path in (runtime / FOLDER).glob("*.json"):
            taken.append(Typed.model_validate_json(path.read_bytes()))
            path.unlink()

    monkeypatch.setattr(typed_order, "type_order", type_and_take)
    return taken


def halting(host: Host) -> set[str]:
    """Names in ``control/`` that halt."""
    return {name for name, raw in host.folder.halts().items() if reads_as_halt(raw)[0]}


def test_a_reason_is_required(host: Host) -> None:
    """Without one nothing is read or written."""
    ended = host.run("resume", "--yes")
    assert isinstance(ended.exception, OperateError) and ended.exception.key == "operate.resume_needs_reason"


def test_nothing_halted_is_said_and_is_no_failure(host: Host) -> None:
    """Exit 0, and no file is written."""
    ended = host.run("resume", "--reason", "x", "--yes")
    assert ended.exit_code == 0 and not host.folder.halts()


def test_the_word_must_be_typed(host: Host) -> None:
    """Any other word changes nothing; the word lifts the halt of this host."""
    host.run("halt", "--wait", "0")
    assert host.run("resume", "--reason", "x", "--wait", "0", text="yes\n").exit_code == 1
    assert halting(host)
    host.run("resume", "--reason", "x", "--wait", "0", text="resume\n")
    assert not halting(host)


def test_another_hosts_halt_remains(host: Host) -> None:
    """From a strategy host only its own halt is lifted; the other is named with its host; exit 1."""
    host.run("halt", "--wait", "0")
    (host.folder.path / "control" / "halt.operator@win.json").write_bytes(b"garbage")
    ended = host.run("resume", "--reason", "x", "--yes", "--wait", "0")
    assert halting(host) == {"halt.operator@win.json"} and ended.exit_code == 1
    assert "仍然有效：halt.operator@win.json" in ended.output and "win 上运行 miniqmt resume" in ended.output


def test_only_anothers_halt_cannot_be_lifted_here(host: Host) -> None:
    """A host that halted nothing and runs no executor is refused; a conflict copy belongs to nobody."""
    name = "halt.operator@mac.sync-conflict-20261120-100000-ABCDEFG.json"
    (host.folder.path / "control" / name).write_bytes(b"garbage")
    ended = host.run("resume", "--reason", "x", "--yes")
    assert isinstance(ended.exception, OperateError) and ended.exception.key == "operate.resume_not_here"
    assert halting(host) == {name}


def test_the_executors_keyboard_lifts_the_rest(host: Host, executor_takes: list[Typed]) -> None:
    """At the host whose ledger is the running executor's, another host's halt is lifted by a typed order."""
    (host.folder.path / "control" / "halt.operator@win.json").write_bytes(b"garbage")
    host.ledger(halts={"halt.operator@win.json": b"garbage"})
    host.heartbeat(halt_since=host.now)
    ended = host.run("resume", "--reason", "checked", "--yes", "--wait", "0")
    assert [(typed.kind, typed.reason, typed.by) for typed in executor_takes] == [
        ("resume", "checked", "operator@mac")
    ]
    assert "已在本机键入执行器 simulate-1" in ended.output


def test_its_own_halt_needs_no_keyboard(host: Host, executor_takes: list[Typed]) -> None:
    """Where only this host halted, its newer file is the whole of it."""
    host.run("halt", "--wait", "0")
    host.ledger(halts=dict(host.folder.halts()))
    host.heartbeat(halt_since=host.now)
    ended = host.run("resume", "--reason", "checked", "--yes", "--wait", "0")
    assert executor_takes == [] and not halting(host)
    assert "同一写入者" in ended.output and ended.exit_code == 1  # no new heartbeat has shown it yet


def test_what_is_not_taken_is_withdrawn(host: Host) -> None:
    """An executor that takes nothing leaves no typed order behind for a start days later."""
    (host.folder.path / "control" / "halt.operator@win.json").write_bytes(b"garbage")
    host.ledger(halts={"halt.operator@win.json": b"garbage"})
    host.heartbeat(halt_since=host.now)
    ended = host.run("resume", "--reason", "checked", "--yes", "--wait", "0")
    assert list((host.runtime / FOLDER).iterdir()) == [] and ended.exit_code == 1
    assert "已撤回" in ended.output


def test_a_stopped_executor_is_not_typed_at(host: Host) -> None:
    """The keyboard is that of a running executor only."""
    (host.folder.path / "control" / "halt.operator@win.json").write_bytes(b"garbage")
    host.ledger(halts={"halt.operator@win.json": b"garbage"})
    host.heartbeat(state="stopped")
    ended = host.run("resume", "--reason", "checked", "--yes", "--wait", "0")
    assert isinstance(ended.exception, OperateError) and not (host.runtime / FOLDER).exists()


def test_a_halt_whose_file_was_lost_is_lifted_by_its_host(host: Host) -> None:
    """The executor remembers a halt of this host though its file is gone: a lifting file is written again."""
    host.heartbeat(halt_since=host.now)
    host.run("resume", "--reason", "checked", "--yes", "--wait", "0")
    assert reads_as_halt(host.folder.halts()["halt.operator@mac.json"])[0] is False


def dashboard_takes(monkeypatch: pytest.MonkeyPatch, host: Host, halts: tuple[HaltLatch, ...]) -> None:
    """A dashboard of this host that takes what it is asked at once, and then holds ``halts``."""
    raw = host.folder.halts()[LEFT] or b""

    def write_and_take(folder: Path, command: Command) -> Path:
        path = write_command(folder, command)
        host.books("simulate-1", halts=halts, lifted=(hashlib.sha256(raw).hexdigest(),) if not halts else ())
        path.unlink()
        return path

    monkeypatch.setattr(resume_dashboards, "write_command", write_and_take)


def left_behind(host: Host) -> HaltLatch:
    """A halt of a third host, resumed at the executor: this host's dashboard alone still holds it."""
    write_halt(host.folder, "operator@laptop", "odd", "simulate", host.now)
    latch = HaltLatch(LEFT, "odd", "operator@laptop", host.now, "d")
    host.books("simulate-1", halts=(latch,))
    host.heartbeat()
    return latch


def test_what_the_executor_does_not_hold_is_lifted_at_the_dashboard(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It held the dashboard for good; once lifted, the file that lies there still needs nobody."""
    left_behind(host)
    assert host.run("status").exit_code == 1
    dashboard_takes(monkeypatch, host, ())
    ended = host.run("resume", "--reason", "checked", "--yes", "--wait", "0")
    assert "将在本机看板上解除 " + LEFT in ended.output and "已解除 " + LEFT in ended.output
    assert "仍然有效" not in ended.output
    again = host.run("resume", "--reason", "checked", "--yes", "--wait", "0")
    assert again.exit_code == 0 and "没有任何停止需要解除" in again.output
    shown = host.run("status")
    assert shown.exit_code == 0 and f"control/{LEFT} 已经解除" in shown.output


def test_a_dashboard_that_can_not_know_yet_says_when(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """The executor may merely not have seen the halt: nothing is lifted, and the sentence tells the way."""
    dashboard_takes(monkeypatch, host, (left_behind(host),))
    ended = host.run("resume", "--reason", "checked", "--yes", "--wait", "0")
    assert ended.exit_code == 1 and "没有解除 " + LEFT in ended.output and "请稍等再运行一次" in ended.output
    assert "仍然有效" not in ended.output  # the executor's host has nothing to lift


def test_a_dashboard_that_does_not_run_is_to_be_started(host: Host) -> None:
    """What was asked of it is withdrawn: it must not be followed at a start days later."""
    left_behind(host)
    ended = host.run("resume", "--reason", "checked", "--yes", "--wait", "0")
    assert ended.exit_code == 1 and "请先启动它" in ended.output
    assert not list((host.runtime / "screen_commands").iterdir())


def test_a_renamed_host_lifts_what_its_books_name_halted(host: Host) -> None:
    """The dashboard's halts bear the books' name; a host of that old name is nowhere to be found."""
    host.books()
    write_halt(host.folder, "dashboard@mac", "r", "simulate", host.now)
    write_halt(host.folder, "dashboard@other", "r", "simulate", host.now)
    host.run("resume", "--reason", "x", "--yes", "--wait", "0")
    assert halting(host) == {"halt.dashboard@other.json"}
