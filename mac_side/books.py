"""The strategy's books: lots, anchor, cooling, top-ups, and what a result does to them.

Pure values and pure transitions. An intention changes the books at once (a bought lot stands as
pending, sold lots leave); ``apply_result`` settles it when the executor's terminal result is there,
and applies the difference when a later revision reports further fills. At every moment, with all
intentions settled, ``shares - shortfall`` equals what the results say was bought less what was sold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from shared_schema.messages import OrderResult

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


@dataclass(frozen=True)
class Settlement:
    """The outcome of ``apply_result``; ``problem`` is a word where a person should look."""

    books: Books
    intention: Intention
    changed: bool
    problem: Literal["", "fills_fell", "over_filled", "shortfall"] = ""


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
        books = _flat(books, price, bar_end)
    return books, Intention("sell", shares, price, removed=removed, places=gone)


def drop_old_top_ups(books: Books, market: float) -> Books:
    """The books without the top-ups older than 15 minutes."""
    kept = tuple(waiting for waiting in books.top_ups if 0 <= market - waiting.since <= TOP_UP_WINDOW)
    return books if kept == books.top_ups else replace(books, top_ups=kept)


def apply_result(books: Books, intention: Intention, result: OrderResult, market: float) -> Settlement:
    """Settle ``intention`` by a terminal result, or add what a later revision has filled further.

    The caller has checked that the result belongs to the signal. A result that is not terminal, or a
    revision that is not above the applied one, changes nothing. ``market`` is Unix seconds.
    """
    unchanged = Settlement(books, intention, False)
    if not result.is_terminal or (intention.settled and result.revision <= intention.revision):
        return unchanged
    filled = result.filled_shares
    if filled < intention.applied_shares:
        return replace(unchanged, problem="fills_fell")
    yuan = _yuan(books, intention, result)
    more, more_yuan = filled - intention.applied_shares, yuan - intention.applied_yuan
    settle = {"buy": _settle_buy, "top_up": _settle_top_up, "sell": _settle_sell}.get(intention.kind)
    short_before = books.shortfall
    if settle is not None:
        books = settle(books, intention, more, more_yuan, market)
        books = replace(books, totals=_added(books.totals, intention.kind, more, more_yuan))
    after = replace(
        intention, applied_shares=filled, applied_yuan=yuan, settled=True, revision=result.revision
    )
    if filled > intention.shares:
        return Settlement(books, after, True, "over_filled")
    return Settlement(books, after, True, "shortfall" if books.shortfall > short_before else "")


def _settle_buy(books: Books, intention: Intention, more: int, yuan: float, market: float) -> Books:
    if intention.settled:
        return _late_buy(books, intention, more, yuan)
    place = _place(books, intention.lot_id)
    if place is None:  # cleared meanwhile; what was filled is held all the same
        return _new_lot(books, intention, more, yuan) if more else books
    if more == 0:
        return _failed_buy(books, intention, place)
    lot = replace(books.lots[place], shares=more, cost=yuan)
    books = _with_lot(books, place, lot)
    return _waiting(books, intention.shares - more, intention.price, market, intention.lot_id)


def _failed_buy(books: Books, intention: Intention, place: int) -> Books:
    """Nothing was filled: the lot goes, the anchor returns to what it was.

    Where a later layer stands, the anchor is the price of the last lot held.
    """
    was_last = place == len(books.lots) - 1
    lots = books.lots[:place] + books.lots[place + 1 :]
    anchor = books.anchor
    if not was_last:
        anchor = lots[-1].buy_price
    elif anchor == intention.price:
        anchor = intention.previous_anchor
    return replace(books, lots=lots, anchor=anchor)


def _late_buy(books: Books, intention: Intention, more: int, yuan: float) -> Books:
    if more == 0:
        return books
    waiting = next((top_up for top_up in books.top_ups if top_up.lot_id == intention.lot_id), None)
    if waiting is not None:
        books = replace(books, top_ups=tuple(other for other in books.top_ups if other is not waiting))
        books = _waiting(books, waiting.shares - more, waiting.price, waiting.since, waiting.lot_id)
    return _grown(books, intention, more, yuan)


def _settle_top_up(books: Books, intention: Intention, more: int, yuan: float, market: float) -> Books:
    top_up = intention.top_up
    if not intention.settled and top_up is not None and market - top_up.since <= TOP_UP_WINDOW:
        books = _waiting(books, intention.shares - more, top_up.price, top_up.since, top_up.lot_id)
    return _grown(books, intention, more, yuan) if more else books


def _settle_sell(books: Books, intention: Intention, more: int, yuan: float, market: float) -> Books:
    if intention.settled:
        return _taken(books, intention, more, market)
    return _given_back(books, intention, more)


def _given_back(books: Books, intention: Intention, sold: int) -> Books:
    """What was not sold comes back as lots at their cost, where they stood; the oldest were sold first."""
    lots = list(books.lots)
    came_back = False
    short = books.shortfall
    for place, lot in zip(intention.places, intention.removed, strict=True):
        from_this = min(lot.shares, sold)
        sold -= from_this
        rest = lot.shares - from_this
        owed = min(rest, short)
        short -= owed
        rest -= owed
        if rest:
            lots.insert(min(place, len(lots)), lot.part(rest))
            came_back = True
    books = replace(books, lots=tuple(lots), shortfall=short + max(0, sold))
    if came_back and books.before_flat is not None:
        anchor, flat_at = books.before_flat
        books = replace(books, anchor=anchor, flat_at=flat_at, before_flat=None)
    return books


def _taken(books: Books, intention: Intention, shares: int, market: float) -> Books:
    """A late fill of a sell: its own returned lots shrink; beyond them the position is short.

    Never another lot: one that is pending may hold nothing yet, and its end would lose the shares.
    """
    if shares == 0:
        return books
    own = {(lot.client_order_id, lot.buy_price) for lot in intention.removed}
    left = {place: lot.shares for place, lot in enumerate(books.lots)}
    for place, lot in enumerate(books.lots):
        if (lot.client_order_id, lot.buy_price) in own:
            used = min(shares, left[place])
            left[place] -= used
            shares -= used
    lots = tuple(lot.part(left[place]) for place, lot in enumerate(books.lots) if left[place])
    emptied = bool(books.lots) and not lots
    books = replace(books, lots=lots, shortfall=books.shortfall + shares)
    return _flat(books, intention.price, market) if emptied else books


def _flat(books: Books, price: float, at: float) -> Books:
    return replace(books, before_flat=(books.anchor, books.flat_at), anchor=price, flat_at=at)


def _grown(books: Books, intention: Intention, more: int, yuan: float) -> Books:
    """Further shares of a buy join its lot, or make one where it is gone."""
    place = _place(books, intention.lot_id)
    if place is None:
        return _new_lot(books, intention, more, yuan)
    lot = books.lots[place]
    return _with_lot(books, place, replace(lot, shares=lot.shares + more, cost=lot.cost + yuan))


def _new_lot(books: Books, intention: Intention, shares: int, yuan: float) -> Books:
    lot = Lot(shares, yuan, intention.price, intention.lot_id)
    moves_anchor = intention.kind == "buy" and books.anchor == intention.previous_anchor
    anchor = intention.price if moves_anchor else books.anchor
    return replace(books, lots=(*books.lots, lot), anchor=anchor, before_flat=None)


def _waiting(books: Books, shares: int, price: float, since: float, lot_id: str) -> Books:
    whole = shares // BUY_UNIT * BUY_UNIT
    if whole <= 0:
        return books
    return replace(books, top_ups=(*books.top_ups, TopUp(whole, price, since, lot_id)))


def _with_lot(books: Books, place: int, lot: Lot) -> Books:
    return replace(books, lots=(*books.lots[:place], lot, *books.lots[place + 1 :]))


def _place(books: Books, lot_id: str) -> int | None:
    found = (place for place, lot in enumerate(books.lots) if lot_id and lot.client_order_id == lot_id)
    return next(found, None)


def _yuan(books: Books, intention: Intention, result: OrderResult) -> float:
    """Yuan of all fills: the trades where they account for every share, else the average price.

    Where a result tells neither (the seed's), the pending lot's cost pro rata, else the limit price.
    """
    filled = result.filled_shares
    if result.trades and sum(trade.shares for trade in result.trades) == filled:
        return sum(trade.shares * trade.price for trade in result.trades)
    if result.average_price > 0:
        return filled * result.average_price
    place = _place(books, intention.lot_id)
    if intention.kind == "buy" and not intention.settled and place is not None:
        return books.lots[place].cost * filled / books.lots[place].shares
    return filled * intention.price


def _added(totals: Totals, kind: Kind, shares: int, yuan: float) -> Totals:
    if kind == "sell":
        return replace(
            totals, sold_shares=totals.sold_shares + shares, sold_yuan=totals.sold_yuan + yuan
        )
    return replace(
        totals, bought_shares=totals.bought_shares + shares, bought_yuan=totals.bought_yuan + yuan
    )
