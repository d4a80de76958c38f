"""Codes with their exchange, ``159201.SZ``: strict to read, helpful when wrong."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from typing import Literal

from shared_schema.errors import MiniqmtError
from shared_schema.ids import Code

Exchange = Literal["SH", "SZ", "BJ"]


class InstrumentError(MiniqmtError, ValueError):
    """A code, price or rule of an instrument is not usable; neutral to where it came from."""


class Board(Enum):
    """Where an instrument is listed; each board has its own rules."""

    MAIN = "main"
    CHINEXT = "chinext"
    STAR = "star"
    BEIJING = "beijing"
    B_SHARE = "b_share"
    FUND = "fund"
    CONVERTIBLE_BOND = "convertible_bond"


# The first digits of what each exchange lists for trading. Disjoint over the exchanges,
# so that a bare code has one home; indices (000001.SH, 399001.SZ) are deliberately absent.
LISTINGS: tuple[tuple[Exchange, tuple[str, ...], Board], ...] = (
    ("SH", ("600", "601", "603", "605"), Board.MAIN),
    ("SH", ("688", "689"), Board.STAR),
    ("SH", ("900",), Board.B_SHARE),
    ("SH", ("50", "51", "52", "53", "55", "56", "58"), Board.FUND),
    ("SH", ("110", "111", "113", "118"), Board.CONVERTIBLE_BOND),
    ("SZ", ("000", "001", "002", "003", "004"), Board.MAIN),
    ("SZ", ("300", "301", "302"), Board.CHINEXT),
    ("SZ", ("200",), Board.B_SHARE),
    ("SZ", ("15", "16", "18"), Board.FUND),
    ("SZ", ("123", "127", "128"), Board.CONVERTIBLE_BOND),
    ("BJ", ("43", "83", "87", "88", "92"), Board.BEIJING),
)

_CODE = re.compile(r"[0-9]{6}\.(SH|SZ|BJ)", re.ASCII)
_EXCHANGES: dict[str, Exchange] = {
    "SH": "SH", "SSE": "SH", "SS": "SH", "XSHG": "SH",
    "SZ": "SZ", "SZSE": "SZ", "XSHE": "SZ",
    "BJ": "BJ", "BSE": "BJ",
}  # fmt: skip
_NAMES = "|".join(sorted(_EXCHANGES, key=len, reverse=True))
_EXCHANGE_FIRST = re.compile(rf"(?<![A-Z0-9])({_NAMES})[._-]?([0-9]{{6}})(?![0-9])", re.ASCII | re.IGNORECASE)
_DIGITS_FIRST = re.compile(
    rf"(?<![0-9])([0-9]{{6}})[._-]?({_NAMES})(?![A-Z0-9])", re.ASCII | re.IGNORECASE
)
_BARE = re.compile(r"(?<![0-9])([0-9]{6})(?![0-9])", re.ASCII)


def parse_code(text: object) -> Code:
    """``text`` as a code; it must already stand as ``159201.SZ`` (six digits, SH, SZ or BJ).

    Errors: InstrumentError (``instruments.code``), which suggests the code that was
    probably meant: a missing exchange, lower case, ``SH600009``, ``600009.XSHG``.
    """
    if isinstance(text, str) and _CODE.fullmatch(text):
        return Code(text)
    meant = _probably_meant(text) if isinstance(text, str) else None
    if meant is None:
        raise InstrumentError("instruments.code", code=_shown(text))
    raise InstrumentError("instruments.code_meant", code=_shown(text), meant=meant)


def exchange_of(code: Code) -> Exchange:
    """The exchange of a code that ``parse_code`` let through."""
    return _EXCHANGES[code[-2:]]


def guess_code(digits: str) -> Code | None:
    """The full code of six bare digits, as shares and funds are numbered; None when none fits.

    ``000001`` is the share of Shenzhen, never the index of Shanghai.
    """
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        return None
    for exchange, prefixes, _ in LISTINGS:
        if digits.startswith(prefixes):
            return Code(f"{digits}.{exchange}")
    return None


def board_of(code: Code) -> Board:
    """The board that lists ``code``.

    Errors: InstrumentError for a code that no board lists (an index, a warrant), with
    the other exchange suggested where the digits belong there.
    """
    for exchange, prefixes, board in LISTINGS:
        if code[-2:] == exchange and code.startswith(prefixes):
            return board
    meant = guess_code(code[:6])
    if meant is None:
        raise InstrumentError("instruments.no_board", code=code)
    raise InstrumentError("instruments.other_exchange", code=code, meant=meant)


def code_from_file_name(name: str | Path) -> Code | None:
    """The code that a data file's name carries, None when it names none or more than one.

    Reads ``SH600009_1min_….csv``, ``159201.SZ.csv``, ``SSE.600009_m1.csv`` and, where
    just one group of six digits can be a code, ``history_159201_1m.csv``.
    """
    base = str(name).replace("\\", "/").rsplit("/", 1)[-1]
    named = {_joined(digits, exchange) for exchange, digits in _EXCHANGE_FIRST.findall(base)}
    named |= {_joined(digits, exchange) for digits, exchange in _DIGITS_FIRST.findall(base)}
    if not named:
        named = {code for digits in _BARE.findall(base) if (code := guess_code(digits)) is not None}
    return named.pop() if len(named) == 1 else None


def _probably_meant(text: str) -> Code | None:
    plain = text.strip()
    if len(plain) > 16:
        return None
    if match := _EXCHANGE_FIRST.fullmatch(plain):
        return _joined(match[2], match[1])
    if match := _DIGITS_FIRST.fullmatch(plain):
        return _joined(match[1], match[2])
    return guess_code(plain)


def _joined(digits: str, exchange: str) -> Code:
    return Code(f"{digits}.{_EXCHANGES[exchange.upper()]}")


def _shown(text: object) -> str:
    """``text`` for an error's sentence: quoted, one line, never longer than 40 characters."""
    if isinstance(text, str) and len(text) > 30:
        return repr(text[:30]) + "…"
    return repr(text)[:40]
