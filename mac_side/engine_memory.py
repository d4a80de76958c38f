"""What the engine's core remembers and is told, why it holds signals back, and how it tells of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from mac_side.bridge_client.entry import OutboxEntry
from mac_side.bridge_client.key_watch import KeyTrouble, trouble_with
from mac_side.bridge_client.link import Link
from mac_side.engine_account import OrdersAtBroker, SeenAccount, ShortWatch, ZeroWatch
from mac_side.engine_events import (
    EngineCommand,
    PoolSeen,
    Say,
)
from mac_side.engine_halts import unheld_there
from mac_side.engine_link import RollbackEye, link_holds
from mac_side.engine_rules import (
    Hold,
    SeenQuote,
    executor_hold,
    price_hold,
    quote_hold,
    session_hold,
    state_hold,
)
from mac_side.engine_signals import Terms
from mac_side.market_view import BarFeed, TradingMinutes
from mac_side.order_sizes import SellLimits
from mac_side.shared_pool import SeenPool, pool_of, widened
from mac_side.state_file import DashboardState, HaltLatch
from mac_side.strategy.grid_step import Decide, Market, decide
from mac_side.strategy.parameters import GridParameters
from mac_side.view import Alarm, Event, SignalView
from shared_schema.calendar_end import CalendarEnd
from shared_schema.clock import Moment
from shared_schema.ids import Code, InstanceId, SignalId
from shared_schema.integrity import Key
from shared_schema.link_health import LinkHealth, beat_stream, health_of
from shared_schema.log_lines import Level
from shared_schema.messages import Heartbeat, QuoteSnapshot, Seen
from shared_schema.newest_stamp import NewestStamp
from shared_schema.trading_calendar import TradingCalendar
from shared_schema.words import has, say

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
    orders_limit: int | None = None
    """Orders a day and yuan a code and day, as this host's settings say; for the screen only."""
    turnover_limit: float | None = None
    sell_limits: SellLimits = field(default_factory=SellLimits)
    """The most one sell may carry, as this host's settings say."""
    orders_allowed: bool = True
    """False over a sync tool that is too slow for orders, unless ``sync.allow_orders`` is set."""
    red_after: float = 5.0
    skew_limit: float = 30.0
    """Seconds two clocks may be apart; beyond it nothing is sent."""
    terms: Terms = field(default_factory=Terms)
    step: Decide = decide
    """The strategy: the grid's step, or one's own (docs/own_strategy.md)."""
    key: Key | None = field(default=None, repr=False)
    """What signals are signed with."""
    writer: str = ""
    """Under today's name of this host; books of before a renaming bear another."""


