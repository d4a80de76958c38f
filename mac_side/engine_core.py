"""The engine's core: events in, commands out. No file, no clock, no thread.

The order within one answer matters and is fixed in ``_answer``: the state is made durable first, then
signals go out, then the heartbeat tells of it. Everything the core decides with is in ``state`` (what
must never be forgotten) or was told by events since the start (what the folder tells again).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mac_side.books import Books, Intention, TopUp, drop_old_top_ups, intend_buy, intend_sell, intend_top_up
from mac_side.bridge_client.link import Link, executor_to_bind, link_of
from mac_side.engine_account import SeenAccount, ZeroWatch, account_of, same_day, sellable
from mac_side.engine_events import (
    AccountSeen,
    BeatsSeen,
    EngineCommand,
    EngineEvent,
    HaltsSeen,
    KeepBooks,
    OperatorSaid,
    PublishSignal,
    QuoteSeen,
    Republish,
    ResultSeen,
    SaveState,
    Say,
    Tick,
    WriteHalt,
    WriteHeartbeat,
)
from mac_side.engine_halts import follow_executor, halt_by_hand, latch_seen, resume_by_hand
from mac_side.engine_rules import (
    QUOTE_STALE_AFTER,
    Hold,
    SeenQuote,
    executor_hold,
    price_hold,
    quote_hold,
    session_hold,
    state_hold,
)
from mac_side.engine_signals import Terms, Wish, next_id, with_signal
from mac_side.market_view import BarFeed, TradingMinutes, bars_of, market_of, quote_of
from mac_side.settling import settle
from mac_side.state_file import DashboardState
from mac_side.strategy.grid_step import Buy, GridState, Market, Sell, decide
from mac_side.strategy.lots import Lot as GridLot
from mac_side.strategy.parameters import GridParameters
from mac_side.view import Alarm, Event
from shared_schema.bars_file import Bar
from shared_schema.clock import Moment
from shared_schema.drop_folder.names import halt_name
from shared_schema.ids import Code, InstanceId, SignalId
from shared_schema.instruments import from_ticks, instrument, to_ticks
from shared_schema.log_lines import Level
from shared_schema.messages import Halt, Heartbeat, QuoteSnapshot, Received, Seen
from shared_schema.trading_calendar import TradingCalendar
from shared_schema.words import say

EVENTS_KEPT = 60
APPLIED_SHOWN = 200
"""Ids in the heartbeat's list of applied results: the newest, so that the file stays below 64 KiB."""


@dataclass(frozen=True)
class EngineConfig:
    """What the engine was told at start; seconds and yuan."""

    code: Code
    parameters: GridParameters
    instance: InstanceId
    calendar: TradingCalendar
    decide_on: str = "bar"
    offline: bool = False
    red_after: float = 5.0
    terms: Terms = field(default_factory=Terms)


