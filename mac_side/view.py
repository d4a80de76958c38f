"""What the engine shows: one frozen record of everything a screen, ``status`` or a log needs.

The engine writes it, screens read it; neither waits for the other. It is a picture, never a
memory: it may be late, it may be missing, and nothing is ever decided from it. Every field has
a default, so that an engine that only begins to know things already shows.

Prices and money are yuan, shares are shares, times are Unix seconds, ages are seconds; None
means "not known yet", which is never shown as zero.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pydantic import ValidationError

from shared_schema.errors import FolderError
from shared_schema.ids import Direction, Mode
from shared_schema.messages.quote import MinuteBars
from shared_schema.messages.record import Record

BARS_SHOWN = 120
"""So many of the last bars the engine puts into a view; a screen uses what fits."""


class HaltState(Record):
    """Whether trading is halted, and whether the executor has said so itself."""

    halted: bool = False
    since: float | None = None
    """When this host first knew of it."""
    confirmed_at: float | None = None
    """When the executor confirmed it; None: not yet."""
    reason: str = ""
    by: str = ""
    own: bool = False
    """Whether this host may lift every halt in force: its own, and those of which ``only_here`` tells."""
    only_here: bool = False
    """Whether none is this host's, and the living executor was seen to hold none of them."""


class Link(Record):
    """How fresh the other side is. None: never seen."""

    quote_age: float | None = None
    """Of the newest quote, corrected by the skew."""
    quote_stale_after: float = 300.0
    executor_age: float | None = None
    """Of the executor's newest heartbeat."""
    producer_age: float | None = None
    red_after: float = 5.0
    """Heartbeats older than this are red (by sync tool, contract.md)."""
    executor_instance: str = ""
    executor_state: str = ""
    """The executor's own word for what it does or waits for."""
    executor_ready: bool = False
    sync_age: float | None = None
    """Newest file of the other side to arrive here: written to received, corrected by the skew."""
    sync_age_back: float | None = None
    """The same on the way there, from the executor's echo."""
    skew: float | None = None
    """The other host's clock minus this one's."""
    skew_blind: float | None = None
    """The skew is known to within this: half the best round trip."""
    sent_age: float | None = None
    """Of our newest heartbeat that the executor had when it wrote its own: how late the way there is."""
    lost_in: bool = False
    """Nothing comes from there."""
    lost_out: bool = False
    """Nothing of ours arrives there."""


class PriceView(Record):
    """The code's price now; 0 where unknown."""

    price: float = 0.0
    pre_close: float = 0.0
    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    limit_up: float = 0.0
    limit_down: float = 0.0
    at: float | None = None
    """Market time of the tick."""

    @property
    def change(self) -> float | None:
        """Against the previous close, a fraction (0.01 is +1 %); None where either is unknown."""
        if self.price <= 0 or self.pre_close <= 0:
            return None
        return self.price / self.pre_close - 1


class GridView(Record):
    """Where the strategy stands."""

    anchor: float | None = None
    atr: float | None = None
    """Yuan."""
    atr_mean: float | None = None
    trend: int | None = None
    """1 up, 0 neutral, -1 down."""
    step: float | None = None
    """Fraction below the anchor at which the next layer buys."""
    take_profit: float | None = None
    """Factor on a lot's buy price at which it sells: 1.007 is +0.7 %."""
    next_buy: float | None = None
    next_sells: tuple[float, ...] = ()
    """Targets of the lots held, nearest first."""
    layers: int = 0
    max_layers: int = 0
    paused: bool = False
    """The ATR breaker holds buying."""
    paused_by_hand: bool = False
    cooling_bars: int = 0
    """Bars left until a first layer may be bought again."""


class PositionView(Record):
    """What is held of the code."""

    fixed: int = 0
    """Shares the strategy never sells."""
    flow: int = 0
    """Shares in the strategy's lots."""
    volume: int | None = None
    """Shares at the broker, fixed ones included."""
    can_use: int | None = None
    """Of these, may be sold today (T+1)."""
    cost: float = 0.0
    """Average, yuan a share."""
    market_value: float | None = None
    floating_profit: float | None = None


class LotView(Record):
    """One lot of the grid ladder."""

    layer: int = 0
    """From 1, oldest first."""
    shares: int = 0
    cost: float = 0.0
    """Yuan a share."""
    buy_price: float = 0.0
    target: float = 0.0
    """The price at which it is sold."""
    pending: bool = False
    """Its order is not settled yet."""

    def distance(self, price: float) -> float | None:
        """How far the price must still rise to the target, a fraction; None without a price."""
        return self.target / price - 1 if price > 0 and self.target > 0 else None


