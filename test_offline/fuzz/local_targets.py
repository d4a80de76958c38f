"""Files of one host: settings, ``.env``, holidays, bars, screen commands, typed orders, dashboard state."""

from __future__ import annotations

import csv
import io
import math
import re
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import orjson

from mac_side import screen_commands
from mac_side.books import Books, Intention, Lot
from mac_side.bridge_client.entry import entry_of
from mac_side.bridge_client.outbox import Outbox
from mac_side.state_file import DashboardState, StateFile, encode_state, new_state
from shared_schema.bars_file import file_kind, read_bars
from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import MiniqmtError
from shared_schema.ids import AccountAlias, StrategyName
from shared_schema.logs import Log
from shared_schema.settings import Settings, known_settings, load_settings
from shared_schema.shanghai import minute_of_day
from shared_schema.trading_calendar import load_calendar
from test_offline.fuzz import examples, strict, strict_fields, strict_json
from test_offline.fuzz.mutation import damaged
from test_offline.fuzz.trial import ACCEPTED, REFUSED, Trial, WronglyAccepted, as_text, checking, message
from windows_side.execution.events import Event
from windows_side.keyboard import FOLDER, Keyboard

FRESH = new_state(
    Moment(examples.NOW, examples.NOW),
    "simulate",
    AccountAlias("main"),
    StrategyName("grid"),
    "dashboard@mac",
    lambda: "0000",
)


# Settings


def _text_file(random: Random, template: str, place: Path) -> tuple[bytes, str]:
    folder = str(place / "exchange")
    raw = examples.lines(random, template, folder).encode()
    if random.random() < 0.06:
        return raw, "valid"
    return damaged(random, raw, examples.lines(random, template, folder).encode())


def toml(random: Random, place: Path) -> Trial:
    """The host's TOML file: every value in force is one that stands in it, or a default."""
    raw, made = _text_file(random, examples.SETTINGS, place)

    def judge() -> str:
        path = place / "miniqmt.toml"
        path.write_bytes(raw)
        try:
            settings = load_settings(environment={}, working_folder=place, config_file=path)
        except MiniqmtError as problem:
            str(problem)
            return REFUSED
        _check_ranges(settings)
        _check_written(settings, raw)
        return ACCEPTED

    return Trial(raw, made, judge)


def _check_ranges(settings: Settings) -> None:
    limits = settings.limits
    holds = (
        all(re.fullmatch(r"[0-9]{6}\.(SH|SZ|BJ)", code) for code in limits.allow_list) and limits.allow_list,
        0 <= limits.max_buy_yuan < math.inf and limits.max_buy_shares >= 0,
        0 < limits.orders_per_second <= 100 and limits.orders_per_day >= 0,
        0 <= limits.cash_buffer <= 1 and 1 <= limits.expires_seconds <= 86_400,
        settings.executor.simulate in (None, True, False),
        settings.account.type in ("STOCK", "CREDIT"),
    )
    if not all(holds):
        raise WronglyAccepted(f"a setting out of range: {holds} {limits}")


