"""The two ways between engine and screen: the view file, and the folder of commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from mac_side.screen.aging import aged, silence_of
from mac_side.screen_commands import Command, forget, waiting_commands, write_command
from mac_side.view import View, read_view, write_view
from shared_schema.errors import FolderError
from tests.screen import sample_views as sample


def test_a_view_comes_back_whole(tmp_path: Path) -> None:
    """Every field written is read again, and no temp file stays."""
    for view in (View(), sample.trading(), sample.everything_at_once()):
        assert write_view(tmp_path / "view.json", view)
        assert read_view(tmp_path / "view.json") == view
    assert [path.name for path in tmp_path.iterdir()] == ["view.json"]


def test_a_torn_or_missing_view_is_none(tmp_path: Path) -> None:
    """Half a file, none, another format: no picture, never a wrong one."""
    path = tmp_path / "view.json"
    assert read_view(path) is None
    write_view(path, sample.trading())
    whole = path.read_bytes()
    for part in (whole[:-1], whole[: len(whole) // 2], b"", b"[]", b'{"surprise": 1}', b"\xff"):
        path.write_bytes(part)
        assert read_view(path) is None


def test_an_unwritable_place_is_said(tmp_path: Path) -> None:
    """The engine hears that nobody can see it, with words for a person."""
    with pytest.raises(FolderError) as raised:
        write_view(tmp_path / "missing" / "view.json", View())
    assert "view.json" in str(raised.value)


def test_a_view_is_a_value() -> None:
    """A view can't be changed after it was made, and takes no unknown field or NaN."""
    with pytest.raises(ValidationError):
        View().account = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        View(wall=float("nan"))


def test_ages_grow_while_the_engine_is_silent() -> None:
    """A frozen view gets older on the screen; unknown ages stay unknown."""
    view = sample.trading()
    older = aged(view, view.wall + 10)
    assert older.link.quote_age == pytest.approx(10.82)
    assert aged(View(), 5.0).link.quote_age is None
    # A clock set back by an hour, and an engine that died before it: not fresh for an hour.
    assert silence_of(view, view.wall - 3600) == 3600.0
    shown = aged(view, view.wall - 3600).link.executor_age
    assert shown is not None and shown >= 3600.0
    assert silence_of(sample.with_changes(view, ended=True), view.wall + 99) == 0.0


def test_commands_arrive_in_order_and_once(tmp_path: Path) -> None:
    """Oldest first; one that was forgotten is gone; no folder means no commands."""
    folder = tmp_path / "screen_commands"
    assert waiting_commands(folder) == []
    write_command(folder, Command(kind="pause", at=200.0))
    write_command(folder, Command(kind="halt", argument="why", at=100.0, by="screen@mac"))
    first, second = waiting_commands(folder)
    assert first.command == Command(kind="halt", argument="why", at=100.0, by="screen@mac")
    forget(first)
    assert waiting_commands(folder) == [second]


def test_a_damaged_halt_is_a_halt(tmp_path: Path) -> None:
    """A wish to halt that can't be read halts; anything else unreadable does nothing."""
    (tmp_path / "000000000001000-halt-00000000.json").write_bytes(b"{")
    (tmp_path / "000000000002000-resume-00000000.json").write_bytes(b"{")
    (tmp_path / ".half.tmp").write_bytes(b"{")
    halt, other = waiting_commands(tmp_path)
    assert halt.command is not None and halt.command.kind == "halt"
    assert other.command is None


def test_old_wishes_are_not_carried_out() -> None:
    """A resume left over from an engine that was down is too old; a halt never is."""
    assert Command(kind="resume", at=0.0).too_old(61.0)
    assert not Command(kind="resume", at=0.0).too_old(59.0)
    assert Command(kind="pause", at=500.0).too_old(100.0)
    assert not Command(kind="halt", at=0.0).too_old(1e9)
