"""What a result does to the books: each revision of each intention settles them once. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from mac_side.books import BUY_UNIT, TOP_UP_WINDOW, Books, Intention, Kind, Lot, TopUp, Totals, flat
from shared_schema.messages import OrderResult


@dataclass(frozen=True)
class Settlement:
    """The outcome of ``apply_result``; ``problem`` is a word where a person should look."""

    books: Books
    intention: Intention
    changed: bool
    problem: Literal["", "fills_fell", "over_filled", "shortfall"] = ""


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
    return flat(books, intention.price, market) if emptied else books


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