def _check_written(settings: Settings, raw: bytes) -> None:
    try:
        parsed = tomllib.loads(raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        return  # another encoding that is accepted
    known = dict(known_settings())
    for table, content in parsed.items():
        for key, value in content.items() if isinstance(content, dict) else (("", content),):
            dotted = f"{table}.{key}" if key else table
            if isinstance(value, dict) and dotted != "strategy.overrides":
                raise WronglyAccepted(f"unknown table {dotted}")
            if dotted not in known:
                raise WronglyAccepted(f"unknown key {dotted}")
            in_force = settings.value(dotted)
            numeric = isinstance(value, int | float) and not isinstance(value, bool)
            if numeric and not isinstance(in_force, bool | str) and in_force != value:
                raise WronglyAccepted(f"{dotted}: {value} became {in_force}")


def dotenv(random: Random, place: Path) -> Trial:
    """The ``.env`` of the working folder: what decides about simulate is a word that is understood."""
    raw, made = _text_file(random, examples.DOTENV, place)

    def judge() -> str:
        folder = place / "working"
        folder.mkdir(exist_ok=True)
        (folder / ".env").write_bytes(raw)
        runtime = {"runtime_dir": str(place / "runtime")}
        empty = place / "empty.toml"
        empty.write_bytes(b"")
        try:
            settings = load_settings(
                environment={}, working_folder=folder, config_file=empty, overrides=runtime
            )
        except MiniqmtError as problem:
            str(problem)
            return REFUSED
        _check_ranges(settings)
        said = re.findall(rb"ORDER_EXECUTOR_SIMULATE[ \t]*=[ \t]*[\"']?[ \t]*(\w+)", raw)
        words = {True: (b"1", b"true", b"yes", b"on"), False: (b"0", b"false", b"no", b"off")}
        simulate = settings.executor.simulate
        if (
            b"\x00" not in raw
            and simulate is not None
            and not any(word.lower() in words[simulate] for word in said)
        ):
            raise WronglyAccepted(f"simulate is {simulate} by {said}")
        return ACCEPTED

    return Trial(raw, made, judge)


def holidays(random: Random, place: Path) -> Trial:
    """The user's holiday file over the shipped one: no closed day of a listed year becomes a trading day."""
    raw, made = _text_file(random, examples.HOLIDAYS, place)

    def judge() -> str:
        path = place / "holidays.toml"
        path.write_bytes(raw)
        try:
            calendar = load_calendar(path)
        except MiniqmtError as problem:
            str(problem)
            return REFUSED
        for days in calendar.years.values():
            for day in days.closed:
                if calendar.is_trading_day(day):
                    raise WronglyAccepted(f"{day} is closed and trades")
        return ACCEPTED

    return Trial(raw, made, judge)


# Bars


def bars(random: Random, place: Path) -> Trial:
    """A CSV of minute bars: every row counted, in order, within the session, low to high."""
    raw, made = examples.bars_file(random).encode(), "valid"
    if random.random() > 0.06:
        raw, made = damaged(random, raw, examples.bars_file(random).encode())

    def judge() -> str:
        path = place / "bars.csv"
        path.write_bytes(raw)
        try:
            found, kind = read_bars(path), file_kind(path)
        except MiniqmtError as problem:
            str(problem)
            return REFUSED
        for before, bar in zip((None, *found), found, strict=False):
            numbers = all(math.isfinite(value) for value in bar)
            ordered = before is None or before.end < bar.end
            sane = 0 < bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
            minute = minute_of_day(bar.end)
            session = 555 <= minute <= 690 or 780 <= minute <= 900
            if not (numbers and ordered and sane and session and bar.volume >= 0):
                raise WronglyAccepted(str(bar))
        if kind == "bars":
            _check_rows(raw, found)
        return ACCEPTED

    return Trial(raw, made, judge)


def _check_rows(raw: bytes, found: tuple[Any, ...]) -> None:
    text = raw.decode("utf-8-sig")
    rows = [
        row
        for row in csv.reader(io.StringIO(text, newline=""))
        if row and not row[0].lstrip().startswith("#")
    ]
    rows = [row for row in rows if any(row)]
    header = [name.strip().lower() for name in rows[0]]
    if len(rows) - 1 != len(found):
        raise WronglyAccepted(f"{len(rows) - 1} rows became {len(found)} bars")
    for row, bar in zip(rows[1:], found, strict=True):
        for name in ("open", "high", "low", "close"):
            if float(row[header.index(name)]) != getattr(bar, name):
                raise WronglyAccepted(f"{row} became {bar}")


# What people typed


class _Quiet:
    def write(self, line: object) -> None:
        """Nobody listens."""

    def close(self) -> None:
        """Nothing to close."""


def screen_command(random: Random, place: Path) -> Trial:
    """A wish from the screen; what can't be read is none, but a damaged halt is a halt."""
    raw, made = message(random, examples.command)
    is_halt = random.random() < 0.3

    def judge() -> str:
        folder = place / "commands"
        folder.mkdir(exist_ok=True)
        (folder / f"000000000000001-{'halt' if is_halt else 'pause'}-0.json").write_bytes(raw)
        (waiting,) = screen_commands.waiting_commands(folder)
        screen_commands.forget(waiting)
        command = waiting.command
        if command is None:
            if is_halt:
                raise WronglyAccepted("a damaged halt was dropped")
            return REFUSED
        if command.argument == "unreadable command":
            return REFUSED
        _check_typed(raw, strict.COMMAND, command.kind)
        return ACCEPTED

    return Trial(raw, made, judge)


def typed_order(random: Random, place: Path) -> Trial:
    """An order typed at the executor's host."""
    raw, made = message(random, examples.typed)

    def judge() -> str:
        folder = DropFolder(place / "runtime" / "exchange")
        folder.disk.make_folder(folder.path)
        keyboard = Keyboard(place / "runtime", folder, Log("executor", [_Quiet()]), wall=lambda: examples.NOW)  # type: ignore[list-item]
        path = place / "runtime" / FOLDER / "1.json"
        path.write_bytes(raw)
        events: list[Event] = keyboard.take()
        if path.exists():
            raise WronglyAccepted("the file stays and is taken again")
        if not events:
            return REFUSED
        _check_typed(raw, strict.TYPED, "")
        return ACCEPTED

    return Trial(raw, made, judge)


def _check_typed(raw: bytes, rules: Any, kind: str) -> None:
    try:
        payload = strict_json.parsed(raw, strict_json.SMALL)
    except strict_json.Invalid as problem:
        raise WronglyAccepted(str(problem)) from problem
    found = strict_fields.faults(payload, *rules)
    if found or (kind and payload["kind"] != kind):
        raise WronglyAccepted(f"{found} {kind}")


# The dashboard's state


@cache
def _states() -> tuple[bytes, ...]:
    """State files of ours: books and outbox of a running grid, as it went on."""
    random = Random("states")
    state, now, found = FRESH, Moment(examples.NOW, examples.NOW), []
    for number in range(1, 5):
        payload = strict_json.sealed(examples.signal(random) | {"action": "order", "direction": "BUY"})
        intention = Intention("buy", payload["shares"], payload["price"], lot_id=payload["signal_id"])
        entry = entry_of(as_text(payload, random), intention, number, number, examples.TODAY)
        lots = (*state.books.lots, Lot(1000 * number, 1200.0 * number, 1.2, payload["signal_id"]))
        state = replace(
            state,
            books=Books(lots=lots, anchor=1.2 - number / 100, fixed_volume=200),
            outbox=Outbox((*state.outbox.entries, entry)),
            counter=number,
            saves=number,
        )
        found.append(encode_state(state, now, examples.TODAY))
    return tuple(found)


def state(random: Random, place: Path) -> Trial:
    """The dashboard's state: damaged is StateError; what is accepted is what was written, whole."""
    originals = _states()
    if random.random() < 0.65:
        raw, made = damaged(random, random.choice(originals), random.choice(originals))
        return Trial(raw, made, _state_judge(raw, place, originals))
    raw, made = message(random, examples.seed_state)
    return Trial(raw, f"seed's: {made}", _state_judge(raw, place, ()))


def _state_judge(raw: bytes, place: Path, originals: tuple[bytes, ...]) -> Any:
    def read() -> DashboardState:
        path = place / "dashboard_state.json"
        path.write_bytes(raw)
        return StateFile(path).load(FRESH)

    def allowed() -> None:
        payload = strict_json.parsed(raw, 1 << 30)
        if not any(name in payload for name in (*strict.ENVELOPE, *strict.SEALS)):
            _check_seed_books(payload, read())
            return
        written = [orjson.loads(original) for original in originals]
        if {**payload, "signature": None} not in [{**one, "signature": None} for one in written]:
            raise strict_json.Invalid("not what was written")

    return checking(read, allowed)


def _check_seed_books(payload: dict[str, Any], found: DashboardState) -> None:
    """A state without seal: nothing that says "held" may be read as flat, and no lot may change."""
    lots = payload.get("positions")
    if lots is not None and not isinstance(lots, list):
        raise strict_json.Invalid(f"positions {lots!r}")
    shares = sum(lot["shares"] for lot in lots or ())
    if len(found.books.lots) != len(lots or ()) or found.books.shares != shares:
        raise strict_json.Invalid("lots lost")
    for name, held in (("hold_t0_volume", shares), ("hold_layers", len(lots or ()))):
        # A person may take a lot out by hand; a list that is gone altogether was lost.
        if lots is None and payload.get(name) not in (None, 0, False, "", [], {}):
            raise strict_json.Invalid(f"{name} says {payload[name]!r}, the lots say {held}")
