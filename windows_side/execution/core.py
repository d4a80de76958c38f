"""The executor core: events in, actions out. No I/O, no clock of its own.

``handle(event, now)`` is called by one thread. The shell makes every Record of the
returned actions durable in one commit before it performs any of the others, so no order
reaches the broker without its INTENT and CALLING mark (I3).
"""

from __future__ import annotations

from shared_schema.clock import Moment
from shared_schema.messages import Quote, SharedPool
from shared_schema.words import say
from windows_side.brokers.port import (
    AccountAnswered,
    AccountState,
    CancelReturned,
    DayAnswered,
    OrderUpdate,
    ReadinessChanged,
    SubmitOverran,
    SubmitReturned,
    SubmitTurnedBack,
    TradeUpdate,
)
from windows_side.execution.actions import Action, AskAccount, AskDay, PublishResult, TrustLedger
from windows_side.execution.admission import Admission
from windows_side.execution.broker_desk import BrokerDesk
from windows_side.execution.call_answers import CallAnswers
from windows_side.execution.cancels import Cancels
from windows_side.execution.day_lists import DayLists
from windows_side.execution.desk import Desk
from windows_side.execution.events import (
    BeatsSeen,
    Event,
    FileSeen,
    FolderRolledBack,
    FreePoolTyped,
    HaltsSeen,
    QuoteSeen,
    RebindTyped,
    ResolveTyped,
    ResumeTyped,
    TimePassed,
)
from windows_side.execution.halt_latch import ROLLED_BACK
from windows_side.execution.ledger import HEARD_WRITERS, WRITERS, Memory
from windows_side.execution.long_wait import LongWait
from windows_side.execution.order_book import OrderBook
from windows_side.execution.origin import Origin
from windows_side.execution.quote_board import QuoteBoard
from windows_side.execution.rules import Rules
from windows_side.execution.states import OrderEvent
from windows_side.execution.writers_link import WritersLink

DAY_INTERVAL = 60.0
"""Seconds between two readings of the day's list while nothing of ours is open: a push may have been lost,
and the day's limits count what others place."""
ACCOUNT_INTERVAL = 10.0
"""Seconds between two readings of asset and positions."""