@dataclass
class EngineMemory:
    """One strategy on one code: its state, what the other side told, and what is to be done next."""

    config: EngineConfig
    state: DashboardState
    is_taken: Callable[[SignalId], bool] = lambda _: False
    feed: BarFeed = field(init=False)
    link: Link = field(default_factory=Link)
    key_troubles: tuple[KeyTrouble, ...] = ()
    quote: SeenQuote | None = None
    snapshot: QuoteSnapshot | None = None
    account: SeenAccount | None = None
    pool: SeenPool | None = None
    last_market: Market | None = None
    """What the last decision saw."""
    held: Hold | None = None
    """Why nothing new is sent; None when it may."""
    read_only: Hold | None = None
    """Set once another writer owns the strategy or a copy of this install trades; until a restart."""
    warnings: tuple[Hold, ...] = ()
    """Holds that only warn here (OFFLINE)."""
    alarms: dict[str, Alarm] = field(default_factory=dict)
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT))
    seen: dict[str, Seen] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.feed = BarFeed(self.config.parameters)
        self.minutes = TradingMinutes(self.config.calendar)
        self._zero = ZeroWatch()
        self._short = ShortWatch()
        self._at_broker = OrdersAtBroker()
        self._rollback = RollbackEye(self.config.calendar)
        self._newest_quote, self._newest_account = NewestStamp(), NewestStamp()
        self._newest_pool = NewestStamp()
        self._pool_said = ""
        self.beats_since: float | None = None
        """When this process wrote its first heartbeat, wall Unix seconds."""
        self._first_decision_due = True
        self._told = ""
        self._calendar_end = CalendarEnd(self.config.calendar)
        self._rests_lifted_at = 0.0
        """When a person last ended the rests after refusals, wall Unix seconds; a restart forgets it."""
        self._seed_history: tuple[float, ...] = ()
        self.sent_here: dict[SignalId, float] = {}
        """Signals of this process with their market time: a refusal of an earlier one may be over."""
        self.pictures: dict[SignalId, tuple[OutboxEntry, SignalView]] = {}
        """What the screen was last shown of each signal."""
        self._changed = False
        self._to_publish: list[SignalId] = []
        self._further: list[EngineCommand] = []

    # Holds

    def _hold(self, now: Moment) -> Hold | None:
        """Why nothing may be sent now, gravest first; lenient ones only warn in an OFFLINE folder."""
        executor = self.link.executor(self.state.executor)
        strangers = len(self.link.strangers(self.state.executor, now.wall, self.config.red_after))
        holds = (
            state_hold(self.state),
            self.read_only,
            None if self.config.orders_allowed else Hold("too_slow", say("dashboard.too_slow")),
            self._key_hold(now),
            executor_hold(self.state, executor, strangers, now, self.config.red_after),
            *link_holds(self.health(now), self.config.skew_limit),
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

    def health(self, now: Moment) -> LinkHealth:
        """The link to the executor we are bound to."""
        beat = self.link.executor(self.state.executor)
        own = beat_stream("dashboard", self.config.instance)
        return health_of(beat, own, self.beats_since, now.wall, self.config.red_after)

    def unheld_halts(self, now: Moment) -> tuple[HaltLatch, ...]:
        """The halts of others that a person may lift here: over a green link the executor shows none.

        It need not be ready: in the evening its terminal is closed, and it shows a halt all the same.
        """
        executor, red_after = self.link.executor(self.state.executor), self.config.red_after
        holds = (
            executor_hold(self.state, executor, 0, now, red_after),
            *link_holds(self.health(now), self.config.skew_limit),
        )
        if executor is None or any(hold and hold.word != "executor_not_ready" for hold in holds):
            return ()
        return unheld_there(self.state, executor, red_after, self.config.writer)

    def _key_hold(self, now: Moment) -> Hold | None:
        trouble = trouble_with(self.key_troubles, self.state.executor, now.wall, self.config.red_after)
        return Hold("keys_differ", trouble.sentence) if trouble is not None else None

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

    def judge(self, now: Moment) -> None:
        """Refresh why nothing is sent, for the heartbeat and the screen."""
        self.held = self._hold(now)
        if self.held is None and self.quote is not None:
            self.held = self._price_hold(self.quote.quote.price, now)

    def _announce(self, now: Moment) -> None:
        """Say a new reason for holding once; a moment between two files of one turn is none."""
        self.judge(now)
        word = self.held.word if self.held else ""
        if self.held is not None and word != self._told:
            self._say("warning", "signals_held", now, reason=self.held.sentence)
        self._told = word

    # The cash pool

    def _on_pool(self, event: PoolSeen, now: Moment) -> None:
        found = pool_of(event.received, self.state)
        if found is None or not self._newest_pool.takes((found.envelope.epoch, found.envelope.seq)):
            return
        wide_before = self.pool is not None and self.pool.body.steps_widened
        self.pool = found
        if found.body.steps_widened != wide_before:
            share = round(found.use.total / found.terms.total * 100) if found.terms.total else 0
            self._say("info", "steps_widened" if not wide_before else "steps_normal", now, share=share)

    def parameters_now(self, now: Moment) -> GridParameters:
        """The strategy's parameters, its buy steps widened while the pool is nearly used up."""
        pool = self.pool
        if pool is None or not pool.body.steps_widened or not pool.is_believed(now):
            return self.config.parameters
        return widened(self.config.parameters)

    def _pool_refuses(self, amount: float, layer: int, now: Moment) -> bool:
        """Whether the executor would refuse a buy of ``amount`` yuan for ``layer`` (from 1); said once."""
        if self.pool is None or not self.pool.is_believed(now):
            return False
        code, first = self.config.code, layer == 1
        found = self.pool.objection(code, amount, opens_first_layer=first)
        word = found.word if found is not None else ""
        if found is not None and word != self._pool_said:
            needed, limit = round(found.needed, 2), round(found.limit, 2)
            sentence = say(f"refusals.{word}.what", code=code, needed=needed, limit=limit)
            self._say("warning", "pool_holds", now, sentence=sentence)
        self._pool_said = word
        return found is not None

    # Telling

    def _heartbeat(self, now: Moment) -> Heartbeat:
        if self.beats_since is None:
            self.beats_since = now.wall
        return Heartbeat(
            role="dashboard",
            instance=self.config.instance,
            ready=self.held is None,
            state=self.held.word if self.held else "running",
            seen=dict(self.seen),
            accounts=(self.state.account,),
            applied_results=self.state.outbox.settled_ids[-APPLIED_SHOWN:],
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
        todo = f"dashboard.todo.{key.partition(':')[0]}"
        self.alarms[key] = Alarm(text=text, what_to_do=say(todo) if has(todo) else "", at=now.wall)

    def _clear(self, key: str) -> None:
        self.alarms.pop(key, None)

    def _say(self, level: Level, action: str, now: Moment, **fields: object) -> None:
        self._further.append(Say(level, action, fields))
        self.events.append(Event(at=now.market, text=_event_text(action, fields)))


def _event_text(action: str, fields: dict[str, object]) -> str:
    told = {name: _in_words(name, value) for name, value in fields.items()}
    if fields.get("state") == "filled":
        told["message"] = ""  # it only says again what stands before it
    try:
        return say(f"dashboard.event_{action}", **told).strip()
    except KeyError:
        shown = " ".join(f"{name}={value}" for name, value in fields.items() if value not in (None, ""))
        return f"{action} {shown}".strip()


def _in_words(field_name: str, value: object) -> object:
    """A word of the wire in the language of the screen; anything else as it is."""
    if field_name in _WORDS and has(f"{_WORDS[field_name]}.{value}"):
        return say(f"{_WORDS[field_name]}.{value}")
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value


_WORDS = {"state": "screen.state", "direction": "screen.side", "reason": "dashboard.reason"}