@dataclass
class EngineCore:
    """One strategy on one code. ``handle`` is its only door."""

    config: EngineConfig
    state: DashboardState
    is_taken: Callable[[SignalId], bool] = lambda _: False
    feed: BarFeed = field(init=False)
    link: Link = field(default_factory=Link)
    quote: SeenQuote | None = None
    snapshot: QuoteSnapshot | None = None
    account: SeenAccount | None = None
    last_market: Market | None = None
    """What the last decision saw."""
    held: Hold | None = None
    """Why nothing new is sent; None when it may."""
    warnings: tuple[Hold, ...] = ()
    """Holds that only warn here (OFFLINE)."""
    alarms: dict[str, Alarm] = field(default_factory=dict)
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT))
    seen: dict[str, Seen] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.feed = BarFeed(self.config.parameters)
        self.minutes = TradingMinutes(self.config.calendar)
        self._zero = ZeroWatch()
        self._first_decision_due = True
        self._told = ""
        self._seed_history: tuple[float, ...] = ()
        self._changed = False
        self._to_publish: list[SignalId] = []
        self._further: list[EngineCommand] = []

    def handle(self, event: EngineEvent, now: Moment) -> list[EngineCommand]:
        """What follows from ``event`` at ``now``."""
        match event:
            case QuoteSeen():
                self._on_quote(event, now)
            case ResultSeen():
                self._on_result(event, now)
            case BeatsSeen():
                self._on_beats(event, now)
            case AccountSeen():
                self._on_account(event, now)
            case HaltsSeen():
                self._become(latch_seen(self.state, event.files, now.wall), "halted", now)
            case OperatorSaid():
                self._on_operator(event, now)
            case Tick():
                self._further.append(Republish())
                self._announce(now)
        return self._answer(event, now)

    def _answer(self, event: EngineEvent, now: Moment) -> list[EngineCommand]:
        self._judge(now)
        # A copy of the books is taken before they are overwritten; nothing else may precede the save.
        before = [command for command in self._further if isinstance(command, KeepBooks)]
        after = [command for command in self._further if not isinstance(command, KeepBooks)]
        save: list[EngineCommand] = [SaveState()] if self._changed else []
        publish = [PublishSignal(identity) for identity in self._to_publish]
        beat = [WriteHeartbeat(self._heartbeat())] if isinstance(event, QuoteSeen | Tick) else []
        self._changed, self._to_publish, self._further = False, [], []
        return [*before, *save, *publish, *after, *beat]

    # Quotes and decisions

    def _on_quote(self, event: QuoteSeen, now: Moment) -> None:
        received = event.received
        if not self._accepts(received, now):
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
        self._walk_bars(bars_of(body, self.config.code, now.market), now)

    def _accepts(self, received: Received[QuoteSnapshot], now: Moment) -> bool:
        """Newer than what was seen, and of a mode we may use: live takes live quotes only."""
        envelope = received.envelope
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
        known = self.seen.get("shared_quote")
        if known is not None and (envelope.epoch, envelope.seq) <= (known.epoch, known.seq):
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
        else:
            self._take(self.feed.new_bars(bars), now)
        if (self._first_decision_due or self.config.decide_on == "tick") and self.feed.bars:
            self._decide(price, self.feed.bars[-1].end, now)

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
        self.last_market = market
        open_before = self.state.outbox
        decision = decide(self.grid_state(), market, self.config.parameters)
        sell = next((intent for intent in decision.intents if isinstance(intent, Sell)), None)
        buy = next((intent for intent in decision.intents if isinstance(intent, Buy)), None)
        if sell is not None and not self._send_sell(sell, bar_end, now):
            buy = None  # it was decided on the books that this sell would have left
        if buy is not None and not open_before.layer_closed(buy.layer + 1):
            self._send_buy(buy, now)
        for waiting in self.state.books.top_ups:
            if price <= waiting.price:
                self._send_top_up(waiting, price, now)

    def grid_state(self) -> GridState:
        """The books as the strategy's step takes them."""
        books = self.state.books
        lots = tuple(
            GridLot(lot.shares, lot.cost, lot.buy_price, lot.client_order_id) for lot in books.lots
        )
        flat_bar = None if books.flat_at is None else self.minutes.number(books.flat_at)
        return GridState(lots, books.anchor or 0.0, flat_bar)

    def may_sell(self, now: Moment) -> int:
        """Shares that may be sold now; 0 where nobody says what is held."""
        state = self.state
        if self.account is not None and same_day(self.account, now):
            position = self.account.position(self.config.code)
            as_of = self.account.envelope.written_at
        elif self.quote is not None and self.quote.envelope is None and self.snapshot is not None:
            # The seed's quote file carries the position; it takes its reader's mode.
            position = self.snapshot.position if self.snapshot.code == self.config.code else None
            as_of = self.quote.modified
        else:
            position, as_of = None, 0.0
        if position is None:
            return 0
        return sellable(
            position, state.books.fixed_volume, state.outbox.entries, as_of, self.config.code
        )

    def _send_sell(self, sell: Sell, bar_end: float, now: Moment) -> bool:
        """Send the sell without lots that are still pending; whether it went as decided."""
        lots, outbox = self.state.books.lots, self.state.outbox
        places = tuple(p for p in sell.positions if not outbox.lot_closed(lots[p].client_order_id))
        if not places:
            return False
        layer = len(lots)
        release = tuple(identity for place in places for identity in lots[place].buys)
        books, intention = intend_sell(self.state.books, places, sell.price, bar_end)
        wish = Wish(
            "SELL", self.config.code, layer, intention.shares, sell.price, sell.reason, release=release
        )
        self._send(wish, lambda _: (books, intention), now)
        return places == sell.positions

    def _send_buy(self, buy: Buy, now: Moment) -> None:
        wish = Wish("BUY", self.config.code, buy.layer + 1, buy.shares, buy.price, "grid_buy")
        self._send(wish, lambda identity: intend_buy(self.state.books, identity, buy.shares, buy.price), now)

    def _send_top_up(self, waiting: TopUp, price: float, now: Moment) -> None:
        lots = self.state.books.lots
        place = next((p for p, lot in enumerate(lots) if lot.client_order_id == waiting.lot_id), None)
        if place is None or self.state.outbox.layer_closed(place + 1):
            return
        if self.state.outbox.lot_closed(waiting.lot_id):
            return
        wish = Wish("BUY", self.config.code, place + 1, waiting.shares, price, "top_up")
        books, intention = intend_top_up(self.state.books, waiting, waiting.shares, price)
        self._send(wish, lambda _: (books, intention), now)

    def _send(
        self, wish: Wish, change: Callable[[SignalId], tuple[Books, Intention]], now: Moment
    ) -> None:
        counter, identity = next_id(self.state, wish, self.is_taken)
        books, intention = change(identity)
        self.state, entry = with_signal(
            self.state, wish, counter, identity, books, intention, self.config.terms, now
        )
        self._changed = True
        self._to_publish.append(identity)
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

    # Holds

    def _hold(self, now: Moment) -> Hold | None:
        """Why nothing may be sent now, gravest first; lenient ones only warn in an OFFLINE folder."""
        executor = self.link.executor(self.state.executor)
        strangers = len(self.link.strangers(self.state.executor, now.wall, self.config.red_after))
        holds = (
            state_hold(self.state),
            executor_hold(self.state, executor, strangers, now, self.config.red_after),
            session_hold(now.market, self.config.calendar),
            quote_hold(self.quote, now, self.link.producer, self.config.red_after),
            self._bars_hold(),
        )
        found = [hold for hold in holds if hold is not None]
        lenient = self.config.offline and not any(
            beat.mode == "live" and beat.age(now.wall) <= self.config.red_after
            for beat in self.link.executors
        )
        self.warnings = tuple(hold for hold in found if lenient and hold.lenient)
        return next((hold for hold in found if not (lenient and hold.lenient)), None)

    def _bars_hold(self) -> Hold | None:
        missing = self.feed.missing
        if not missing:
            return None
        return Hold("too_few_bars", say("dashboard.too_few_bars", count=len(self.feed.bars), missing=missing))

    def _market_hold(self, price: float, bar_end: float, now: Moment) -> Hold | None:
        assert self.quote is not None
        if not self.config.offline:
            session = session_hold(bar_end, self.config.calendar)
            if session is not None and bar_end < now.market:
                return session  # a bar of the lunch break or the closing call, handed out late
        return self._price_hold(price, now)

    def _price_hold(self, price: float, now: Moment) -> Hold | None:
        assert self.quote is not None
        bars = self.feed.bars
        before = bars[-2].close if len(bars) > 1 else None
        return price_hold(self.config.code, price, self.quote.quote, before, now.market)

    def _judge(self, now: Moment) -> None:
        """Refresh the sentence the screen shows."""
        self.held = self._hold(now)
        if self.held is None and self.quote is not None:
            self.held = self._price_hold(self.quote.quote.price, now)

    def _announce(self, now: Moment) -> None:
        """Say a new reason for holding once; a moment between two files of one turn is none."""
        self._judge(now)
        word = self.held.word if self.held else ""
        if self.held is not None and word != self._told:
            self._say("warning", "signals_held", now, reason=self.held.sentence)
        self._told = word

    # Results, account, heartbeats, halts, the person

    def _on_result(self, event: ResultSeen, now: Moment) -> None:
        lenient = self.state.mode == "simulate" or self.config.offline
        settled = settle(self.state, event.received, now, version_1_allowed=lenient)
        result, entry = event.received.body, settled.entry
        if entry is None:
            return
        if settled.problem:
            sentence = say(f"dashboard.result_{settled.problem}", signal_id=result.signal_id)
            self._alarm(f"result:{result.signal_id}", sentence, now)
        self.state = settled.state
        if not settled.must_save:
            if settled.outcome == "noted":
                if result.state == "unknown":
                    self._alarm(
                        f"unknown:{result.signal_id}",
                        say("dashboard.result_unknown", signal_id=result.signal_id),
                        now,
                    )
                self._say(
                    "info",
                    "result_seen",
                    now,
                    signal_id=result.signal_id,
                    state=entry.state,
                    filled=result.filled_shares,
                )
            return
        self._changed = True
        self._clear(f"unknown:{result.signal_id}")
        self._say(
            "info" if settled.outcome == "applied" else "warning",
            "result_applied" if settled.outcome == "applied" else "late_fill_applied",
            now,
            signal_id=result.signal_id,
            state=entry.state,
            filled=result.filled_shares,
            requested=entry.intention.shares,
            message=result.message,
        )

    def _on_account(self, event: AccountSeen, now: Moment) -> None:
        found = account_of(event.received, self.state)
        if found is None:
            return
        known = self.account
        order = (found.envelope.epoch, found.envelope.seq)
        if known is not None and order <= (known.envelope.epoch, known.envelope.seq):
            return
        self.account = found
        self.seen["account_snapshot"] = Seen(
            epoch=found.envelope.epoch,
            seq=found.envelope.seq,
            written_at=found.envelope.written_at,
            received_at=now.wall,
        )
        if self._zero.must_clear(self.state, found, self.config.code, now):
            self._clear_books(now)

    def _clear_books(self, now: Moment) -> None:
        """The account is the truth: what it does not hold, the books do not hold."""
        books = self.state.books
        label = f"before-clear-{int(now.wall)}"
        self._further.append(KeepBooks(label))
        cleared = replace(books, lots=(), top_ups=(), shortfall=0, before_flat=None)
        self.state = replace(self.state, books=cleared)
        self._changed = True
        self._alarm("cleared", say("dashboard.books_cleared", shares=books.shares, copy=label), now)
        self._say("warning", "books_cleared", now, shares=books.shares, copy=label)

    def _on_beats(self, event: BeatsSeen, now: Moment) -> None:
        self.link = link_of(event.beats)
        if self.state.executor is None:
            met = executor_to_bind(event.beats, now.wall, self.config.red_after, self.state.mode)
            if met is not None and met.account == self.state.account:
                self._become(replace(self.state, executor=met.instance), "executor_bound", now)
        beat = self.link.executor(self.state.executor)
        if beat is not None:
            self.seen["executor"] = Seen(
                epoch=beat.envelope.epoch,
                seq=beat.envelope.seq,
                written_at=beat.envelope.written_at,
                received_at=beat.received_at,
            )
        self._become(follow_executor(self.state, beat), "halt_followed", now)

    def _on_operator(self, event: OperatorSaid, now: Moment) -> None:
        command = event.command
        if command.too_old(now.wall):
            self._say("warning", "command_too_old", now, kind=command.kind)
            return
        name = halt_name(self.state.writer)
        match command.kind:
            case "halt" | "resume":
                halted = command.kind == "halt"
                body = Halt(
                    halt=halted, reason=command.argument, by=command.by or self.state.writer, at=now.wall
                )
                self._further.append(WriteHalt(body))
                changed = halt_by_hand(self.state, name, body) if halted else resume_by_hand(self.state, name)
                self._become(changed, "halted_by_hand" if halted else "resumed_by_hand", now)
            case "pause" | "unpause":
                self._become(replace(self.state, paused=command.kind == "pause"), command.kind, now)
            case "cancel":
                self._cancel(SignalId(command.argument), now)

    def _cancel(self, target: SignalId, now: Moment) -> None:
        entry = self.state.outbox.get(target)
        asked = any(other.target == target for other in self.state.outbox.open)
        if (
            entry is None
            or entry.settled
            or not entry.is_order
            or entry.adopted
            or asked
            or self.state.executor is None
        ):
            self._say("warning", "nothing_to_cancel", now, signal_id=target)
            return
        intention = Intention("cancel", entry.intention.shares, entry.intention.price)
        wish = Wish(
            entry.direction,
            entry.code,
            entry.layer,
            intention.shares,
            intention.price,
            "cancel",
            target=target,
        )
        self._send(wish, lambda _: (self.state.books, intention), now)

    # Telling

    def _heartbeat(self) -> Heartbeat:
        applied = [entry.signal_id for entry in self.state.outbox.entries if entry.settled]
        return Heartbeat(
            role="dashboard",
            instance=self.config.instance,
            ready=self.held is None,
            state=self.held.word if self.held else "running",
            seen=dict(self.seen),
            accounts=(self.state.account,),
            applied_results=tuple(applied[-APPLIED_SHOWN:]),
            strategy=self.state.strategy,
        )

    def _become(self, state: DashboardState, action: str, now: Moment) -> None:
        """Take over a changed state and say so; the same one is no change."""
        if state is self.state or state == self.state:
            return
        self.state = state
        self._changed = True
        self._say("info", action, now)

    def _alarm(self, key: str, text: str, now: Moment) -> None:
        if key not in self.alarms:
            self._further.append(Say("error", "alarm", {"text": text}))
            self.events.append(Event(at=now.wall, text=text))
        self.alarms[key] = Alarm(text=text, at=now.wall)

    def _clear(self, key: str) -> None:
        self.alarms.pop(key, None)

    def _say(self, level: Level, action: str, now: Moment, **fields: object) -> None:
        self._further.append(Say(level, action, fields))
        self.events.append(Event(at=now.market, text=_event_text(action, fields)))


def _event_text(action: str, fields: dict[str, object]) -> str:
    try:
        return say(f"dashboard.event_{action}", **fields)
    except KeyError:
        shown = " ".join(f"{name}={value}" for name, value in fields.items() if value not in (None, ""))
        return f"{action} {shown}".strip()