class ExecutorCore:
    """One account's executor in one mode."""

    def __init__(self, rules: Rules, memory: Memory) -> None:
        self._rules = rules
        self._desk = Desk(rules, memory)
        self._quotes = QuoteBoard(rules)
        self._broker = BrokerDesk(self._desk, self._quotes.newest_tick)
        self._answers = CallAnswers(self._desk, self._broker)
        self._lists = DayLists(self._desk, self._broker)
        self._cancels = Cancels(self._desk)
        self._links = WritersLink(self._desk, memory.meta.get(HEARD_WRITERS, ()))
        self._origin = Origin(self._desk, dict(memory.meta.get(WRITERS, {})))
        self._admission = Admission(
            self._desk,
            self._quotes,
            self._cancels,
            self._origin,
            self._links,
        )
        self._long_wait = LongWait(self._desk)
        self._broker_ready = False
        self._reconciled = False
        self._account: AccountState | None = None
        self._asked_day = self._asked_account = self._account_asked = 0.0
        self._day = ""

    # What the shell shows and asks

    @property
    def book(self) -> OrderBook:
        """The orders, for views and heartbeats."""
        return self._desk.book

    @property
    def ready(self) -> bool:
        """Whether signals are taken: broker ready, its day reconciled, the account known."""
        return self._broker_ready and self._reconciled and self._account is not None

    @property
    def waits_for(self) -> str:
        """One word: what stands in the way of being ready, "" when nothing does."""
        if not self._broker_ready:
            return "broker"
        if not self._reconciled:
            return "reconcile"
        return "" if self._account is not None else "account"

    @property
    def halt_since(self) -> float | None:
        """When the halt in force was confirmed, None when there is none."""
        return self._desk.halt.since

    @property
    def halt_reason(self) -> str:
        """Why trading is halted, "" when it is not."""
        return self._desk.halt.reason

    def was_lifted(self, name: str, raw: bytes | None) -> bool:
        """Whether a person resumed over this very halt file."""
        return self._desk.halt.was_lifted(name, raw)

    @property
    def account(self) -> AccountState | None:
        """The account as last answered."""
        return self._account

    def pool(self, now: Moment) -> SharedPool | None:
        """The use of the cash pool as the folder shows it; None where there is no pool."""
        pool = self._desk.pool
        return pool.view(now.wall) if pool.counts else None

    def quote(self, code: str) -> Quote | None:
        """The newest usable quote of a code."""
        return self._quotes.quote(code)

    def quote_age(self, code: str, now: Moment) -> float:
        """Seconds since the newest quote of ``code``; infinite without one."""
        return self._quotes.age(code, now)

    # The one way in

    def start(self, now: Moment, put_back: str = "") -> list[Action]:
        """After the ledger was loaded: close what provably never reached the broker, say what is open.

        ``put_back`` says why the ledger can't be the newest one: then it holds, and proves nothing.
        """
        self._desk.now = now
        if put_back:
            self._desk.hold(put_back)
        self._begin_pool()
        for order in self._desk.book.waiting():
            if self._desk.is_held:
                self._broker.doubts.waits_in_doubt(order)
                continue
            # INTENT without CALLING: the native call was never begun, and the strategy has moved on.
            self._desk.store(
                order.after(OrderEvent.PROVEN_ABSENT),
                "not_called",
                error_code="not_placed",
                message=say("executor.not_called"),
            )
        for order in self._desk.book.at_broker():
            self._desk.say(
                "open_order", signal_id=order.signal_id, state=order.state, order_id=order.order_id
            )
            if order.state == "unknown":
                # The run that found it unknown may have ended before it could tell anybody.
                self._desk.alarm("order_unknown", signal_id=order.signal_id, sentence=order.message)
        return self._desk.take()

    def _begin_pool(self) -> None:
        """A ledger from before the pool: what it still has of orders is counted from here on, durably."""
        pool = self._desk.pool
        if pool.counts and pool.is_new:
            self._desk.remember_pool()
            if pool.use().total:
                self._desk.say("pool_begins", used=round(pool.use().total, 2))

    def handle(self, event: Event, now: Moment) -> list[Action]:
        """What to do about ``event`` at ``now``."""
        self._desk.now = now
        self._new_day()
        match event:
            case FileSeen():
                self._admission.file_seen(
                    event, ready=self.ready, account=self._account, asked_at=self._asked_account
                )
            case QuoteSeen():
                self._quotes.seen(event.received)
            case HaltsSeen():
                self._desk.set_halt(self._desk.halt.seeing(event.files, now.wall, event.key))
            case ResumeTyped():
                self._resumed(event)
            case RebindTyped():
                self._origin.rebind(event.strategy)
            case FreePoolTyped():
                self._desk.alarm(
                    "pool_freed_by_hand",
                    code=event.code,
                    freed=round(self._desk.pool.free(event.code), 2),
                    reason=event.reason,
                )
                self._desk.remember_pool()
            case ResolveTyped():
                self._broker.unknown.resolve(event)
                self._cancels.settle()
            case BeatsSeen():
                self._links.seen(event.beats)
                self._quotes.ahead = self._links.producer_ahead
            case FolderRolledBack():
                self._rolled_back()
            case TimePassed():
                self._links.time_passed()
            case _:
                self._broker_said(event)
        self._time_passed()
        return self._desk.take()

    def _resumed(self, event: ResumeTyped) -> None:
        self._desk.say("resume_typed", reason=event.reason)
        if self._desk.is_held:
            # The person lets the ledger count; what was decided until now may be in its lost part.
            self._desk.begin_doubt(self._desk.now.wall + self._rules.limits.future_seconds)
            self._broker.accept_foreign_tags()
            self._desk.do(TrustLedger())
        self._desk.set_halt(self._desk.halt.resumed(event.files, event.shown))

    def _rolled_back(self) -> None:
        """Hold trading until a person resumes, and show what the folder forgot."""
        self._desk.alarm("folder_rolled_back")
        self._desk.halt_trading(say("link.rolled_back"), ROLLED_BACK)
        ended = [order for order in self._desk.book.everything() if order.is_terminal]
        if ended:
            self._desk.do(PublishResult(max(ended, key=lambda order: order.result_seq)))

    def is_silent(self, writer: str) -> bool:
        """Whether new orders of this writer are refused because its heartbeat is red."""
        return self._links.is_silent(writer)

    def _broker_said(self, event: object) -> None:
        match event:
            case SubmitReturned():
                self._desk.book.call_ended(event.signal_id, event.started_at)
                self._answers.submit_returned(event)
            case SubmitTurnedBack():
                self._desk.book.call_ended(event.signal_id)
                self._answers.turned_back(event)
            case SubmitOverran():
                self._desk.book.call_ended(event.signal_id)
                self._answers.submit_overran(event)
            case OrderUpdate():
                self._broker.order_updated(event.order)
            case TradeUpdate():
                self._broker.trade_updated(event.trade)
            case CancelReturned():
                self._answers.cancel_returned(event)
            case DayAnswered():
                if self._lists.answered(event) and not self._reconciled:
                    self._reconciled = True
                    self._desk.say("reconciled", open=len(self._desk.book.at_broker()))
            case AccountAnswered():
                if event.account is not None:
                    self._account, self._asked_account = event.account, event.asked_at
                    self._desk.book.committed.account_shows(event.asked_at, self._desk.now.wall)
                    self._broker.unknown.account_answered(event.account, event.asked_at)
                    self._free_pool(event.account, event.asked_at)
            case ReadinessChanged():
                self._readiness(event)
            case _:
                raise TypeError(f"the core knows no event {event!r}")
        self._cancels.settle()

    def _free_pool(self, account: AccountState, asked_at: float) -> None:
        open_codes = (order.signal.code for order in self._desk.book.open() if order.signal is not None)
        for code in self._desk.pool.gone(account, asked_at, open_codes):
            self._desk.remember_pool()
            self._desk.alarm("pool_freed", code=code)

    def _readiness(self, event: ReadinessChanged) -> None:
        self._broker_ready = event.readiness.ready
        if self._broker_ready:
            self._desk.say("broker_ready")
            self._ask_day()
            self._desk.do(AskAccount())
        else:
            # What happened while nobody looked shows only in a fresh list and a fresh account.
            self._reconciled, self._account = False, None
            self._desk.book.forget_shown()
            self._desk.alarm("broker_not_ready", detail=event.readiness.message)

    def _time_passed(self) -> None:
        if self.ready:
            self._admission.release_waiting(self._account, self._asked_account)
        self._admission.expire_waiting()
        self._cancels.time_passed()
        self._long_wait.look(self.waits_for)
        if not self._broker_ready:
            return
        wall = self._desk.now.wall
        unsettled = bool(self._desk.book.at_broker()) or not self._reconciled
        # abs: a clock set back must not stop the asking.
        if abs(wall - self._asked_day) >= (self._rules.poll_interval if unsettled else DAY_INTERVAL):
            self._ask_day()
        since = min(abs(wall - self._asked_account), abs(wall - self._account_asked))
        if since >= ACCOUNT_INTERVAL:
            self._account_asked = wall
            self._desk.do(AskAccount())

    def _ask_day(self) -> None:
        self._asked_day = self._desk.now.wall
        self._desk.do(AskDay())

    def _new_day(self) -> None:
        day = self._desk.trading_day
        if day != self._day:  # earlier again where the clock was wrong
            self._desk.book.forget_before(day)
            self._desk.foreign.forget_before(day)
            self._broker.forget_ids()
            self._day = day
