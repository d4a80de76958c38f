"""From a quote to what is to be sent: bars in order, and the strategy's step."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mac_side.books import Books, drop_old_top_ups
from mac_side.engine_account import same_day
from mac_side.engine_events import (
    QuoteSeen,
)
from mac_side.engine_orders import EngineOrders
from mac_side.engine_rules import (
    QUOTE_STALE_AFTER,
    SeenQuote,
)
from mac_side.ex_date import adjusted, closing, ex_date_of, fitting_close
from mac_side.market_view import bars_of, market_of, quote_of
from mac_side.order_sizes import money_too_small
from mac_side.strategy.grid_step import CLOSES_SEEN, Buy, Decision, GridState, Market, Sell, decide
from mac_side.strategy.lots import Lot as GridLot
from shared_schema.bars_file import Bar
from shared_schema.clock import Moment
from shared_schema.instruments import from_ticks, instrument, to_ticks
from shared_schema.messages import Quote, Seen
from shared_schema.sessions import date_of, shanghai
from shared_schema.words import say


@dataclass
class EngineTrader(EngineOrders):
    """The part of the core that decides."""

    def _on_quote(self, event: QuoteSeen, now: Moment) -> None:
        received = event.received
        if not self._accepts(event, now):
            return
        body, envelope = received.body, received.envelope
        found = quote_of(body, self.config.code)
        if found is None:
            self._alarm("no_code", say("dashboard.code_missing", code=self.config.code), now)
            return
        self._clear("no_code")
        replayed = envelope is not None and abs(envelope.market_time - envelope.written_at) > 1.0
        self.quote = SeenQuote(found, envelope, event.modified, replayed)
        self.snapshot = body
        books = drop_old_top_ups(self.state.books, now.market)
        if books is not self.state.books:
            self._become(replace(self.state, books=books), "top_up_dropped", now)
        bars = bars_of(body, self.config.code, now.market)
        if envelope is not None:
            self._look_for_ex_date(found, bars, now)
        self._walk_bars(bars, now)

    def _look_for_ex_date(self, quote: Quote, bars: tuple[Bar, ...], now: Moment) -> None:
        """Hold buys where the previous close is not yesterday's; remember today's close once it is known."""
        state, config = self.state, self.config
        found = ex_date_of(config.code, quote, state.day_close, bars, config.calendar)
        if found is not None and state.ex_date is None and (state.books.lots or state.books.anchor):
            self._become(replace(state, ex_date=found), "ex_date", now)
        elif found is None and state.ex_date is None and state.day_close is not None:
            fits = fitting_close(quote, state.day_close, config.calendar)
            if fits != state.day_close:  # the drift of days away is told once, not summed up
                self.state, self._changed = replace(state, day_close=fits), True
        self._say_ex_date(now)
        held = self.account.position(config.code) if self.account and same_day(self.account, now) else None
        close = closing(quote, held.volume if held is not None else None, config.calendar)
        if close is not None and close != self.state.day_close:
            self.state = replace(self.state, day_close=close)
            self._changed = True

    def _say_ex_date(self, now: Moment) -> None:
        if (waits := self.state.ex_date) is not None:
            word = "dashboard.ex_date_away" if waits.days else "dashboard.ex_date"
            told = {"day": waits.day, "close": waits.close, "pre_close": waits.pre_close}
            self._alarm("ex_date", say(word, **told, days=waits.days), now)

    def _accepts(self, event: QuoteSeen, now: Moment) -> bool:
        """Newer than what was seen, and of a mode we may use: live takes live quotes only."""
        envelope = event.received.envelope
        if envelope is None:
            usable = self.state.mode == "simulate"
        else:
            usable = self.state.mode == "simulate" or envelope.mode == "live"
        if not usable:
            self._alarm("quote_mode", say("dashboard.quote_not_live"), now)
            return False
        self._clear("quote_mode")
        if envelope is None:
            return True
        if not self._newest_quote.takes((envelope.epoch, envelope.seq), event.name):
            return False
        self.seen["shared_quote"] = Seen(
            epoch=envelope.epoch,
            seq=envelope.seq,
            written_at=envelope.written_at,
            received_at=now.wall,
        )
        return True

    def _walk_bars(self, bars: tuple[Bar, ...], now: Moment) -> None:
        assert self.quote is not None and self.snapshot is not None
        price = self.quote.quote.price
        if not self.snapshot.bars.get(self.config.code):
            is_new = self._seed_history != self.snapshot.history
            self._seed_history = self.snapshot.history
            if is_new or not self.feed.bars:
                self.feed.begin(bars)
            if is_new or self._first_decision_due or self.config.decide_on == "tick":
                self._decide(price, self.feed.bars[-1].end if self.feed.bars else now.market, now)
            return
        if not self.feed.bars or self.feed.missing:
            self.feed.begin(bars)
        elif bars and bars[0].end > self.feed.bars[-1].end:
            # A gap longer than the feed's history: what lies between is lost, so this is a new start.
            self.feed.begin(bars)
            self._first_decision_due = True
        else:
            self._mend(bars, now)
            self._take(self.feed.new_bars(bars), now)
        if (self._first_decision_due or self.config.decide_on == "tick") and self.feed.bars:
            self._decide(price, self.feed.bars[-1].end, now)

    def _mend(self, bars: tuple[Bar, ...], now: Moment) -> None:
        """Bars of before that the file has right now: for the indicators, never to decide on."""
        if mended := self.feed.mend(bars):
            first, last = (f"{shanghai(bar.end):%m-%d %H:%M}" for bar in (mended[0], mended[-1]))
            self._say("info", "bars_mended", now, count=len(mended), first=first, last=last)

    def _take(self, new: list[Bar], now: Moment) -> None:
        """Each new bar once, in order; those too old to act on only feed the indicators."""
        for bar in new:
            self.feed.take(bar)
            if self.config.decide_on == "bar" and new[-1].end - bar.end <= QUOTE_STALE_AFTER:
                self._decide(bar.close, bar.end, now)

    def _decide(self, price: float, bar_end: float, now: Moment) -> None:
        """One step of the strategy at ``price``, with the indicators of the last bar."""
        reading = self.feed.reading
        if reading is None or self._hold(now) or self._market_hold(price, bar_end, now):
            return
        if self.state.books.anchor is None:
            books = replace(self.state.books, anchor=self.feed.bars[-1].close)
            self._become(replace(self.state, books=books), "anchor_set", now)
        self._first_decision_due = False
        tick_size = instrument(self.config.code).tick_size
        price = from_ticks(to_ticks(price, tick_size), tick_size)
        market = market_of(reading, price, bar_end, self.minutes.number(bar_end), self.may_sell(now))
        market = market._replace(closes=tuple(bar.close for bar in self.feed.bars[-CLOSES_SEEN:]))
        self.last_market = market
        open_before = self.state.outbox
        decision = self._decision(market, now)
        sell = next((intent for intent in decision.intents if isinstance(intent, Sell)), None)
        buy = next((intent for intent in decision.intents if isinstance(intent, Buy)), None)
        if sell is None:
            self._clear("lot_too_large")
        elif not self._send_sell(sell, bar_end, now):
            buy = None  # it was decided on the books that this sell would have left
        self._tell_too_small(decision, market, now)
        if buy is not None and not open_before.layer_closed(buy.layer + 1):
            self._send_buy(buy, now)
        for waiting in self.state.books.top_ups:
            if price <= waiting.price and self.state.ex_date is None:
                self._send_top_up(waiting, price, now)

    def _decision(self, market: Market, now: Moment) -> Decision:
        """The step; while an ex-date waits for a person no buy, and only lots that are sold either way."""
        parameters, waits = self.parameters_now(now), self.state.ex_date
        decision = self.config.step(self.grid_state(), market, parameters)
        if waits is None:
            return decision
        after = adjusted(self.state.books, waits, "cash", self.config.code)
        other = self.config.step(self.grid_state(after), market, parameters)
        theirs = {place for intent in other.intents if isinstance(intent, Sell) for place in intent.positions}
        sells = [intent for intent in decision.intents if isinstance(intent, Sell)]
        return Decision(tuple(sell for sell in sells if theirs.issuperset(sell.positions)))

    def _tell_too_small(self, decision: Decision, market: Market, now: Moment) -> None:
        """Say once a day that the grid would buy now, had its layer the money for the smallest order."""
        if self.config.step is not decide or self.state.ex_date is not None:
            return  # a step of one's own says what it wants; an ex-date holds buys anyway
        parameters, rules = self.parameters_now(now), instrument(self.config.code, on=date_of(now.market))
        money = money_too_small(decision, self.grid_state(), market, parameters, rules)
        if money is not None:
            self._alarm_too_small(money, market.price, rules, now)

    def grid_state(self, books: Books | None = None) -> GridState:
        """The books as the strategy's step takes them."""
        books = books or self.state.books
        lots = tuple(
            GridLot(lot.shares, lot.cost, lot.buy_price, lot.client_order_id) for lot in books.lots
        )
        flat_bar = None if books.flat_at is None else self.minutes.number(books.flat_at)
        return GridState(lots, books.anchor or 0.0, flat_bar)
