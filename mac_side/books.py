"""The strategy's books: lots, anchor, cooling, top-ups, and what an intention does to them.

Pure values and pure transitions. An intention changes the books at once (a bought lot stands as
pending, sold lots leave); ``books_settling`` settles it when the executor's terminal result is there,
and applies the difference when a later revision reports further fills. At every moment, with all
intentions settled, ``shares - shortfall`` equals what the results say was bought less what was sold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

TOP_UP_WINDOW = 15 * 60.0
"""Seconds of market time for which the rest of a partly filled buy may still be bought."""
BUY_UNIT = 100
"""Shares; the rest of a buy below it can't be ordered and is dropped."""

Kind = Literal["buy", "top_up", "sell", "cancel", "order"]
"""``order``: a script's own order, without books."""


@dataclass(frozen=True)
class Lot:
    """Shares one buy brought, sold whole. ``cost`` in yuan without fees, ``buy_price`` as decided."""

    shares: int
    cost: float
    buy_price: float
    client_order_id: str = ""
    """The buy it came from; "" for a lot of the seed's file."""
    top_up_ids: tuple[str, ...] = ()
    """Further buys added to it."""
    extra: tuple[tuple[str, Any], ...] = ()
    """What else the user's file says of it."""

    @property
    def buys(self) -> tuple[str, ...]:
        """The client order ids whose pool money the sale of this lot frees."""
        return tuple(identity for identity in (self.client_order_id, *self.top_up_ids) if identity)

    def part(self, shares: int) -> Lot:
        """The same lot with only ``shares`` of it left, cost pro rata."""
        return replace(self, shares=shares, cost=self.cost * shares / self.shares)


@dataclass(frozen=True)
class TopUp:
    """The unfilled rest of a buy: may be bought until ``since`` + 15 minutes, at ``price`` or below."""

    shares: int
    price: float
    since: float
    """Market time, Unix seconds, at which the buy ended unfilled."""
    lot_id: str


@dataclass(frozen=True)
class Totals:
    """All fills ever applied, shares and yuan, without fees."""

    bought_shares: int = 0
    bought_yuan: float = 0.0
    sold_shares: int = 0
    sold_yuan: float = 0.0


@dataclass(frozen=True)
class Books:
    """What the strategy holds and remembers. Prices in yuan, times in market Unix seconds."""

    lots: tuple[Lot, ...] = ()
    anchor: float | None = None
    """None until the first decision sets it."""
    flat_at: float | None = None
    """End of the bar at which the last lot went; None: never yet."""
    before_flat: tuple[float | None, float | None] | None = None
    """Anchor and ``flat_at`` from before the last lot went, for a sell that comes back unfilled."""
    top_ups: tuple[TopUp, ...] = ()
    fixed_volume: int = 0
    """Shares of the position that the strategy never sells."""
    shortfall: int = 0
    """Shares sold by a late fill after they had been sold again: the fixed position is short of them."""
    totals: Totals = Totals()

    @property
    def shares(self) -> int:
        """Shares of all lots, pending ones included."""
        return sum(lot.shares for lot in self.lots)

    @property
    def expected_shares(self) -> int:
        """What the account must hold at least when nothing is open: the fixed position and all lots."""
        return max(0, self.fixed_volume + self.shares - self.shortfall)

    @property
    def cost(self) -> float:
        """Cost of all lots, yuan."""
        return sum(lot.cost for lot in self.lots)


@dataclass(frozen=True)
class Intention:
    """What the books changed for one signal, kept to settle it."""

    kind: Kind
    shares: int
    price: float
    lot_id: str = ""
    """Buy and top-up: the lot they belong to."""
    previous_anchor: float | None = None
    """Buy: the anchor to return to when nothing is filled."""
    removed: tuple[Lot, ...] = ()
    """Sell: the lots taken out, oldest first."""
    places: tuple[int, ...] = ()
    """Sell: where they stood."""
    top_up: TopUp | None = None
    """Top-up: what it tries to complete."""
    applied_shares: int = 0
    """Fills already in the books."""
    applied_yuan: float = 0.0
    settled: bool = False
    revision: int = -1
    """The highest revision applied."""


def intend_buy(books: Books, signal_id: str, shares: int, price: float) -> tuple[Books, Intention]:
    """A buy is sent: its lot stands last, pending, and the anchor moves to its price."""
    lot = Lot(shares, shares * price, price, signal_id)
    intention = Intention("buy", shares, price, signal_id, previous_anchor=books.anchor)
    return replace(books, lots=(*books.lots, lot), anchor=price, before_flat=None), intention


def intend_top_up(books: Books, top_up: TopUp, shares: int, price: float) -> tuple[Books, Intention]:
    """The rest of a buy is sent again; its lot grows only when it is filled."""
    kept = tuple(waiting for waiting in books.top_ups if waiting != top_up)
    return replace(books, top_ups=kept), Intention("top_up", shares, price, top_up.lot_id, top_up=top_up)


def intend_sell(
    books: Books, places: Iterable[int], price: float, bar_end: float
) -> tuple[Books, Intention]:
    """Whole lots are sent for sale as one signal: they leave the books.

    When the last lot goes the anchor moves to ``price`` and the cooling clock starts at ``bar_end``.
    """
    gone = tuple(sorted(places))
    removed = tuple(books.lots[place] for place in gone)
    kept = tuple(lot for place, lot in enumerate(books.lots) if place not in set(gone))
    ids = {lot.client_order_id for lot in removed}
    top_ups = tuple(waiting for waiting in books.top_ups if waiting.lot_id not in ids)
    shares = sum(lot.shares for lot in removed)
    books = replace(books, lots=kept, top_ups=top_ups)
    if not kept:
        books = flat(books, price, bar_end)
    return books, Intention("sell", shares, price, removed=removed, places=gone)


def flat(books: Books, price: float, at: float) -> Books:
    """The last lot has gone: the anchor moves to ``price``, the cooling clock starts at ``at``."""
    return replace(books, before_flat=(books.anchor, books.flat_at), anchor=price, flat_at=at)


def drop_old_top_ups(books: Books, market: float) -> Books:
    """The books without the top-ups older than 15 minutes."""
    kept = tuple(waiting for waiting in books.top_ups if 0 <= market - waiting.since <= TOP_UP_WINDOW)
    return books if kept == books.top_ups else replace(books, top_ups=kept)
