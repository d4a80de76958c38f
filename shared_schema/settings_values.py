"""How a setting's written value becomes a checked one.

A check takes what TOML, an environment variable or a command line gave (a text where it came from the
latter two) and returns the value, or raises BadValue naming what was expected.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared_schema.ids import Code
from shared_schema.instruments.codes import InstrumentError, board_of
from shared_schema.words import say


class BadValue(Exception):
    """A wrong value; ``expected`` names the entry of ``settings.expected``."""

    def __init__(self, expected: str, **values: object) -> None:
        super().__init__(expected)
        self.expected = expected
        self.values = values

    def __str__(self) -> str:
        return say(f"settings.expected.{self.expected}", **self.values)


Check = Callable[[object], Any]


@dataclass(frozen=True)
class Rule:
    """What belongs to one setting besides its name and default."""

    check: Check
    environment: tuple[str, ...] = ()
    """Its environment variables, the first one winning."""
    secret: bool = False
    is_path: bool = False


def setting(default: Any, check: Check, *environment: str, secret: bool = False) -> Any:
    """A dataclass field that is a setting."""
    rule = Rule(check, environment, secret, is_path=check is path)
    if isinstance(default, dict):
        return field(default_factory=default.copy, repr=not secret, metadata={"rule": rule})
    return field(default=default, repr=not secret, metadata={"rule": rule})


def text(value: object) -> str:
    """Any text of one line that is not blank."""
    if isinstance(value, str) and value.strip() and not re.search(r"[\x00-\x1f]", value):
        return value.strip()
    raise BadValue("text")


def account_number(value: object) -> str:
    """An account number: a text; a bare TOML integer is taken as its digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    number = text(value)
    if not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", number):
        raise BadValue("account_number")
    return number


def name(value: object) -> str:
    """A name that may stand in file names: 1 to 32 of A-Z a-z 0-9 . _ -"""
    if isinstance(value, str) and re.fullmatch(r"\w([\w.-]{0,30}\w)?", value, re.ASCII):
        return value
    raise BadValue("name")


def path(value: object) -> Path:
    """A path; a control character in it is a backslash that double quotes have eaten."""
    if not isinstance(value, str) or not value.strip():
        raise BadValue("path")
    if re.search(r"[\x00-\x1f]", value):
        raise BadValue("path_escapes")
    try:
        return Path(value.strip()).expanduser()
    except RuntimeError:  # ~somebody who is nobody here
        raise BadValue("path") from None


def switch(value: object) -> bool:
    """True or false, or one of the words 1, true, yes, on, 0, false, no, off in any case."""
    word = str(value).strip().lower()
    if isinstance(value, bool | int | str):
        if word in ("1", "true", "yes", "on"):
            return True
        if word in ("0", "false", "no", "off"):
            return False
    raise BadValue("switch")


def whole(low: int, high: int = 10**12) -> Check:
    """A whole number from ``low`` to ``high``."""

    def check(value: object) -> int:
        number = _number(value)
        if number is None or not number.is_integer() or not low <= number <= high:
            raise BadValue("whole", low=low, high=high)
        return int(number)

    return check


def number(low: float, high: float = 1e12) -> Check:
    """A finite number from ``low`` to ``high``."""

    def check(value: object) -> float:
        number = _number(value)
        if number is None or not low <= number <= high:
            raise BadValue("number", low=low, high=high)
        return number

    return check


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def one_of(*choices: str, upper: bool = False) -> Check:
    """One of ``choices``; case and blanks around are ignored."""

    def check(value: object) -> str:
        word = str(value).strip()
        word = word.upper() if upper else word.lower()
        if not isinstance(value, str) or word not in choices:
            raise BadValue("one_of", choices=", ".join(choices), nearest=nearest(word, choices) or choices[0])
        return word

    return check


def code(value: object) -> Code:
    """An instrument that a board lists, with its exchange, as 159201.SZ."""
    found = _code(value)
    try:
        board_of(found)
    except InstrumentError as problem:
        raise BadValue("board", why=problem.why, next=problem.next_step) from None
    return found


def _code(value: object) -> Code:
    if isinstance(value, str) and re.fullmatch(r"\d{6}\.(SH|SZ|BJ)", value.strip().upper(), re.ASCII):
        return Code(value.strip().upper())
    raise BadValue("code")


def codes(value: object) -> tuple[Code, ...]:
    """A list of codes, or a text with commas between them; at least one."""
    return _codes(value, code)


def quoted_codes(value: object) -> tuple[Code, ...]:
    """The same of what is only quoted: an index too."""
    return _codes(value, _code)


def _codes(value: object, each: Callable[[object], Code]) -> tuple[Code, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not parts:
        raise BadValue("codes")
    return tuple(dict.fromkeys(each(part) for part in parts))


def notice_urls(value: object) -> tuple[str, ...]:
    """A list of addresses, or a text with blanks or commas between them; empty for none.

    A comma splits only before the next address: some hold commas themselves.
    """
    parts = re.split(r"[\s,]+(?=[a-z][a-z0-9+.-]*://)", value.strip()) if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise BadValue("notice_urls")
    found = tuple(part.strip() for part in parts if isinstance(part, str) and part.strip())
    if len(found) < len([part for part in parts if part != ""]) or any("://" not in url for url in found):
        raise BadValue("notice_urls")
    return found


def table(value: object) -> Mapping[str, Any]:
    """A free table; whoever uses it checks what it holds."""
    if not isinstance(value, Mapping):
        raise BadValue("table")
    return dict(value)


def masked(secret: str) -> str:
    """A secret as it may be shown: its last three characters at most."""
    shown = secret[-3:] if len(secret) > 6 else ""
    return "*" * (len(secret) - len(shown)) + shown


def nearest(wrong: str, right: tuple[str, ...]) -> str | None:
    """The name in ``right`` most like ``wrong``; a key in the wrong table counts as nearest."""
    last = wrong.rpartition(".")[2]
    moved = [candidate for candidate in right if candidate.rpartition(".")[2] == last]
    if moved:
        return moved[0]
    close = difflib.get_close_matches(wrong, right, n=1, cutoff=0.6)
    if close:
        return close[0]
    ends = {candidate.rpartition(".")[2]: candidate for candidate in right}
    close = difflib.get_close_matches(last, tuple(ends), n=1, cutoff=0.7)
    return ends[close[0]] if close else None
