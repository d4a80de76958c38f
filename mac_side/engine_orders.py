"""The engine's orders: sells, buys and top-ups as signals, what is not sent, and the rests after refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mac_side.books import (
    Books,
    Intention,
    Lot,
    TopUp,
    intend_buy,
    intend_sell,
    intend_top_up,
)
from mac_side.engine_account import same_day, sellable
from mac_side.engine_memory import EngineMemory
from mac_side.engine_rest import rest_of
from mac_side.engine_signals import Wish, next_id, with_signal
from mac_side.odd_shares import without_odd_rest
from mac_side.order_sizes import SellLimits, one_sell
from mac_side.strategy.grid_step import Buy, Sell
from shared_schema.clock import Moment
from shared_schema.ids import Direction, SignalId
from shared_schema.instruments import Instrument, instrument, quantity_fault
from shared_schema.sessions import date_of, shanghai
from shared_schema.words import say


@dataclass
class EngineOrders(EngineMemory):
    """The part of the core that makes signals of what was decided."""

    def may_sell(self, now: Moment, fixed: int | None = None) -> int:
        """Shares that may be sold now; 0 where nobody says what is held. ``fixed``: else the books' own."""
        state, shown = self.state, set[SignalId]()
        if self.account is not None and same_day(self.account, now):
            position = self.account.position(self.config.code)
            as_of = self.account.envelope.written_at
            shown = self._at_broker.shown_by(self.account, now.wall + self.config.skew_limit)
        elif self.quote is not None and self.quote.envelope is None and self.snapshot is not None:
            # The seed's quote file carries the position; it takes its reader's mode.
            position = self.snapshot.position if self.snapshot.code == self.config.code else None
            as_of = self.quote.modified
        else:
            position, as_of = None, 0.0
        if position is None:
            return 0
        fixed = state.books.fixed_volume if fixed is None else fixed
        return sellable(position, fixed, state.outbox.entries, as_of, self.config.code, shown)

    def _send_sell(self, sell: Sell, bar_end: float, now: Moment) -> bool:
        """Send the sell without lots that are still pending; whether it went as decided.

        What is above the limits of one sell goes as several of this moment: a stop sells all it was to sell.
        """
        lots, outbox = self.state.books.lots, self.state.outbox
        places = tuple(p for p in sell.positions if not outbox.lot_closed(lots[p].client_order_id))
        if not places or self._rests("SELL", sell.reason, now):
            return False
        as_decided = places == sell.positions
        rules = instrument(self.config.code, on=date_of(now.market))
        limits = self.config.sell_limits.of(rules)
        stood: dict[tuple[str, float], int] = {}
        while batch := one_sell(lots, places, sell.price, limits):
            left = {_name(lots[place]): place for place in places if place not in batch}
            if not self._send_lots(sell, batch, stood, bar_end, now):
                return as_decided and not left
            lots, stood = self.state.books.lots, stood or left
            places = tuple(place for place, lot in enumerate(lots) if _name(lot) in left)
        self._tell_too_large(tuple(lots[place] for place in places), sell.price, limits, now)
        return as_decided and not places

    def _send_lots(
        self,
        sell: Sell,
        places: tuple[int, ...],
        stood: dict[tuple[str, float], int],
        bar_end: float,
        now: Moment,
    ) -> bool:
        """One signal for the lots at ``places``, which stood at ``stood`` before others of this sell left."""
        layer = len(self.state.books.lots)
        books, places = without_odd_rest(
            self.state.books,
            places,
            self.may_sell(now, fixed=0),
            instrument(self.config.code, on=date_of(now.market)),
            self.state.outbox.lot_closed,
            sell.price,
            bar_end,
        )
        self._become(replace(self.state, books=books), "odd_rest_moved", now)
        if not places:
            return False
        release = tuple(identity for place in places for identity in books.lots[place].buys)
        books, intention = intend_sell(books, places, sell.price, bar_end)
        if stood:  # so that what is refused comes back in the order of age
            before = (stood.get(_name(lot)) for lot in intention.removed)
            known = zip(before, intention.places, strict=True)
            intention = replace(intention, places=tuple(now if was is None else was for was, now in known))
        wish = Wish(
            "SELL", self.config.code, layer, intention.shares, sell.price, sell.reason, release=release
        )
        self._send(wish, lambda _: (books, intention), now)
        return True

    def _tell_too_large(self, lots: tuple[Lot, ...], price: float, limits: SellLimits, now: Moment) -> None:
        """An alarm while a lot that is due is above the limits of one sell by itself."""
        if not lots:
            self._clear("lot_too_large")
            return
        amount = round(lots[0].shares * price, 2)
        told = {"shares": lots[0].shares, "amount": amount, "most": limits.shares, "yuan": limits.yuan}
        self._alarm("lot_too_large", say("dashboard.lot_too_large", **told), now)

    def _alarm_too_small(self, money: float, price: float, rules: Instrument, now: Moment) -> None:
        known = self.alarms.get("money_too_small")
        if known is not None and date_of(known.at or 0.0) == date_of(now.wall):
            return
        self._clear("money_too_small")
        told = {"money": money, "shares": rules.min_buy, "needed": rules.min_buy * price}
        self._alarm("money_too_small", say("dashboard.money_too_small", **told), now)

    def _send_buy(self, buy: Buy, now: Moment) -> None:
        rules = instrument(self.config.code, on=date_of(now.market))
        if buy.shares < rules.min_buy:
            self._alarm_too_small(buy.shares * buy.price, buy.price, rules, now)
            return
        self._clear("money_too_small")
        if self._rests("BUY", "grid_buy", now):
            return
        if self._pool_refuses(buy.shares * buy.price, buy.layer + 1, now):
            return
        wish = Wish("BUY", self.config.code, buy.layer + 1, buy.shares, buy.price, "grid_buy")
        self._send(wish, lambda identity: intend_buy(self.state.books, identity, buy.shares, buy.price), now)

    def _send_top_up(self, waiting: TopUp, price: float, now: Moment) -> None:
        rules = instrument(self.config.code, on=date_of(now.market))
        if quantity_fault("BUY", waiting.shares, rules) is not None:
            left = tuple(other for other in self.state.books.top_ups if other is not waiting)
            books = replace(self.state.books, top_ups=left)
            self._become(replace(self.state, books=books), "top_up_too_small", now)
            return
        lots = self.state.books.lots
        place = next((p for p, lot in enumerate(lots) if lot.client_order_id == waiting.lot_id), None)
        if place is None or self.state.outbox.layer_closed(place + 1):
            return
        if self.state.outbox.lot_closed(waiting.lot_id) or self._rests("BUY", "top_up", now):
            return
        if self._pool_refuses(waiting.shares * price, place + 1, now):
            return
        # Under its lot's name: the sale of the lot frees what both have taken of the pool.
        wish = Wish(
            "BUY", self.config.code, place + 1, waiting.shares, price, "top_up", client=waiting.lot_id
        )
        books, intention = intend_top_up(self.state.books, waiting, waiting.shares, price)
        self._send(wish, lambda _: (books, intention), now)

    def _send(
        self, wish: Wish, change: Callable[[SignalId], tuple[Books, Intention]], now: Moment
    ) -> None:
        counter, identity = next_id(self.state, wish, self.is_taken)
        books, intention = change(identity)
        self.state, entry = with_signal(
            self.state, wish, counter, identity, books, intention, self.config.terms, now, self.config.key
        )
        self._changed = True
        self._to_publish.append(identity)
        self.sent_here[identity] = now.market
        self._say(
            "info",
            "signal_sent",
            now,
            signal_id=identity,
            direction=wish.direction,
            price=wish.price,
            shares=wish.shares,
            reason=entry.reason,
        )

    # Rests after refusals

    def _rests(self, side: Direction, reason: str, now: Moment) -> bool:
        """Whether what this side wants waits, because the last ones were refused in a row."""
        rest = rest_of(self.state.outbox, side, now, self.sent_here, self._rests_lifted_at)
        return rest is not None and rest.holds(reason, now)

    def _lift_rests(self, now: Moment) -> None:
        """A person goes on: what was refused until now counts no more."""
        self._rests_lifted_at = now.wall
        self._tell_rests(now)

    def _tell_rests(self, now: Moment) -> None:
        """An alarm for each side that rests: what was refused, why, and until when."""
        sides: tuple[Direction, ...] = ("BUY", "SELL")
        for side in sides:
            key = f"rest:{side}"
            rest = rest_of(self.state.outbox, side, now, self.sent_here, self._rests_lifted_at)
            if rest is None or not rest.holds("", now):
                self._clear(key)
                continue
            text = say(
                f"dashboard.rests_{side.lower()}",
                count=rest.count,
                signal_id=rest.last.signal_id,
                why=rest.last.message.rstrip("。. ") or say(f"screen.state.{rest.last.state}"),
                until=shanghai(rest.until).strftime("%H:%M:%S"),
            )
            if key not in self.alarms or self.alarms[key].text != text:
                self._alarm(key, text, now)


def _name(lot: Lot) -> tuple[str, float]:
    """What tells a lot from others while its shares and its place change."""
    return lot.client_order_id, lot.buy_price
