"""Files of one host that once brought a process down, hung it, or were read as something else."""

from __future__ import annotations

import time
from pathlib import Path

import orjson
import pytest

from mac_side.screen_commands import Command, waiting_commands, write_command
from mac_side.state_file import StateFile
from shared_schema.errors import SettingsError, StateError
from shared_schema.settings import load_settings
from shared_schema.trading_calendar import CalendarError, load_calendar
from test_offline.fuzz import examples
from test_offline.fuzz.local_targets import FRESH, typed_order
from test_offline.fuzz.runner import random_of


def settings_of(folder: Path, text: str) -> object:
    (folder / "miniqmt.toml").write_text(text, encoding="utf-8")
    return load_settings(environment={}, working_folder=folder, config_file=folder / "miniqmt.toml")


@pytest.mark.parametrize(
    "text",
    [
        "language = " + "[" * 5000 + "]" * 5000,
        "language = " + "9" * 5000,
        f"shared_dir = '{'a' * 300}'",
        f"shared_dir = '{'a/' * 5000}'",
        "shared_dir = '~no-such-user/x'",
        "[executor.simulate]",
        "limits.expires_seconds = {}",
        "nothing.known = {}",
    ],
)
def test_no_settings_file_breaks_more_than_itself(tmp_path: Path, text: str) -> None:
    """Depth, endless numbers and paths, foreign homes, tables in the place of values: a SettingsError."""
    with pytest.raises(SettingsError) as refused:
        settings_of(tmp_path, text)
    assert str(refused.value)


def test_empty_sections_say_nothing(tmp_path: Path) -> None:
    """A section without a line is allowed, and so are the strategy's own."""
    settings_of(tmp_path, "[limits]\n[executor]\n[strategy.overrides]\n")


@pytest.mark.parametrize("text", ["years = " + "[" * 5000 + "]" * 5000, "source = " + "9" * 5000])
def test_a_strange_holiday_file_is_said(tmp_path: Path, text: str) -> None:
    """The calendar refuses it by name; it does not die."""
    (tmp_path / "holidays.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CalendarError):
        load_calendar(tmp_path / "holidays.toml")


def test_a_long_row_of_blanks_is_read_at_once(tmp_path: Path) -> None:
    """70,000 blanks in a .env value took minutes of a start."""
    (tmp_path / ".env").write_text("MINIQMT_LANGUAGE=en" + " " * 70_000 + "x\n", encoding="utf-8")
    began = time.process_time()
    with pytest.raises(SettingsError):
        load_settings(environment={}, working_folder=tmp_path)
    assert time.process_time() - began < 1.0


def test_of_two_kinds_in_one_typed_order_none_is_followed(tmp_path: Path) -> None:
    """A spliced file that says resume and rebind is no order at all, for the executor and the engine."""
    random = random_of(1, "typed", 1)
    whole = orjson.dumps(examples.typed(random))
    trial = typed_order(random, tmp_path)
    assert trial.judge() in ("accepted", "refused")
    for raw, taken in ((whole, True), (whole[:-1] + b',"kind":"resume"}', False)):
        assert (taken_by_keyboard(tmp_path, raw), taken_by_engine(tmp_path, raw)) == (taken, taken)


def taken_by_keyboard(place: Path, raw: bytes) -> bool:
    from shared_schema.drop_folder import DropFolder
    from shared_schema.logs import Log
    from windows_side.keyboard import FOLDER, Keyboard

    keyboard = Keyboard(place, DropFolder(place), Log("executor", []), wall=lambda: examples.NOW)
    (place / FOLDER / "1.json").write_bytes(raw)
    return bool(keyboard.take())


def taken_by_engine(place: Path, raw: bytes) -> bool:
    folder = place / "screen"
    path = write_command(folder, Command(kind="resume", at=examples.NOW))
    body = orjson.dumps({"kind": "resume", "at": examples.NOW})
    path.write_bytes(body if raw.count(b'"kind"') == 1 else body[:-1] + b',"kind":"halt"}')
    (waiting,) = waiting_commands(folder)
    path.unlink()
    return waiting.command is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"positions": None},
        {"positions": {}},
        {"positions": ""},
        {"positions": 0},
        {"positions": False},
        {"positions": [{"shares": 1e50, "cost": 2310, "buy_price": 1.05}]},
        {"positions": [], "fixed_volume": 1e50},
        {"positions": ..., "hold_layers": 0},
        {"positions": ..., "hold_t0_volume": 0},
    ],
)
def test_books_that_lost_their_lots_are_never_flat(tmp_path: Path, changes: dict[str, object]) -> None:
    """The seed's state without a list of lots, while it says that shares are held, stops with StateError."""
    held = {"last_buy_price": 1.05, "positions": [], "hold_layers": 1, "hold_t0_volume": 2200}
    wanted = {name: value for name, value in (held | changes).items() if value is not ...}
    path = tmp_path / "dashboard_state.json"
    path.write_bytes(orjson.dumps(wanted))
    with pytest.raises(StateError):
        StateFile(path).load(FRESH)


def test_flat_books_without_a_list_are_flat(tmp_path: Path) -> None:
    """A first state file may leave out what it does not hold."""
    path = tmp_path / "dashboard_state.json"
    path.write_bytes(orjson.dumps({"last_buy_price": 1.05}))
    assert StateFile(path).load(FRESH).books.lots == ()