class SignalView(Record):
    """One of today's signals, newest state known here."""

    signal_id: str
    direction: Direction = "BUY"
    code: str = ""
    price: float = 0.0
    shares: int = 0
    filled: int = 0
    state: str = "outbox"
    """"outbox", "sent", or a state of ``OrderResult`` (received, ..., unknown)."""
    sent_at: float | None = None
    """Market time."""
    open: bool = False
    """Its terminal result is not applied yet."""
    cancelling: bool = False
    """A cancel for it was sent."""
    latency: float | None = None
    """Seconds from sent to its newest result."""
    message: str = ""


class OrderView(Record):
    """An order at the broker, ours or another's."""

    order_id: str
    direction: Direction = "BUY"
    code: str = ""
    price: float = 0.0
    shares: int = 0
    filled: int = 0
    ours: bool = True
    open: bool = False
    """It may still be filled."""
    status: str = ""
    at: float | None = None


class Counts(Record):
    """Today's counts and money against their limits; None: no limit known."""

    signals: int = 0
    fills: int = 0
    refusals: int = 0
    cancels: int = 0
    open_orders: int = 0
    unknown_orders: int = 0
    orders: int = 0
    orders_limit: int | None = None
    turnover: float = 0.0
    turnover_limit: float | None = None
    cash: float | None = None
    total_asset: float | None = None
    pool_used: float = 0.0
    """Used and frozen."""
    pool_limit: float | None = None
    realised_profit: float = 0.0
    """Of today."""
    fees: float = 0.0


class Alarm(Record):
    """Something a person should know, with what to do about it."""

    text: str
    what_to_do: str = ""
    at: float | None = None


class Event(Record):
    """Something that happened."""

    at: float
    text: str


class View(Record):
    """Everything a screen shows of one code and strategy."""

    wall: float = 0.0
    """When it was made, by this host's clock."""
    market: float = 0.0
    """The same on the market's clock; differs only in replay."""
    mode: Mode = "simulate"
    account: str = ""
    """Alias, never the number."""
    strategy: str = ""
    code: str = ""
    name: str = ""
    """What people call the instrument."""
    session: str = ""
    """Value of ``sessions.SessionState``; "" where unknown."""
    next_opening: float | None = None
    trading_held: str = ""
    """Why no signals go out (a sentence: 行情已过期，暂停发单); "" when they may."""
    halt: HaltState = HaltState()
    link: Link = Link()
    price: PriceView = PriceView()
    bars: MinuteBars = MinuteBars()
    grid: GridView = GridView()
    position: PositionView = PositionView()
    lots: tuple[LotView, ...] = ()
    signals: tuple[SignalView, ...] = ()
    """Of today, oldest first."""
    orders: tuple[OrderView, ...] = ()
    """At the broker, the open ones first."""
    counts: Counts = Counts()
    alarms: tuple[Alarm, ...] = ()
    """In force now, gravest first."""
    events: tuple[Event, ...] = ()
    """The last ones, oldest first."""
    waiting_for: tuple[str, ...] = ()
    """Sentences: what the engine waits for before it can trade."""
    ended: bool = False
    """The engine wrote this as its last one."""


def write_view(path: Path, view: View) -> bool:
    """Put ``view`` under ``path`` in one step; False where a reader holds the file just now.

    No fsync and no retries: the next view replaces it anyway, and the engine never waits for
    a screen. Raises FolderError where the folder can't be written at all.
    """
    temporary = path.with_name(f".{path.name}{secrets.token_hex(4)}.tmp")
    try:
        temporary.write_bytes(view.model_dump_json().encode("utf-8"))
        os.replace(temporary, path)
        return True
    except OSError as problem:
        held_by_reader = os.name == "nt" and isinstance(problem, PermissionError)
        _remove(temporary)
        if held_by_reader:
            return False
        raise FolderError("screen.view_not_written", path, detail=str(problem)) from problem


def read_view(path: Path) -> View | None:
    """The view in ``path``; None where it is missing, torn, held or of another version."""
    try:
        return View.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None  # a picture, not a memory: the screen shows the last one and its growing age


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # the failure that brought us here is the one to report
