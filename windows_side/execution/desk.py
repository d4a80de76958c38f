"""The desk: where the parts of the core write down what they decide.

Holds the order book and collects the actions of one event. Every change of a row goes
through ``store``: the row is recorded, and its result follows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared_schema.cash_pool import PoolTerms
from shared_schema.clock import Moment
from shared_schema.ids import Tag
from shared_schema.sessions import trading_day_of
from windows_side.execution.actions import Action, PublishResult, RecordMeta, RecordOrder, Say
from windows_side.execution.cash_pool import CashPool
from windows_side.execution.foreign_orders import ForeignOrders
from windows_side.execution.halt_latch import OWN, PUT_BACK, HaltLatch
from windows_side.execution.ledger import ACCEPTED_TAGS, DOUBT_BEFORE, HALT, POOL, JournalEntry, Memory
from windows_side.execution.order import Order
from windows_side.execution.order_book import OrderBook
from windows_side.execution.results import sentence
from windows_side.execution.rules import Rules

LOST_REVISIONS = 100_000
"""More results than the lost part of a ledger can have published, of a row and in all."""


class Desk:
    """Memory and pen of the core; one per executor, used by one thread."""

    def __init__(self, rules: Rules, memory: Memory) -> None:
        self.rules = rules
        self.book = OrderBook(memory)
        self.foreign = ForeignOrders(self.book)
        terms = PoolTerms(rules.limits.pool_yuan, rules.limits.pool_code_yuan)
        self.pool = CashPool(terms, memory.meta.get(POOL), self.book)
        self.halt = HaltLatch.from_json(memory.meta.get(HALT, {}))
        self.now = Moment(0.0, 0.0)
        self.doubt_before = float(memory.meta.get(DOUBT_BEFORE, 0.0))
        """Of signals decided before this (Unix seconds) and not known here nobody knows what was done."""
        self._accepted_tags = {Tag(tag) for tag in memory.meta.get(ACCEPTED_TAGS, [])}
        self._result_seq = memory.result_seq
        self._actions: list[Action] = []

    @property
    def trading_day(self) -> str:
        """Of the moment, on the market clock."""
        return trading_day_of(self.now.market)

    def store(self, order: Order, action: str, detail: str = "", **changes: Any) -> Order:
        """Record ``order`` with ``changes`` as its next revision and let its result follow."""
        self._result_seq += 1
        newest = order.changed(
            **changes,
            revision=self._next_revision(order),
            result_seq=self._result_seq,
            changed_at=self.now.wall,
            changed_market=self.now.market,
        )
        if not newest.error_code:
            newest = newest.changed(message=sentence(newest))
        before = self.book.get(order.signal_id)
        self.book.put(newest)
        if self.pool.follow(before, newest):
            self.remember_pool()
        entry = JournalEntry(self.now.wall, newest.signal_id, action, detail or newest.state)
        self.do(RecordOrder(newest, entry))
        self.do(PublishResult(newest))
        return newest

    def _next_revision(self, order: Order) -> int:
        """One more; above all that a lost part of the ledger may have published of this row."""
        in_doubt = self.is_held or order.received_at < self.doubt_before
        return LOST_REVISIONS + 1 if in_doubt and order.revision <= LOST_REVISIONS else order.revision + 1

    def begin_doubt(self, before: float) -> None:
        """A person lets this ledger count: signals decided before ``before`` and not in it are unknown."""
        self.doubt_before = before
        self.remember(DOUBT_BEFORE, before)

    def remember(self, name: str, value: Any) -> None:
        """Make a fact about the executor durable."""
        self.do(RecordMeta(name, value))

    def remember_pool(self) -> None:
        """Make the pool's use durable."""
        self.remember(POOL, self.pool.to_json())

    def set_halt(self, halt: HaltLatch) -> None:
        """Take a changed latch, durably, and say so."""
        if halt is self.halt:
            return
        before, self.halt = self.halt, halt
        self.remember(HALT, halt.to_json())
        if halt.is_halted:
            self.alarm("halted", reason=halt.reason)
        elif before.is_halted:
            self.say("resumed")

    def halt_trading(self, reason: str, name: str = OWN) -> None:
        """Halt by the executor's own decision (an impossible event, a runaway loop)."""
        self.set_halt(self.halt.halting(reason, self.now.wall, name))

    @property
    def is_held(self) -> bool:
        """Whether the ledger itself is in doubt: then new signals are neither taken nor refused."""
        return PUT_BACK in self.halt.active

    def hold(self, reason: str) -> None:
        """Halt because the ledger can't be the whole memory (it was put back, or another trades here)."""
        if PUT_BACK in self.halt.active:
            return
        self._result_seq += LOST_REVISIONS
        self.alarm("ledger_put_back", reason=reason)
        self.set_halt(self.halt.halting(reason, self.now.wall, PUT_BACK))

    def accept_tags(self, tags: Iterable[Tag]) -> None:
        """Know our tags at the broker that no row explains, durably: a person has seen them."""
        for tag in tags:
            self.book.accept_tag(tag)
            self._accepted_tags.add(tag)
        self.remember(ACCEPTED_TAGS, sorted(self._accepted_tags))

    def do(self, action: Action) -> None:
        """Ask the shell for an action."""
        self._actions.append(action)

    def say(self, action: str, **fields: object) -> None:
        """A line in the log."""
        self.do(Say("info", action, fields))

    def alarm(self, action: str, **fields: object) -> None:
        """Something a person must know."""
        self.do(Say("alarm", action, fields))

    def take(self) -> list[Action]:
        """The actions collected since the last call."""
        taken, self._actions = self._actions, []
        return taken
