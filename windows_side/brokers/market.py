"""A market made of quotes: what of a limit order would have traded. Pure, no I/O, no clock.

The model, quote by quote:

- A buy trades where the best ask is at or below its limit, else (or without a book) where
  the last print is: at that price, never above its limit. Sells mirror it.
- Never more than ``participation`` of the volume traded since the quote before, and not more
  than the best level shows; all our orders share it, best price first, then the older order.
- Whole lots, except the odd rest of a sell.
- Nothing trades while suspended or closed, without a price, or on the side of the book that
  is empty; without a book, none buys at the upper limit and none sells at the lower.

Its limits: one level of the book a quote; no queue before us at our price; our orders move no
price; what was printed between two quotes may fill an order placed between them; volume too
thin for a lot is lost, not saved up. The first quote of a code tells no traded volume, so that
nothing trades on it; a quote without any volume (0) sets no bound by it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared_schema.ids import Code, Direction, OrderId
from shared_schema.instruments import Instrument, from_ticks, to_ticks
from shared_schema.messages import Quote

NO_TRADING = frozenset({"suspended", "closed"})


@dataclass(frozen=True)
class RestingOrder:
    """What the market needs to know of an order: ``limit`` in yuan on a tick, ``shares`` still open."""

    order_id: OrderId
    code: Code
    direction: Direction
    limit: float
    shares: int


@dataclass(frozen=True)
class Fill:
    """A trade of one order: ``price`` in yuan."""

    order_id: OrderId
    price: float
    shares: int


@dataclass
class _Offer:
    """The newest quote of a code and what of it is still to be had, in shares (None: no bound known)."""

    quote: Quote
    instrument: Instrument
    tape: float | None
    best_ask: float | None
    best_bid: float | None


@dataclass
class Market:
    """The newest quote of each code, and how much of it our orders may still take."""

    participation: float = 0.25
    """Share of the traded volume that our orders may be, 0 to 1."""
    _offers: dict[Code, _Offer] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.participation <= 1:
            raise ValueError(f"participation {self.participation} is not above 0 and at most 1")

    def show(self, code: Code, quote: Quote, instrument: Instrument) -> None:
        """A new quote: what was left of the last one is gone. The same quote again changes nothing."""
        earlier = self._offers.get(code)
        if earlier is not None and earlier.quote == quote:
            return
        self._offers[code] = _Offer(
            quote,
            instrument,
            self._tape(earlier, quote),
            _shown(quote.ask_volume),
            _shown(quote.bid_volume),
        )

    def quote(self, code: Code) -> Quote | None:
        """The newest quote seen of ``code``."""
        offer = self._offers.get(code)
        return None if offer is None else offer.quote

    def forget_volumes(self) -> None:
        """A new trading day: yesterday's volume counts are no measure for today's."""
        self._offers.clear()

    def match(self, order: RestingOrder) -> Fill | None:
        """What ``order`` trades against what is left of its code's newest quote; None: nothing."""
        offer = self._offers.get(order.code)
        if offer is None or order.shares <= 0:
            return None
        touch = _touch(order, offer)
        if touch is None:
            return None
        price, from_book = touch
        level = (offer.best_ask if order.direction == "BUY" else offer.best_bid) if from_book else None
        bounds = [bound for bound in (offer.tape, level) if bound is not None]
        step = max(1, offer.instrument.buy_step)
        shares = order.shares
        if bounds:
            shares = min(shares, math.floor(min(bounds)) // step * step)
        if shares <= 0:
            return None
        self._take(offer, order.direction, shares, from_book)
        return Fill(order.order_id, price, shares)

    def sweep(self, orders: Iterable[RestingOrder]) -> list[Fill]:
        """All fills of ``orders`` (oldest first) on the newest quotes: better limits first, then older."""
        by_priority = sorted(
            orders, key=lambda order: -order.limit if order.direction == "BUY" else order.limit
        )
        return [fill for order in by_priority if (fill := self.match(order)) is not None]

    def _tape(self, earlier: _Offer | None, quote: Quote) -> float | None:
        if quote.volume <= 0:
            return None
        if earlier is None:
            return 0.0
        traded = quote.volume - earlier.quote.volume
        # A count that went back was begun anew: all of it is new.
        return (traded if traded >= 0 else quote.volume) * self.participation

    @staticmethod
    def _take(offer: _Offer, direction: Direction, shares: int, from_book: bool) -> None:
        if offer.tape is not None:
            offer.tape -= shares
        if from_book and direction == "BUY" and offer.best_ask is not None:
            offer.best_ask -= shares
        elif from_book and direction == "SELL" and offer.best_bid is not None:
            offer.best_bid -= shares


def _touch(order: RestingOrder, offer: _Offer) -> tuple[float, bool] | None:
    """The price ``order`` meets and whether it is the book's; None where nobody trades with it."""
    quote, tick_size = offer.quote, offer.instrument.tick_size
    if quote.status in NO_TRADING or not quote.price > 0:
        return None
    side = quote.ask if order.direction == "BUY" else quote.bid
    limit = to_ticks(order.limit, tick_size)
    if side or quote.bid or quote.ask:
        best = side[0] if side else 0.0
        if not best > 0:
            return None
        if _meets(order.direction, to_ticks(best, tick_size), limit):
            return from_ticks(to_ticks(best, tick_size), tick_size), True
    elif _locked(order.direction, quote, tick_size):
        return None
    last = to_ticks(quote.price, tick_size)
    return (from_ticks(last, tick_size), False) if _meets(order.direction, last, limit) else None


def _meets(direction: Direction, price: int, limit: int) -> bool:
    return price <= limit if direction == "BUY" else price >= limit


def _locked(direction: Direction, quote: Quote, tick_size: float) -> bool:
    """Whether the last price stands at the limit that leaves nobody on the other side."""
    last = to_ticks(quote.price, tick_size)
    if direction == "BUY":
        return quote.limit_up > 0 and last >= to_ticks(quote.limit_up, tick_size)
    return quote.limit_down > 0 and last <= to_ticks(quote.limit_down, tick_size)


def _shown(volumes: tuple[int, ...]) -> float | None:
    """What the best level shows; None where it says nothing."""
    return float(volumes[0]) if volumes and volumes[0] > 0 else None
