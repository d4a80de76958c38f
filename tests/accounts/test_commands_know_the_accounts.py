"""What a person types concerns every account, or the one that is named, and says which."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from commands import typed_order
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import ABOVE
from shared_schema.errors import SettingsError
from shared_schema.messages import reads_as_halt
from tests.commands.hosts import Host, make_host
from windows_side.keyboard import FOLDER, Typed


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host named ``mac`` with the accounts main and b."""
    for module in ("halt_writing", "resume", "status_report", "own_files"):
        monkeypatch.setattr(f"commands.{module}.host_name", lambda: "mac")
    (tmp_path / "miniqmt.toml").write_text("[accounts.b]\n", encoding="utf-8")
    return make_host(tmp_path, monkeypatch)


@pytest.fixture
def room(host: Host) -> Host:
    """The same host, seen from the room of b."""
    folder = DropFolder(host.folder.path / "accounts" / "b")
    folder.prepare()
    return replace(host, folder=folder, runtime=host.runtime / "accounts" / "b")


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, Typed]]:
    """Executors of this host that take what is typed at once."""
    taken: list[tuple[Path, Typed]] = []
    original = typed_order.type_order

    def type_and_take(runtime: Path, typed: Typed) -> None:
        original(runtime, typed)
        for path in (runtime / FOLDER).glob("*.json"):
            taken.append((runtime, Typed.model_validate_json(path.read_bytes())))
            path.unlink()

    monkeypatch.setattr(typed_order, "type_order", type_and_take)
    return taken


def test_a_halt_waits_for_every_accounts_executor(host: Host, room: Host) -> None:
    """It is confirmed only once both show it; it names the accounts it holds."""
    host.heartbeat("simulate-1")
    room.heartbeat("simulate-2")
    ended = host.run("halt", "--wait", "0")
    assert ended.exit_code == 1 and "simulate-1" in ended.output and "simulate-2" in ended.output
    assert "也包括 b" in ended.output
    assert list(room.folder.halts()) == [ABOVE + "halt.operator@mac.json"]


def test_a_halt_of_one_account_leaves_the_others_alone(host: Host, room: Host) -> None:
    """It lies in that room, waits for that executor, and says so; an unknown account is no other one."""
    host.heartbeat("simulate-1")
    room.heartbeat("simulate-2")
    ended = host.run("halt", "--account", "b", "--wait", "0")
    assert "simulate-2" in ended.output and "simulate-1" not in ended.output and "只对账户 b" in ended.output
    assert not host.folder.halts() and room.folder.halts()
    ended = host.run("halt", "--account", "B", "--wait", "0")
    assert isinstance(ended.exception, SettingsError) and "main, b" in str(ended.exception)
    assert not host.folder.halts()


def test_a_halt_of_one_account_is_written_despite_broken_settings(host: Host, room: Host) -> None:
    """As one of the folder is; where the room can't be told nothing is halted instead."""
    Path("miniqmt.toml").write_text("[limits]\nmax_buy_yuan = 'much'\n[accounts.b]\n", encoding="utf-8")
    host.run("halt", "--account", "b", "--wait", "0")
    assert room.folder.halts() and not host.folder.halts()


def test_resume_lifts_the_folders_halt_at_every_executor(
    host: Host, room: Host, taken: list[tuple[Path, Typed]]
) -> None:
    """Another host's halt: typed at both keyboards, b's with the very files that were shown."""
    host.folder.publish("control/halt.operator@win.json", b"{}")
    halts = {"halt.operator@win.json": b"{}"}
    for each, instance, prefix in ((host, "simulate-1", ""), (room, "simulate-2", ABOVE)):
        each.ledger(instance, halts={prefix + name: raw for name, raw in halts.items()})
        each.heartbeat(instance, halt_since=host.now)
    host.run("resume", "--reason", "looked", "--yes", "--wait", "0")
    assert [runtime for runtime, _ in taken] == [host.runtime, room.runtime]
    assert list(taken[1][1].halts or {}) == [ABOVE + "halt.operator@win.json"]


def test_resume_leaves_what_holds_one_account_alone(
    host: Host, room: Host, taken: list[tuple[Path, Typed]]
) -> None:
    """What a person was not shown is not lifted: b's own halt stays, and how to lift it is said."""
    host.folder.publish("control/halt.operator@win.json", b"{}")
    halts: dict[str, bytes | None] = {"halt.operator@win.json": b"{}"}
    host.ledger("simulate-1", halts=halts)
    room.ledger("simulate-2", halts={ABOVE + "halt.operator@win.json": b"{}", "executor": b"{}"})
    for each, instance in ((host, "simulate-1"), (room, "simulate-2")):
        each.heartbeat(instance, halt_since=host.now)
    ended = host.run("resume", "--reason", "looked", "--yes", "--wait", "0")
    assert [runtime for runtime, _ in taken] == [host.runtime]
    assert "miniqmt resume --account b" in ended.output and ended.exit_code == 1


def test_one_accounts_resume_does_not_lift_what_holds_all(host: Host, room: Host) -> None:
    """From a host without the executor the folder's halt stays, and who lifts it is said."""
    host.run("halt", "--wait", "0")
    ended = host.run("resume", "--account", "b", "--reason", "x", "--yes", "--wait", "0")
    assert ended.exit_code != 0 and "不带 --account" in str(ended.exception)
    assert all(reads_as_halt(raw)[0] for raw in host.folder.halts().values())


def test_status_and_checklist_show_every_room(host: Host, room: Host) -> None:
    """What needs a person in a room stands with the rest under its account; one alone can be asked."""
    host.heartbeat("simulate-1")
    room.heartbeat("simulate-2", age=60.0)
    told = json.loads(host.run("status", "--json").output)
    assert [part["account"] for part in told["rooms"]] == ["b"]
    assert any(need.get("account") == "b" and "simulate-2" in need["text"] for need in told["attention"])
    shown = host.run("status").output
    assert "simulate-1" in shown and "simulate-2" in shown and "[b] " in shown
    assert "simulate-1" not in host.run("status", "--account", "b").output
    assert "[b] " in host.run("checklist", "--all", "--no-notice").output


def test_a_room_nobody_has_made_is_said(host: Host) -> None:
    """An account of the settings that never ran is no account without problems."""
    told = json.loads(host.run("status", "--json").output)
    assert [need["what"] for need in told["attention"] if need.get("account") == "b"] == ["room_unreadable"]


def test_a_dashboard_and_a_script_work_in_the_room(host: Host, room: Host) -> None:
    """The engine's folder and books are the account's own; the host's settings stay as they are."""
    from mac_side.mac_dashboard import _parsed, _settings

    settings = _settings(_parsed(["--account", "b", "--strategy", "grid"]))
    assert settings.exchange_folder("dashboard") == room.folder.path
    assert settings.runtime_dir == room.runtime
    assert _settings(_parsed([])).runtime_dir == host.runtime
