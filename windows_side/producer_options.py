"""The command line of the bridge producer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from shared_schema.command_line import CommandLine
from shared_schema.errors import SettingsError
from shared_schema.ids import Code
from shared_schema.instruments import code_from_file_name, parse_code
from shared_schema.messages import Position
from shared_schema.messages.heartbeat import Role
from shared_schema.words import say_both
from windows_side.quotes.replay import AS_FAST_AS_POSSIBLE


@dataclass(frozen=True)
class Options:
    """What was typed, checked."""

    shared_dir: str | None = None
    replay: tuple[tuple[Path, Code], ...] = ()
    """Files to replay with their codes; none: the live source of the settings."""
    day: str | None = None
    """``YYYY-MM-DD``; None: the last full day of each file."""
    speed: float = 1.0
    """Market seconds per wall second; 0: as fast as possible."""
    wait_for: tuple[Role, ...] = ()
    wait_at_most: float = 60.0
    """Seconds."""
    lockstep: bool = False
    positions: Mapping[Code, Position] = field(default_factory=dict)
    """The base position of the replayed account."""
    cash: float | None = None
    """Its cash, yuan; None: that of the simulated executor."""
    verbose: bool = False


def parse_options(arguments: Sequence[str]) -> Options:
    """The options typed. Raises SettingsError or InstrumentError naming what is wrong."""
    typed = _parser().parse_args(arguments)
    return Options(
        shared_dir=typed.shared_dir,
        replay=_files(typed.replay, typed.code),
        day=_day(typed.day),
        speed=_speed(typed.speed),
        wait_for=_roles(typed.wait_for),
        wait_at_most=_number("--wait-at-most", typed.wait_at_most),
        lockstep=typed.lockstep,
        positions=dict(_position(text) for text in typed.start_position),
        cash=None if typed.cash is None else _number("--cash", typed.cash),
        verbose=typed.verbose,
    )


def _parser() -> CommandLine:
    description = say_both("producer.help.producer")
    parser = CommandLine(prog="miniqmt producer", description=description, allow_abbrev=False)
    for option, shown in (
        ("--shared-dir", "FOLDER"),
        ("--day", "YYYY-MM-DD"),
        ("--speed", "N|max"),
        ("--wait-for", "ROLES"),
        ("--wait-at-most", "SECONDS"),
        ("--cash", "YUAN"),
    ):
        parser.add_argument(option, metavar=shown, help=_help(option))
    for option, shown in (
        ("--replay", "FILE"),
        ("--code", "CODE"),
        ("--start-position", "CODE=SHARES@PRICE"),
    ):
        parser.add_argument(option, metavar=shown, action="append", default=[], help=_help(option))
    for option in ("--lockstep", "--verbose"):
        parser.add_argument(option, action="store_true", help=_help(option))
    parser.set_defaults(speed="1", wait_for="", wait_at_most="60")
    return parser


def _help(option: str) -> str:
    return say_both("producer.help." + option.removeprefix("--").replace("-", "_"))


def _files(paths: Sequence[str], codes: Sequence[str]) -> tuple[tuple[Path, Code], ...]:
    if codes and len(codes) != len(paths):
        raise SettingsError("producer.codes_and_files", codes=len(codes), files=len(paths))
    found = []
    for number, text in enumerate(paths):
        code = parse_code(codes[number]) if codes else code_from_file_name(text)
        if code is None:
            raise SettingsError("producer.which_code", text)
        found.append((Path(text), code))
    named = [code for _, code in found]
    if len(set(named)) != len(named):
        raise SettingsError("producer.code_twice", ", ".join(named))
    return tuple(found)


def _day(text: str | None) -> str | None:
    try:
        if text is None or str(date.fromisoformat(text)) == text:
            return text
    except ValueError:
        pass  # told below: 2026-02-30 has the form of a day and is none
    raise SettingsError("producer.bad_day", text)


def _speed(text: str) -> float:
    return AS_FAST_AS_POSSIBLE if text.strip().lower() == "max" else _number("--speed", text)


def _number(option: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1e12:
        raise SettingsError("producer.bad_number", f"{option} {text}")
    return value


def _roles(text: str) -> tuple[Role, ...]:
    roles: list[Role] = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        if word == "executor":
            roles.append("executor")
        elif word == "dashboard":
            roles.append("dashboard")
        else:
            raise SettingsError("producer.bad_role", word)
    return tuple(roles)


def _position(text: str) -> tuple[Code, Position]:
    written = re.fullmatch(r"([^=@]+)=([0-9]{1,12})@([0-9]{1,9}(?:\.[0-9]{1,6})?)", text.strip(), re.ASCII)
    if written is None:
        raise SettingsError("producer.bad_position", text)
    shares, price = int(written[2]), float(written[3])
    held = Position(
        volume=shares, can_use_volume=shares, open_price=price, market_value=round(shares * price, 2)
    )
    return parse_code(written[1]), held
