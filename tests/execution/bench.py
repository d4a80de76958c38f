"""A bench for the executor core: events in by hand, every batch recorded as the shell records it.

The bench is also the first oracle: after each batch it checks that no submit leaves without its
durable INTENT and CALLING mark (I3), that no id is submitted twice (I1), and that reported fills
are the sum of distinct trades and never fall (I5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from shared_schema.clock import Moment
from shared_schema.drop_folder import classify
from shared_schema.drop_folder.names import halt_name, signal_name
from shared_schema.ids import AccountAlias, Code, Epoch, InstanceId, OrderId, SignalId, StrategyName, TradeId
from shared_schema.messages import Envelope, OrderResult, OrderSignal, Quote, QuoteSnapshot, Received, encode
from shared_schema.sessions import SHANGHAI, trading_day_of
from shared_schema.settings_sections import Limits
from shared_schema.trading_calendar import load_calendar
from windows_side.brokers.port import (
    AccountAnswered,
    AccountState,
    BrokerAsset,
    BrokerOrder,
    BrokerPosition,
    BrokerStatus,
    BrokerTrade,
    Day,
    DayAnswered,
    OrderUpdate,
    PlaceAnswer,
    Placed,
    Readiness,
    ReadinessChanged,
    SubmitReturned,
    TradeUpdate,
)
from windows_side.execution.actions import Action, PublishResult, RecordMeta, RecordOrder, Say, Submit
from windows_side.execution.core import ExecutorCore
from windows_side.execution.events import Event, FileSeen, HaltsSeen, QuoteSeen, TimePassed
from windows_side.execution.intake import SignalIntake
from windows_side.execution.ledger import Change, Ledger, new_meta
from windows_side.execution.memory_ledger import MemoryLedger
from windows_side.execution.order import Order
from windows_side.execution.results import result_of
from windows_side.execution.rules import Rules

FUND = Code("159201.SZ")
OTHER_FUND = Code("512890.SH")
OPEN_AT = datetime(2026, 11, 18, 10, 0, tzinfo=SHANGHAI).timestamp()
"""A Wednesday, ten o'clock."""
INSTANCE = InstanceId("simulate-00000001")
ACCOUNT = AccountAlias("main")
PRICE = 1.2
CALENDAR = load_calendar()


def rules_of(**changes: object) -> Rules:
    """The rules of the bench: simulate, sessions and quotes enforced as in live."""
    plain = Rules("simulate", ACCOUNT, INSTANCE, CALENDAR, final_read=0.0)
    return replace(plain, **changes)  # type: ignore[arg-type]


def limits_of(**changes: object) -> Limits:
    """Default limits with ``changes``."""
    return replace(Limits(), **changes)  # type: ignore[arg-type]


def signal_of(signal_id: str = "BUY_159201.SZ_L1_00000001", **changes: object) -> OrderSignal:
    """A buy of 1000 shares at 1.20 yuan, decided at ``OPEN_AT``."""
    plain: dict[str, object] = {
        "signal_id": signal_id,
        "code": FUND,
        "direction": "BUY",
        "price": PRICE,
        "shares": 1000,
        "timestamp": OPEN_AT,
        "strategy": StrategyName("grid"),
        "executor": INSTANCE,
    }
    return OrderSignal.model_validate(plain | changes)


def envelope_of(seq: int = 1, **changes: object) -> Envelope:
    """What a dashboard's file carries."""
    plain: dict[str, object] = {
        "writer": "dashboard@mac",
        "epoch": Epoch("e1"),
        "seq": seq,
        "written_at": OPEN_AT,
        "market_time": OPEN_AT,
        "trading_day": "2026-11-18",
        "mode": "simulate",
        "account": ACCOUNT,
    }
    return Envelope.model_validate(plain | changes)


def account_of(cash: float = 1_000_000.0, sellable: int = 10_000) -> AccountState:
    """Cash in yuan and shares of the fund that may be sold."""
    held = BrokerPosition(FUND, sellable, sellable, PRICE, sellable * PRICE)
    return AccountState(BrokerAsset(cash, 0.0, 0.0, cash), (held,))


