"""One signal's row: everything the executor remembers of it. Frozen; a change is a new value."""

from __future__ import annotations

from dataclasses import dataclass

from shared_schema.ids import Direction, Epoch, OrderId, SignalId, Tag
from shared_schema.messages import OrderSignal, State, Trade
from shared_schema.messages.result import TERMINAL_STATES
from windows_side.execution.states import TRANSITIONS, OrderEvent, next_state

NO_TAG = Tag("")
NO_ORDER_ID = OrderId("")


@dataclass(frozen=True)
class Order:
    """A signal and what became of it. Times are Unix seconds; ``_market`` on the market clock."""

    signal_id: SignalId
    digest: str
    """Of the signal; "" where the file named an id but was no valid signal."""
    signal: OrderSignal | None
    state: State
    received_at: float
    received_market: float
    trading_day: str
    """Of the day it was taken here: counts and limits go by it."""
    signal_day: str = ""
    """The signal's own trading day: its result carries it, whatever day it is written on."""
    version: int = 2
    writer: str = ""
    signal_epoch: Epoch | None = None
    signal_seq: int | None = None
    tag: Tag = NO_TAG
    file_time: float = 0.0
    """When the signal's file was written on this disk, for the latency shown."""
    intent_at: float = 0.0
    arrival_price: float = 0.0
    """Yuan: the market's last price known here when the order was admitted; 0: none was fresh."""
    calling_at: float = 0.0
    """When the CALLING mark was written; 0: the broker was never called."""
    calling_market: float = 0.0
    unclear_at: float = 0.0
    """When the place call ended without a usable answer; 0: it did not."""
    order_id: OrderId = NO_ORDER_ID
    order_id_typed: bool = False
    """Whether a person said that this id is the row's: remark and time are not asked any more."""
    broker_status: int = 0
    broker_filled: int = 0
    broker_message: str = ""
    final_seen_at: float = 0.0
    """When a final broker status was first seen."""
    cancel_sent_at: float = 0.0
    trades: tuple[Trade, ...] = ()
    revision: int = 0
    result_seq: int = 0
    """The envelope ``seq`` of this revision's result: written again, it is the same file."""
    changed_at: float = 0.0
    changed_market: float = 0.0
    error_code: str = ""
    message: str = ""

    @property
    def is_terminal(self) -> bool:
        """Whether the signal is settled."""
        return self.state in TERMINAL_STATES

    @property
    def is_at_broker(self) -> bool:
        """Whether the order is, or may be, alive at the broker."""
        return self.state in ("submitted", "partly_filled", "unknown")

    @property
    def has_seen_id(self) -> bool:
        """Whether the broker showed an order or a fill under the row's id, or a person typed it."""
        return bool(self.order_id and (self.broker_status or self.trades or self.order_id_typed))

    @property
    def filled_shares(self) -> int:
        """Sum of the distinct trades; never inferred from anything else."""
        return sum(trade.shares for trade in self.trades)

    @property
    def average_price(self) -> float:
        """Of the trades, yuan; 0 without any."""
        filled = self.filled_shares
        return self.filled_yuan / filled if filled else 0.0

    @property
    def filled_yuan(self) -> float:
        """What the trades come to, without fees."""
        return sum(trade.price * trade.shares for trade in self.trades)

    @property
    def open_shares(self) -> int:
        """Ordered and not filled."""
        return (self.signal.shares if self.signal else 0) - self.filled_shares

    @property
    def direction(self) -> Direction | None:
        """Of the signal."""
        return self.signal.direction if self.signal else None

    @property
    def is_cancel(self) -> bool:
        """Whether the signal takes another one back."""
        return self.signal is not None and self.signal.is_cancel

    def may(self, event: OrderEvent) -> bool:
        """Whether ``event`` can happen to the order as it stands."""
        return (self.state, event) in TRANSITIONS

    def after(self, event: OrderEvent, **changes: object) -> Order:
        """The order after ``event`` with ``changes``; StateError where that can't be."""
        return self.changed(state=next_state(self.state, event), **changes)

    def changed(self, **changes: object) -> Order:
        """The order with ``changes``, the same one where nothing is changed; TypeError where one is no field.

        Copied as a whole: ``replace`` reads thirty fields anew, four times on each signal's way.
        """
        mine = self.__dict__
        if not changes.keys() <= mine.keys():
            raise TypeError(f"no fields of an order: {sorted(changes.keys() - mine.keys())}")
        if all(mine[name] == value for name, value in changes.items()):
            return self
        order = object.__new__(Order)
        order.__dict__.update(mine, **changes)
        return order

    def with_trade(self, trade: Trade) -> Order:
        """The order with one more trade; the same one when it is known already."""
        if any(known.trade_id == trade.trade_id for known in self.trades):
            return self
        return self.changed(trades=(*self.trades, trade))
