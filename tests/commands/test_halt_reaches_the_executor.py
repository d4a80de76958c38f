"""A halt is written whatever else is broken, and nobody is told "confirmed" who was not."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands.confirmation import Executors
from commands.folder_view import Beat
from shared_schema.errors import FolderError
from shared_schema.messages import Halt, reads_as_halt
from shared_schema.messages.record import decode
from tests.commands.hosts import Host


def halt_files(host: Host) -> dict[str, bytes]:
    """What stands in ``control/``."""
    return {path.name: path.read_bytes() for path in (host.folder.path / "control").iterdir()}


def test_the_file_is_a_sealed_record_with_its_reason(host: Host) -> None:
    """``halt`` writes one whole record that halts, names who and why, and is about every account."""
    host.run("halt", "--reason", "quotes look wrong", "--wait", "0")
    (name, raw), *more = halt_files(host).items()
    received = decode(raw, Halt)
    assert (name, more) == ("halt.operator@mac.json", [])
    assert received.envelope is not None and received.envelope.account == "*"
    body = received.body
    assert (body.halt, body.reason, body.by) == (True, "quotes look wrong", "operator@mac")


def test_silence_is_not_confirmation(host: Host) -> None:
    """No executor, a red one, a stopped one and one that answers nothing new: exit 1 and what to do."""
    for prepare in (
        lambda: None,
        lambda: host.heartbeat(age=60.0, halt_since=5.0),
        lambda: host.heartbeat(state="stopped", halt_since=5.0),
        lambda: host.heartbeat(halt_since=host.now - 100),
    ):
        prepare()
        ended = host.run("halt", "--wait", "0")
        assert ended.exit_code == 1 and "没有" in ended.output and "miniqmt halt" in ended.output


def test_rooms_that_cannot_be_listed_are_not_none(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """The halt is written all the same, and is not confirmed even where the first account confirms it."""
    (host.folder.path / "accounts").write_text("no folder")
    monkeypatch.setattr("commands.halt._told", lambda executors, alive: 0)
    ended = host.run("halt", "--wait", "0")
    assert len(halt_files(host)) == 1
    assert ended.exit_code == 1 and "其余账户没有确认" in ended.output


def test_a_new_heartbeat_with_the_halt_confirms(host: Host) -> None:
    """The wait ends with the first newer heartbeat that shows the halt, whatever its clock says."""
    host.heartbeat()
    executors = Executors.seen_now(host.folder, 5.0, host.now)
    looks: list[float] = []

    def answer(_: float) -> None:
        looks.append(1)
        host.now -= 3600  # the executor's clock is an hour behind: a file that moves is alive all the same
        host.heartbeat(halt_since=host.now if len(looks) == 2 else None)

    def is_halted(beat: Beat) -> bool:
        return beat.body.halt_since is not None

    (beat,) = executors.wait(is_halted, 5.0, sleep=answer)
    assert is_halted(beat) and len(looks) == 2


def test_every_living_executor_must_confirm(host: Host) -> None:
    """One that confirmed does not answer for another that did not."""
    host.heartbeat("simulate-1")
    host.heartbeat("simulate-2")
    executors = Executors.seen_now(host.folder, 5.0, host.now)
    host.heartbeat("simulate-1", halt_since=host.now)
    times = iter([host.now, host.now, host.now + 9])  # the silent one has turned red when the wait ends
    alive = executors.wait(
        lambda beat: beat.body.halt_since is not None, 5.0, clock=lambda: next(times), sleep=lambda _: None
    )
    assert [beat.body.halt_since is not None for beat in alive] == [True, False]


@pytest.mark.parametrize("content", ["nonsense = 1\n", 'shared_dir = "C:\\x"\n', "[limits\n"])
def test_broken_settings_do_not_keep_a_halt_back(host: Host, content: str) -> None:
    """With an unusable settings file the environment, or ``--folder``, still tells where to write."""
    Path("miniqmt.toml").write_text(content)
    ended = host.run("halt", "--wait", "0")
    assert "设置有误" in ended.output and reads_as_halt(halt_files(host)["halt.operator@mac.json"])[0]


def test_broken_settings_without_a_variable(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is taken from a TOML file whose other keys are wrong; ``--folder`` needs none."""
    monkeypatch.delenv("MINIQMT_SHARED_DIR")
    Path("miniqmt.toml").write_text("nonsense = 1\nshared_dir = 'share'\n")
    host.run("halt", "--wait", "0")
    assert list(halt_files(host)) == ["halt.operator@mac.json"]
    Path("miniqmt.toml").write_text("][")
    host.run("halt", "--role", "second", "--folder", str(host.folder.path), "--wait", "0")
    assert "halt.second@mac.json" in halt_files(host)


def test_garbage_under_its_name_is_replaced(host: Host) -> None:
    """An unreadable halt of ours gives way to a whole one."""
    (host.folder.path / "control" / "halt.operator@mac.json").write_bytes(b"\x00{")
    host.run("halt", "--reason", "again", "--wait", "0")
    assert reads_as_halt(halt_files(host)["halt.operator@mac.json"]) == (True, "again")


def test_a_name_that_cannot_be_replaced_is_gone_around(host: Host) -> None:
    """Where a folder stands under the usual name, another name halts and can be lifted by this host."""
    (host.folder.path / "control" / "halt.operator@mac.json").mkdir()
    host.run("halt", "--reason", "again", "--wait", "0")
    ((name, raw),) = host.folder.halts().items()
    assert raw is not None and reads_as_halt(raw) == (True, "again")
    host.run("resume", "--reason", "checked", "--yes", "--wait", "0")
    assert not any(reads_as_halt(raw)[0] for raw in host.folder.halts().values())
    assert name in host.folder.halts()


def test_a_missing_folder_ends_with_2(host: Host) -> None:
    """A folder that is not there is named; nothing is made up."""
    from shared_schema.errors import FolderError

    ended = host.run("halt", "--folder", "nowhere")
    assert isinstance(ended.exception, FolderError) and ended.exception.exit_code == 2


def test_a_halt_that_cannot_be_written_says_that_trading_goes_on(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only that a file failed: that nothing is stopped, and what stops it."""

    def refused(*_: object) -> str:
        raise FolderError("folder.publish_failed", host.folder.path, detail="read-only")

    monkeypatch.setattr("commands.halt.write_halt", refused)
    ended = host.run("halt", "--reason", "x")
    assert isinstance(ended.exception, FolderError)
    assert "没有停止" in ended.output and "order_executor" in ended.output
