"""Shares that can't be sold by themselves, and where they stay so that no sell of them is ever sent. Pure.

A sell is whole lots of the exchange (100 shares; STAR: 200 and more), alone or with the account's whole odd
remainder. A lot of the books gets another size by a buy filled in part, or by a split of shares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from mac_side.books import Books, Lot, flat
from shared_schema.instruments import Instrument, quantity_fault


def taken_of(shares: int, can_use: int, rules: Instrument) -> int:
    """The most of ``shares`` one sell may carry from an account that may sell ``can_use``; 0 where none."""
    whole = shares // rules.lot * rules.lot
    return next((n for n in (shares, whole) if not quantity_fault("SELL", n, rules, can_use)), 0)


def without_odd_rest(
    books: Books,
    places: tuple[int, ...],
    can_use: int,
    rules: Instrument,
    is_pending: Callable[[str], bool],
    price: float,
    bar_end: float,
) -> tuple[Books, tuple[int, ...]]:
    """The books whose lots at ``places`` make one sell the exchange takes, and where those lots stand then.

    What the sell can't carry leaves the youngest of them and joins the oldest other lot that is not pending
    (the end of a pending buy sets its shares anew), else the fixed position. No places: nothing may go.
    """
    shares = sum(books.lots[place].shares for place in places)
    rest = shares - taken_of(shares, can_use, rules)
    if not 0 < rest < rules.lot or shares > can_use:
        return books, places  # more than an odd rest: another fault, and not ours to hide
    host = next(
        (
            at
            for at, lot in enumerate(books.lots)
            if at not in places and not is_pending(lot.client_order_id)
        ),
        None,
    )
    lots: dict[int, Lot] = dict(enumerate(books.lots))
    moved: list[Lot] = []
    for place in sorted(places, reverse=True):
        lot = lots.pop(place)
        part = min(rest, lot.shares)
        if part:
            moved.append(lot.part(part))
        if part < lot.shares:
            lots[place] = lot.part(lot.shares - part)
        elif host is not None:  # its sale frees what the pool gave for both
            names = (*lots[host].top_up_ids, *lot.buys)
            lots[host] = replace(lots[host], top_up_ids=names)
        rest -= part
    if host is not None:
        lots[host] = _grown(lots[host], moved)
    left = sorted(lots)
    ids = {lots[at].client_order_id for at in left}
    top_ups = tuple(waiting for waiting in books.top_ups if waiting.lot_id in ids)
    books = replace(books, lots=tuple(lots[at] for at in left), top_ups=top_ups)
    if host is None:
        books = to_fixed(books, moved)
    if not left:
        books = flat(books, price, bar_end)
    return books, tuple(now for now, at in enumerate(left) if at in places)


def to_fixed(books: Books, parts: Iterable[Lot]) -> Books:
    """The books with ``parts``, which left their lots, fixed: counted as sold at their cost."""
    parts = tuple(parts)
    shares, cost = sum(part.shares for part in parts), sum(part.cost for part in parts)
    totals = replace(
        books.totals,
        sold_shares=books.totals.sold_shares + shares,
        sold_yuan=books.totals.sold_yuan + cost,
    )
    return replace(books, fixed_volume=books.fixed_volume + shares, totals=totals)


def in_whole_lots(books: Books, rules: Instrument) -> Books:
    """The books after a split of shares: each odd rest joins the next lot, the last one's is fixed.

    A lot smaller than what a sell must be stays as it is, until it is to be sold.
    """
    lots: list[Lot] = []
    carried: list[Lot] = []
    for lot in books.lots:
        lot, carried = _grown(lot, carried), []
        odd = lot.shares % rules.lot if rules.buy_step > 1 else 0
        if lot.shares == 0:  # less than one share came of it
            carried = [lot]
            continue
        if odd and lot.shares > rules.lot:
            carried, lot = [lot.part(odd)], lot.part(lot.shares - odd)
        lots.append(lot)
    return to_fixed(replace(books, lots=tuple(lots)), carried)


def _grown(lot: Lot, parts: Iterable[Lot]) -> Lot:
    """``lot`` with ``parts`` added at their cost."""
    for part in parts:
        lot = replace(lot, shares=lot.shares + part.shares, cost=lot.cost + part.cost)
    return lot
