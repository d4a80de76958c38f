"""What is held and what a sale earned, whatever of it is still on its way. Pure; for screen and status.

The books change when a signal is sent (``books.py``): a lot that is being bought stands in them, one that is
being sold does not. What the account holds is neither until the result is there.
"""

from __future__ import annotations

from dataclasses import replace

from mac_side.books import Books, Lot
from mac_side.bridge_client.entry import OutboxEntry
from mac_side.bridge_client.outbox import Outbox


def lots_held(books: Books, outbox: Outbox) -> tuple[Lot, ...]:
    """The lots whose shares are there: bought as far as reported, and not sold yet as far as reported."""
    lots = list(books.lots)
    for entry in outbox.open:
        intention = entry.intention
        done = min(entry.reported_shares, intention.shares)
        if intention.kind == "sell":
            lots += _after_sale(intention.removed, done)
            continue
        place = next((p for p, lot in enumerate(lots) if lot.client_order_id == intention.lot_id), None)
        if place is None:
            continue
        if intention.kind == "buy":
            lots[place : place + 1] = [lots[place].part(done)] if done else []
        elif intention.kind == "top_up":
            lot = lots[place]
            lots[place] = replace(lot, shares=lot.shares + done, cost=lot.cost + done * intention.price)
    return tuple(lots)


def filled(entry: OutboxEntry) -> tuple[int, float]:
    """Shares and yuan of an entry's fills; while it is open its price is the signal's, which is its limit."""
    intention = entry.intention
    if intention.settled:
        return intention.applied_shares, intention.applied_yuan
    return entry.reported_shares, entry.reported_shares * intention.price


def profit_of(entry: OutboxEntry) -> float:
    """What a sale has earned so far, yuan before fees; 0 for anything else.

    The oldest lots went first, as the books have it. Shares beyond its lots have no cost here, so no profit.
    """
    removed = entry.intention.removed
    shares, yuan = filled(entry)
    if not shares or not removed:
        return 0.0
    left = _after_sale(removed, shares)
    sold = sum(lot.shares for lot in removed) - sum(lot.shares for lot in left)
    cost = sum(lot.cost for lot in removed) - sum(lot.cost for lot in left)
    return yuan * sold / shares - cost


def _after_sale(lots: tuple[Lot, ...], sold: int) -> list[Lot]:
    """What is left of ``lots`` once ``sold`` shares are gone, from the first on."""
    left = []
    for lot in lots:
        gone = min(lot.shares, sold)
        sold -= gone
        if gone < lot.shares:
            left.append(lot.part(lot.shares - gone) if gone else lot)
    return left
