"""The plan of a position: what of it is fixed and never sold, and what the strategy works with.

Pure changes of the books, and the one place that writes them while no engine runs. Shares are shares,
prices yuan.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mac_side.books import BUY_UNIT, Books, Lot
from mac_side.state_file import DashboardState, StateFile, new_state
from shared_schema.clock import Moment
from shared_schema.errors import StateError
from shared_schema.sessions import SessionState, state_at, trading_day_of
from shared_schema.trading_calendar import TradingCalendar

FIXED_PERCENT = 80.0
"""Of a held position that a split keeps fixed."""
_RESTING = frozenset({SessionState.CLOSED, SessionState.AFTER_HOURS, SessionState.HOLIDAY})


def may_change(market: float, calendar: TradingCalendar) -> bool:
    """Whether a plan may change at ``market`` (Unix seconds): after the close, before the opening call.

    At lunch it may not, nor on a date the calendar does not know.
    """
    return state_at(market, calendar) in _RESTING


def split(
    books: Books, held: int, cost_price: float, anchor: float, fixed_percent: float = FIXED_PERCENT
) -> Books:
    """The books with ``held`` shares parted: whole hundreds flow as one lot, the rest is fixed.

    The lot costs ``cost_price`` a share and is counted as bought, so that lots and totals
    go on agreeing. ``anchor``: where the grid begins.
    """
    flow = int(held * (100.0 - fixed_percent) / 100.0 + 1e-6) // BUY_UNIT * BUY_UNIT
    cost = flow * cost_price
    lots = (Lot(flow, cost, cost_price),) if flow else ()
    totals = replace(
        books.totals,
        bought_shares=books.totals.bought_shares + flow,
        bought_yuan=books.totals.bought_yuan + cost,
    )
    return replace(
        books,
        lots=lots,
        anchor=anchor,
        top_ups=(),
        before_flat=None,
        fixed_volume=held - flow,
        shortfall=0,
        totals=totals,
    )


def reset(books: Books, fixed: int) -> Books:
    """The books without lots, anchor or cooling: ``fixed`` shares are held, and none of them is sold.

    What the lots held counts as sold at cost: from here on it is part of the fixed position.
    """
    sold_yuan = books.totals.sold_yuan + books.cost
    totals = replace(books.totals, sold_shares=books.totals.bought_shares, sold_yuan=sold_yuan)
    return replace(
        books,
        lots=(),
        anchor=None,
        flat_at=None,
        top_ups=(),
        before_flat=None,
        fixed_volume=fixed,
        shortfall=0,
        totals=totals,
    )


def change_books(
    path: Path, known: DashboardState, change: Callable[[Books], Books], label: str, now: Moment
) -> Path:
    """Change the books at ``path`` and return the copy kept of them as they were.

    A seed's last signal is waited for no more: what a person says is held holds its fills, and a result that
    came after would count them twice.
    The caller holds the engine's lock (``hold_engine``); ``known`` is the state the person was shown.
    Raises StateError where the books are missing, damaged, or not the ones that were shown.
    """
    state_file = StateFile(path)
    if not path.exists():
        raise StateError("dashboard.no_books", path)
    raw = path.read_bytes()
    # Read once more by the engine's own rules, so that nothing is written over what it would refuse.
    state = state_file.load(new_state(now, known.mode, known.account, known.strategy, known.writer))
    if state.books != known.books or len(state.outbox.open) != len(known.outbox.open):
        raise StateError("dashboard.books_moved", path)
    copy = state_file.keep_copy(raw, f"{label}-{int(now.wall)}")
    changed = replace(state, books=change(state.books), outbox=state.outbox.without_adopted())
    _, saved = state_file.save(changed, now, trading_day_of(now.market))
    state_file.keep_last_good(saved)
    return copy