class Bench:
    """One executor core over one ledger; the broker is whoever calls ``tell``."""

    def __init__(
        self, rules: Rules | None = None, *, ready: bool = True, ledger: Ledger | None = None
    ) -> None:
        self.rules = rules or rules_of()
        self.ledger: Ledger = ledger or MemoryLedger(new_meta("simulate", "main", "test", "e0"))
        self.now = Moment(OPEN_AT, OPEN_AT)
        self.submits: list[Submit] = []
        self.published: list[OrderResult] = []
        self.actions: list[Action] = []
        self.account = account_of()
        self._filled: dict[SignalId, int] = {}
        self._returned = 0
        self.restart(ready=ready)

    # The shell's part

    def restart(self, *, ready: bool = True) -> list[Action]:
        """A new process over the same ledger; with ``ready`` its broker answers with an empty day."""
        self.core = ExecutorCore(self.rules, self.ledger.load())
        self.intake = SignalIntake()
        actions = self._perform(self.core.start(self.now))
        if ready:
            actions += self.quote()
            actions += self.make_ready()
        return actions

    def make_ready(self, *orders: BrokerOrder, trades: tuple[BrokerTrade, ...] = ()) -> list[Action]:
        """The broker comes up: its day's list and the account are known."""
        return self.tell(
            ReadinessChanged(Readiness(True)),
            DayAnswered(Day(orders, trades), self.now.wall),
            AccountAnswered(self.account, self.now.wall),
        )

    def tell(self, *events: Event) -> list[Action]:
        """One batch of events: all that is to be recorded is one commit."""
        actions: list[Action] = []
        for event in events:
            actions += self.core.handle(event, self.now)
        return self._perform(actions)

    def _perform(self, actions: list[Action]) -> list[Action]:
        records = [action for action in actions if isinstance(action, RecordOrder)]
        orders = {record.order.signal_id: record.order for record in records}
        meta = {action.name: action.value for action in actions if isinstance(action, RecordMeta)}
        change = Change(tuple(orders.values()), meta, tuple(record.journal for record in records))
        if not change.is_empty:
            self.ledger.commit(change)
        for action in actions:
            if isinstance(action, Submit):
                self._check_submit(action)
                self.submits.append(action)
            elif isinstance(action, PublishResult):
                self._check_result(action.order)
                self.published.append(result_of(action.order))
        self.actions += actions
        return actions

    def _check_submit(self, submit: Submit) -> None:
        row = self.ledger.order(submit.request.signal_id)
        assert row is not None and row.intent_at and row.calling_at, "I3: a submit without its durable marks"
        assert submit.request.signal_id not in {s.request.signal_id for s in self.submits}, (
            "I1: a second submit"
        )

    def _check_result(self, order: Order) -> None:
        trades = {trade.trade_id: trade.shares for trade in order.trades}
        assert order.filled_shares == sum(trades.values()), "I5: fills are distinct trades"
        assert order.filled_shares >= self._filled.get(order.signal_id, 0), "I5: fills never fall"
        self._filled[order.signal_id] = order.filled_shares

    # Short hands

    def pass_time(self, wall: float, market: float | None = None) -> list[Action]:
        """Let seconds pass on both clocks (or ``market`` on the market's)."""
        self.now = Moment(self.now.wall + wall, self.now.market + (wall if market is None else market))
        return self.tell(TimePassed())

    def file(self, signal: OrderSignal, envelope: Envelope | None = None, *, name: str = "") -> FileSeen:
        """The file a dashboard would write for ``signal``, as a scan sees it."""
        return self.raw_file(encode(envelope or envelope_of(), signal), name or signal_name(signal.signal_id))

    def raw_file(self, raw: bytes, name: str = "order_signal.json") -> FileSeen:
        """Any bytes under any name, as a scan sees them."""
        classified = classify(name)
        return FileSeen(
            classified, raw, self.intake.look(classified, raw, self.now, self.now.wall), self.now.wall
        )

    def drop(self, signal: OrderSignal, envelope: Envelope | None = None) -> list[Action]:
        """Drop one signal and let the core see it."""
        return self.tell(self.file(signal, envelope))

    def answer(self, signal_id: str, answer: PlaceAnswer) -> list[Action]:
        """The place call returns."""
        return self.tell(SubmitReturned(SignalId(signal_id), answer))

    def answered(self, signal_id: str, order_id: str) -> list[Action]:
        """The place call returns this id; no order of the broker has confirmed it yet."""
        return self.answer(signal_id, Placed(OrderId(order_id)))

    def answer_all(self) -> list[Action]:
        """Every place call that is still under way returns an id of its own."""
        actions: list[Action] = []
        for submit in self.submits[self._returned :]:
            self._returned += 1
            actions += self.answered(submit.request.signal_id, f"all-{self._returned}")
        return actions

    def placed(self, signal_id: str, order_id: str = "1") -> list[Action]:
        """The broker took the order and shows it under our tag."""
        answered = self.answered(signal_id, order_id)
        return answered + self.update(self.seen_order(signal_id, order_id=OrderId(order_id)))

    def quote(self, price: float = PRICE, **fields: object) -> list[Action]:
        """A fresh quote of the fund."""
        values = {"price": price, "pre_close": price, "tick_time": self.now.market} | fields
        quote = Quote.model_validate(values)
        body = QuoteSnapshot(code=FUND, price=price, quotes={FUND: quote})
        stamp = envelope_of(written_at=self.now.wall, market_time=self.now.market)
        return self.tell(QuoteSeen(Received(stamp, body, b"")))

    def halt(
        self, raw: bytes = b'{"halt": true, "reason": "test"}', writer: str = "dashboard@mac"
    ) -> list[Action]:
        """A halt file lies in ``control/``."""
        return self.tell(HaltsSeen({halt_name(writer): raw}))

    def row(self, signal_id: str = "BUY_159201.SZ_L1_00000001") -> Order:
        """The durable row."""
        row = self.ledger.order(SignalId(signal_id))
        assert row is not None, f"{signal_id} was never recorded"
        return row

    def state(self, signal_id: str = "BUY_159201.SZ_L1_00000001") -> str:
        """The durable state."""
        return self.row(signal_id).state

    def result(self, signal_id: str = "BUY_159201.SZ_L1_00000001") -> OrderResult:
        """The newest result."""
        return [result for result in self.published if result.signal_id == signal_id][-1]

    def seen_order(self, signal_id: str = "BUY_159201.SZ_L1_00000001", **changes: object) -> BrokerOrder:
        """The row's order as the broker shows it: reported, nothing filled."""
        row = self.row(signal_id)
        assert row.signal is not None
        plain = BrokerOrder(
            OrderId("1"),
            row.signal.code,
            row.signal.direction,
            row.signal.price,
            row.signal.shares,
            0,
            BrokerStatus.REPORTED,
            row.tag,
            "",
            self.now.market,
        )
        return replace(plain, **changes)  # type: ignore[arg-type]

    def seen_trade(
        self,
        signal_id: str = "BUY_159201.SZ_L1_00000001",
        trade_id: str = "t1",
        shares: int = 400,
        **changes: object,
    ) -> BrokerTrade:
        """A fill of the row's order."""
        row = self.row(signal_id)
        assert row.signal is not None
        plain = BrokerTrade(
            TradeId(trade_id),
            OrderId("1"),
            row.signal.code,
            row.signal.direction,
            row.signal.price,
            shares,
            self.now.market,
            row.tag,
        )
        return replace(plain, **changes)  # type: ignore[arg-type]

    def update(self, order: BrokerOrder) -> list[Action]:
        """The broker pushes an order."""
        return self.tell(OrderUpdate(order))

    def trade(self, trade: BrokerTrade) -> list[Action]:
        """The broker pushes a trade."""
        return self.tell(TradeUpdate(trade))

    def day(self, *orders: BrokerOrder, trades: tuple[BrokerTrade, ...] = ()) -> list[Action]:
        """A day's list asked now and answered now."""
        return self.tell(DayAnswered(Day(orders, trades), self.now.wall))


def alarms(actions: list[Action]) -> list[str]:
    """The action words of the alarms in ``actions``."""
    return [action.action for action in actions if isinstance(action, Say) and action.level == "alarm"]


def of_kind(actions: list[Action], kind: Callable[..., object]) -> list[Action]:
    """The actions of one kind."""
    return [action for action in actions if isinstance(action, kind)]  # type: ignore[arg-type]


def raw_digest(raw: bytes) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(raw).hexdigest()


def next_day(bench: Bench) -> None:
    """Ten o'clock of the next trading day."""
    bench.now = Moment(bench.now.wall + 86_400, bench.now.market + 86_400)
    assert trading_day_of(bench.now.market) > "2026-11-18"
