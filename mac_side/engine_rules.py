"""Whether new signals may go out now, and if not, the sentence people know for it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mac_side.bridge_client.link import Beat
from mac_side.engine_halts import halt_sentence
from mac_side.state_file import DashboardState
from shared_schema.clock import Moment
from shared_schema.errors import MiniqmtError
from shared_schema.heartbeats import state_text
from shared_schema.ids import Code
from shared_schema.instruments import Override, instrument, is_within_limits, with_override
from shared_schema.messages.quote import Quote
from shared_schema.messages.record import Envelope
from shared_schema.messages.result import OrderResult
from shared_schema.sessions import (
    date_of,
    may_place,
    next_opening,
    screen_words,
    shanghai,
    state_at,
)
from shared_schema.trading_calendar import TradingCalendar
from shared_schema.words import say

QUOTE_STALE_AFTER = 300.0
"""Seconds after which quotes are stale (strategy.md)."""
JUMP = 10.0
"""A price this many times off the last one trades nothing."""


@dataclass(frozen=True)
class Hold:
    """A reason to send no new signal. ``lenient``: in an OFFLINE folder it only warns."""

    word: str
    sentence: str
    lenient: bool = False


@dataclass(frozen=True)
class SeenQuote:
    """The newest quote accepted, with what its age is judged from."""

    quote: Quote
    envelope: Envelope | None
    modified: float
    replayed: bool

    def age(self, now: Moment, ahead: float = 0.0) -> float:
        """Seconds: by the writer's clock; live also by the tick's own time, the seed's by the file's.

        ``ahead``: what the writer's clock is proven to be ahead of ours. What stands in the future counts
        as old as it is ahead: after a clock was wrong nothing gets fresher by it.
        """
        if self.envelope is None:
            return abs(now.wall - self.modified)
        age = abs(now.wall + ahead - self.envelope.written_at)
        if self.quote.tick_time > 0 and not self.replayed:
            age = max(age, abs(now.market + ahead - self.quote.tick_time))
        return age


def other_writer_hold(result: OrderResult, strategy: str) -> Hold | None:
    """The hold of a host whose strategy name is bound to another writer; None for any other result."""
    if result.error_code != "other_writer":
        return None
    return Hold("other_writer", say("dashboard.other_writer", message=result.message, strategy=strategy))


def twin_hold(at: float) -> Hold:
    """The hold of the earlier one of two that write under one name; the other's heartbeat is of ``at``."""
    return Hold("twin", say("dashboard.twin", at=shanghai(at).strftime("%m-%d %H:%M:%S")))


def session_hold(market: float, calendar: TradingCalendar) -> Hold | None:
    """The hold outside continuous trading, with the next opening."""
    state = state_at(market, calendar)
    if may_place(state):
        return None
    opening = next_opening(market, calendar)
    if opening is None:
        return Hold("session", say(screen_words(state)), lenient=True)
    day = shanghai(opening).strftime("%m-%d %H:%M")
    sentence = say("dashboard.closed_until", state=say(screen_words(state)), opening=day)
    return Hold("session", sentence, lenient=True)


def state_hold(state: DashboardState) -> Hold | None:
    """Halted or paused by hand: never lenient."""
    if state.halted:
        return Hold("halted", halt_sentence(state.halts[0]))
    return Hold("paused", say("dashboard.paused")) if state.paused else None


def executor_hold(
    state: DashboardState, beat: Beat | None, strangers: int, now: Moment, red_after: float
) -> Hold | None:
    """The bound executor is missing, red, of another mode or account, halted or not ready."""
    if state.executor is None:
        return Hold("no_executor", say("dashboard.no_executor"), lenient=True)
    if beat is None or beat.age(now.wall) > red_after:
        key = "dashboard.executor_other" if strangers else "dashboard.executor_red"
        return Hold("executor_red", say(key, instance=state.executor), lenient=not strangers)
    if beat.mode != state.mode or beat.account != state.account:
        return Hold(
            "mode_mismatch",
            say(
                "dashboard.mode_mismatch",
                mode=state.mode,
                account=state.account,
                other_mode=beat.mode,
                other_account=beat.account,
            ),
        )
    if beat.body.halt_since is not None:
        return Hold("executor_halted", say("dashboard.executor_halted"))
    if not beat.body.ready:
        state_shown = state_text(beat.body.state)
        return Hold("executor_not_ready", say("dashboard.executor_not_ready", state=state_shown))
    return None


def quote_hold(seen: SeenQuote | None, now: Moment, producer: Beat | None, red_after: float) -> Hold | None:
    """No quote, or a stale one."""
    if seen is None:
        return Hold("no_quote", say("dashboard.no_quote"))
    if seen.age(now, producer.offset if producer is not None else 0.0) > QUOTE_STALE_AFTER:
        return Hold("stale", say("dashboard.stale"), lenient=True)
    return None


def price_hold(
    code: Code, price: float, quote: Quote, last_price: float | None, market: float
) -> Hold | None:
    """The collar: no price, off the day's limits, ten times off the last one, or a crossed book."""

    def refused(why: str) -> Hold:
        return _price_refused(price, say(f"dashboard.price_{why}"))

    if not (math.isfinite(price) and price > 0):
        return refused("none")
    if last_price and not last_price / JUMP < price < last_price * JUMP:
        return refused("jump")
    if quote.bid and quote.ask and quote.bid[0] > quote.ask[0] > 0:
        return refused("crossed")
    if quote.status == "suspended":
        return refused("suspended")
    if quote.pre_close > 0:
        try:
            told = Override(limit_up=quote.limit_up, limit_down=quote.limit_down)
            rules = with_override(instrument(code, on=date_of(market)), told)
            if not is_within_limits(price, quote.pre_close, rules):
                return refused("limits")
        except MiniqmtError as problem:
            return _price_refused(price, problem.why)
    return None


def _price_refused(price: float, why: str) -> Hold:
    return Hold("price", say("dashboard.price_refused", price=price, why=why))
