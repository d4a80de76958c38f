"""The rules of each board, and of one instrument on one day.

Limits and their dates: trading rules of SSE and SZSE (2023) and their 2026 revision
(main-board ST 5 % -> 10 % on 2026-07-06), ChiNext reform of 2020-08-24, convertible
bonds 2022-08-01. Largest orders and the funds lists below are not from official
tables: the terminal's own values (``Override``) win.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from shared_schema.ids import Code
from shared_schema.instruments.codes import Board, InstrumentError, board_of, parse_code


@dataclass(frozen=True, slots=True)
class Instrument:
    """The rules one instrument trades by on one day.

    ``lot`` is the unit whose remainder may be sold only whole; quantities are shares
    (bonds: pieces, 张), prices yuan. ``limit_fraction`` None means no daily limit.
    ``limit_down`` and ``limit_up`` (yuan) are set only where the terminal gave them.
    ``cage_fraction`` None means no price cage in continuous trading.
    """

    code: Code
    board: Board
    lot: int
    tick_size: float
    same_day_sell: bool
    limit_fraction: float | None
    buy_step: int
    min_buy: int
    max_order: int
    cage_fraction: float | None
    cage_ticks: int
    limit_down: float | None = None
    limit_up: float | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """What the quote or the terminal says of an instrument today; it wins over the table.

    Prices in yuan, ``max_order`` in shares. None, 0 and NaN mean "not said": terminals
    send 0 for what they do not know.
    """

    limit_up: float | None = None
    limit_down: float | None = None
    tick_size: float | None = None
    max_order: int | None = None


@dataclass(frozen=True, slots=True)
class _BoardRules:
    lot: int
    tick_size: float
    limit_fraction: float
    buy_step: int
    min_buy: int
    max_order: int
    cage_fraction: float | None
    cage_ticks: int


# Cage: 2 % or 10 ticks, whichever is wider; STAR 2 % alone; BSE 5 % or 0.1 yuan.
_RULES: dict[Board, _BoardRules] = {
    #                                  lot  tick  limit step min   largest  cage  ticks
    Board.MAIN:             _BoardRules(100, 0.01, 0.10, 100, 100, 1_000_000, 0.02, 10),
    Board.CHINEXT:          _BoardRules(100, 0.01, 0.20, 100, 100, 300_000, 0.02, 10),
    Board.STAR:             _BoardRules(200, 0.01, 0.20, 1, 200, 100_000, 0.02, 0),
    Board.BEIJING:          _BoardRules(100, 0.01, 0.30, 1, 100, 1_000_000, 0.05, 10),
    Board.B_SHARE:          _BoardRules(100, 0.01, 0.10, 100, 100, 1_000_000, 0.02, 10),
    Board.FUND:             _BoardRules(100, 0.001, 0.10, 100, 100, 1_000_000, None, 0),
    Board.CONVERTIBLE_BOND: _BoardRules(10, 0.001, 0.20, 10, 10, 1_000_000, None, 0),
}  # fmt: skip

MAIN_ST_TEN_PERCENT = date(2026, 7, 6)
CHINEXT_TWENTY_PERCENT = date(2020, 8, 24)
MAIN_PRICE_CAGE = date(2023, 4, 10)
BOND_LIMIT = date(2022, 8, 1)


def _codes(exchange: str, digits: str) -> list[str]:
    return [f"{six}.{exchange}" for six in digits.split()]


# Bought and sold on one day (T+0), one by one on purpose: a fund of the same family may
# track something that is T+1. Whatever is missing here waits a day, which costs nothing
# but time; the terminal's can_use_volume decides in the end.
SAME_DAY_FUNDS = frozenset(
    _codes("SH", "511010 511020 511030 511090 511220 511260 511360 511380 511520")  # bonds
    + _codes("SH", "511660 511690 511700 511800 511850 511880 511990")  # money market
    + _codes("SZ", "159001 159003 159005")
    + _codes("SH", "518660 518680 518800 518850 518880")  # gold
    + _codes("SZ", "159934 159937")
    + _codes("SZ", "159980 159981 159985")  # commodity futures
    + _codes("SH", "510900 513030 513050 513080 513100 513130 513180 513330 513500")  # cross-border
    + _codes("SH", "513520 513660 513880")
    + _codes("SZ", "159920 159941")
)

# Funds whose index holds only shares with a 20 % limit. SSE numbers its own 588, 589.
TWENTY_PERCENT_PREFIXES = ("588", "589")
TWENTY_PERCENT_FUNDS = frozenset(
    _codes("SZ", "159915 159948 159949 159952 159977")  # ChiNext
    + _codes("SZ", "159780 159781 159782 159783")  # STAR and ChiNext 50
)

# N: first day of listing, C: second to fifth day; both are followed by the Chinese name.
_NEW_LISTING = re.compile("[NC][\u4e00-\u9fff]")


@lru_cache(maxsize=4096)
def instrument(code: str, name: str = "", on: date | None = None) -> Instrument:
    """The table's rules for ``code`` on the day ``on`` (None: the newest rules known).

    ``name`` is the short name of the terminal; it tells ST (``ST``, ``*ST``), the
    first days after listing (``N…``, ``C…``: no limit) and delisting (``退``).
    Without a name an ST share of before 2026-07-06 gets 10 % instead of 5 %.
    Errors: InstrumentError for a malformed code or one that no board lists, with the
    other exchange suggested where the digits belong there.
    """
    checked = parse_code(code)
    board = board_of(checked)
    rules = _RULES[board]
    return Instrument(
        code=checked,
        board=board,
        lot=rules.lot,
        tick_size=0.001 if checked.startswith("900") and board is Board.B_SHARE else rules.tick_size,
        same_day_sell=board is Board.CONVERTIBLE_BOND or checked in SAME_DAY_FUNDS,
        limit_fraction=_limit_fraction(checked, board, name, on),
        buy_step=rules.buy_step,
        min_buy=rules.min_buy,
        max_order=rules.max_order,
        cage_fraction=_cage_fraction(board, on),
        cage_ticks=rules.cage_ticks,
    )


def with_override(known: Instrument, override: Override) -> Instrument:
    """``known`` with what the terminal said; good for the day it was said on.

    Errors: InstrumentError (``instruments.override``) for a negative or infinite value,
    a tick size that does not divide one yuan, or a lower limit above the upper one.
    """
    changed = known
    if (tick_size := _said(known, "tick_size", override.tick_size)) is not None:
        per_yuan = round(1 / tick_size)
        if per_yuan < 1 or abs(per_yuan * tick_size - 1) > 1e-9:
            raise InstrumentError("instruments.override", known.code, field="tick_size", value=tick_size)
        changed = replace(changed, tick_size=1 / per_yuan)
    if (limit_up := _said(known, "limit_up", override.limit_up)) is not None:
        changed = replace(changed, limit_up=limit_up)
    if (limit_down := _said(known, "limit_down", override.limit_down)) is not None:
        changed = replace(changed, limit_down=limit_down)
    if (max_order := _said(known, "max_order", override.max_order)) is not None:
        changed = replace(changed, max_order=int(max_order))
    if limit_up is not None and limit_down is not None and limit_down > limit_up:
        raise InstrumentError(
            "instruments.override", known.code, field="limit_down", value=f"{limit_down} > {limit_up}"
        )
    return changed


def _said(known: Instrument, field: str, value: float | None) -> float | None:
    if value is None or value == 0 or math.isnan(value):
        return None
    if value < 0 or math.isinf(value):
        raise InstrumentError("instruments.override", known.code, field=field, value=value)
    return value


def _limit_fraction(code: Code, board: Board, name: str, on: date | None) -> float | None:
    day = on or date.max
    plain = name.strip().upper()
    is_share = board in (Board.MAIN, Board.CHINEXT, Board.STAR, Board.BEIJING)
    if is_share and _NEW_LISTING.match(plain):
        return None
    if board is Board.CONVERTIBLE_BOND and day < BOND_LIMIT:
        return None
    fraction = _RULES[board].limit_fraction
    if board is Board.CHINEXT and day < CHINEXT_TWENTY_PERCENT:
        fraction = 0.10
    elif board is Board.FUND and day >= CHINEXT_TWENTY_PERCENT and _is_twenty_percent_fund(code):
        fraction = 0.20
    # Outside STAR and BSE, ST had half the limit until each board's reform.
    if fraction == 0.10 and is_share and "ST" in plain and "退" not in plain and day < MAIN_ST_TEN_PERCENT:
        return 0.05
    return fraction


def _is_twenty_percent_fund(code: Code) -> bool:
    return code in TWENTY_PERCENT_FUNDS or (
        code.endswith(".SH") and code.startswith(TWENTY_PERCENT_PREFIXES)
    )


def _cage_fraction(board: Board, on: date | None) -> float | None:
    day = on or date.max
    if board in (Board.MAIN, Board.B_SHARE) and day < MAIN_PRICE_CAGE:
        return None
    if board is Board.CHINEXT and day < CHINEXT_TWENTY_PERCENT:
        return None
    return _RULES[board].cage_fraction
