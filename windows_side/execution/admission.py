"""From a file to an order: known? ours? allowed? Then INTENT, CALLING and the submit."""

from __future__ import annotations

import hashlib

from shared_schema.ids import SignalId
from shared_schema.messages import OrderSignal, Received, signal_digest
from shared_schema.messages.record import UNSIGNED
from windows_side.brokers.port import AccountState, OrderRequest
from windows_side.execution.actions import Archive, CopyToQuarantine, MoveToQuarantine, Submit
from windows_side.execution.cancels import Cancels
from windows_side.execution.desk import Desk
from windows_side.execution.events import FileSeen
from windows_side.execution.intake import KeepApart, LeaveAlone, RefusedFile, SignalFile
from windows_side.execution.known_ids import UNUSABLE, KnownIds
from windows_side.execution.order import Order
from windows_side.execution.order_gate import OrderGate
from windows_side.execution.origin import Origin
from windows_side.execution.quote_board import QuoteBoard
from windows_side.execution.refusal_words import sentence_of, why_unusable
from windows_side.execution.risk_gate import Refusal
from windows_side.execution.states import OrderEvent
from windows_side.execution.tags import tag_of
from windows_side.execution.writers_link import WritersLink


class Admission:
    """Decides about every file a scan finds, and about the orders that wait for their turn."""

    def __init__(
        self,
        desk: Desk,
        quotes: QuoteBoard,
        cancels: Cancels,
        origin: Origin,
        links: WritersLink | None = None,
    ) -> None:
        self._desk = desk
        self._quotes = quotes
        self._cancels = cancels
        self._links = links or WritersLink(desk)
        self._origin = origin
        self._known = KnownIds(desk)
        self._gate = OrderGate(desk, quotes, self._links)
        self._said: set[tuple[str, str]] = set()

    # Files

    def file_seen(
        self, event: FileSeen, *, ready: bool, account: AccountState | None, asked_at: float
    ) -> None:
        """Take, refuse, keep apart or leave alone one file."""
        name = event.name.text
        match event.intake:
            case LeaveAlone(reason):
                if reason:
                    self._say_once(name, reason)
            case KeepApart(reason, copy, problem):
                if reason["reason"] not in UNSIGNED:
                    self._desk.alarm("quarantined", file=name, reason=why_unusable(problem))
                elif not self._said_already("not_signed", name):
                    # Once: the very file is moved away later, and a sender without the key may repeat itself.
                    self._desk.alarm("not_signed", file=name)
                self._desk.do(
                    CopyToQuarantine(name, event.raw, reason) if copy else MoveToQuarantine(name, reason)
                )
            case RefusedFile(signal_id, error, executor):
                if self._origin.is_elsewhere(executor):
                    self._say_once(name, "addressed_elsewhere", executor=executor)  # wrong or not: not ours
                else:
                    self._refused_file(name, event.raw, signal_id, error.error_code, str(error))
            case SignalFile(received):
                self._signal(name, received, event.file_time, ready, account, asked_at)

    def _refused_file(self, name: str, raw: bytes, signal_id: SignalId, code: str, sentence: str) -> None:
        if self._known.takes_unusable(name, signal_id):
            return
        if self._desk.is_held:
            self._say_once(name, "held_back", signal_id=signal_id)
            return
        now = self._desk.now
        digest = UNUSABLE + hashlib.sha256(raw).hexdigest()
        order = Order(signal_id, digest, None, "received", now.wall, now.market, self._desk.trading_day)
        self._refuse(order, code, sentence)
        self._desk.do(Archive(name, signal_id))

    def _signal(
        self,
        name: str,
        received: Received[OrderSignal],
        file_time: float,
        ready: bool,
        account: AccountState | None,
        asked_at: float,
    ) -> None:
        signal = received.body
        if self._known.takes(name, received):
            return
        if self._origin.is_elsewhere(signal.executor):
            self._say_once(name, "addressed_elsewhere", executor=signal.executor)
            return
        if self._desk.is_held:
            # Refusing it would be a lie where the lost part of the ledger has executed it.
            self._say_once(name, "held_back", signal_id=signal.signal_id)
            return
        if signal.timestamp < self._desk.doubt_before:
            self._doubtful(name, self._row(received, file_time))
            return
        order = self._row(received, file_time)
        late = self._late(order)
        expired = late > 0 and not signal.is_cancel
        refused_now = expired or (self._desk.halt.is_halted and not signal.is_cancel)
        if not ready and not refused_now:
            return  # it stays in the folder until the broker is ready, or until it expires
        refusal = self._origin.refusal(received)
        if refusal is not None:
            self._refuse(order, refusal.error_code, sentence_of(refusal))
        elif signal.is_cancel:
            self._cancels.take(order)
        elif self._cancels.waits_for(order):
            self._cancels.settle_unplaced(order)
        elif expired:
            self._end(order, OrderEvent.EXPIRE, "expired", seconds=round(late))
        elif self._desk.halt.is_halted:
            self._refuse(order, "halted", sentence_of(Refusal("halted", {"reason": self._desk.halt.reason})))
        else:
            self._admit(order, account, asked_at)
        self._desk.do(Archive(name, order.signal_id))

    def _doubtful(self, name: str, order: Order) -> None:
        """Decided while the ledger's memory is missing: it may be at the broker already (I1 before I2)."""
        now = self._desk.now
        if order.is_cancel:
            self._cancels.take(order)
        else:
            doubted = order.changed(tag=tag_of(self._desk.rules.account, order.signal_day, order.signal_id))
            unknown = self._desk.store(
                doubted.after(OrderEvent.DOUBT),
                "doubtful",
                intent_at=now.wall,
                calling_at=now.wall,
                calling_market=now.market,
                unclear_at=now.wall,
            )
            self._desk.alarm("order_unknown", signal_id=order.signal_id, sentence=unknown.message)
        self._desk.do(Archive(name, order.signal_id))

    def _row(self, received: Received[OrderSignal], file_time: float) -> Order:
        now, envelope, signal = self._desk.now, received.envelope, received.body
        day = self._desk.trading_day
        return Order(
            signal_id=signal.signal_id,
            digest=signal_digest(signal, envelope),
            signal=signal,
            state="received",
            received_at=now.wall,
            received_market=now.market,
            trading_day=day,
            signal_day=envelope.trading_day if envelope else day,
            version=received.version,
            writer=envelope.writer if envelope else "",
            signal_epoch=envelope.epoch if envelope else None,
            signal_seq=envelope.seq if envelope else None,
            tag=tag_of(self._desk.rules.account, day, signal.signal_id),
            file_time=file_time,
        )

    # Orders

    def _admit(self, order: Order, account: AccountState | None, asked_at: float) -> None:
        refusal = self._gate.refusal(order, account, asked_at)
        if refusal is not None:
            self._refuse(order, refusal.error_code, sentence_of(refusal))
            return
        waiting = len(self._desk.book.waiting())
        intended = order.after(
            OrderEvent.ADMIT, intent_at=self._desk.now.wall, arrival_price=self._arrival_price(order)
        )
        if waiting == 0:
            self._said.discard(("orders", "queue_full"))
        if waiting == 0 and self._may_call():
            self._call(intended)
        elif waiting < self._desk.rules.limits.waiting:
            self._desk.store(intended, "waits_its_turn")
        else:
            limit = self._desk.rules.limits.waiting
            if not self._said_already("orders", "queue_full"):
                self._desk.alarm("queue_full", limit=limit)
            self._refuse(order, "queue_full", sentence_of(Refusal("queue_full", {"limit": limit})))

    def _arrival_price(self, order: Order) -> float:
        """What slippage is counted from at day's end, yuan; 0 without a fresh quote."""
        if order.signal is None:
            return 0.0
        code = order.signal.code
        quote, age = self._quotes.quote(code), self._quotes.age(code, self._desk.now)
        return quote.price if quote and age <= self._desk.rules.limits.max_quote_age_seconds else 0.0

    def _call(self, order: Order) -> None:
        signal = order.signal
        if signal is None:
            raise ValueError(f"{order.signal_id} has no signal to place")
        now = self._desk.now
        self._desk.book.calls.begin(order.signal_id, now.wall)
        self._gate.passed(order, now.market)
        self._desk.store(
            order.after(OrderEvent.CALL), "calling", calling_at=now.wall, calling_market=now.market
        )
        request = OrderRequest(
            signal_id=order.signal_id,
            tag=order.tag,
            code=signal.code,
            direction=signal.direction,
            shares=signal.shares,
            price=signal.price,
            strategy=signal.strategy or "",
        )
        self._desk.do(Submit(request, signal.deadline - self._links.ahead(order.writer)))

    def release_waiting(self, account: AccountState | None, asked_at: float) -> None:
        """Hand waiting orders in as their turn comes, after a second look at the gate."""
        for order in self._desk.book.waiting():
            if not self._may_call():
                return
            refusal = self._gate.refusal(order, account, asked_at)
            if self._desk.halt.is_halted:
                refusal = Refusal("halted", {"reason": self._desk.halt.reason})
            if refusal is not None:
                self._refuse(order, refusal.error_code, sentence_of(refusal))
            else:
                self._call(order)

    def expire_waiting(self) -> None:
        """End waiting orders whose time is over; under a halt all of them."""
        for order in self._desk.book.waiting():
            if self._desk.halt.is_halted:
                self._refuse(
                    order, "halted", sentence_of(Refusal("halted", {"reason": self._desk.halt.reason}))
                )
            elif order.signal is not None and (late := self._late(order)) > 0:
                self._end(order, OrderEvent.EXPIRE, "expired", seconds=round(late))

    def _late(self, order: Order) -> float:
        """Seconds since the order expired, on its writer's clock as ours knows it; negative before."""
        deadline = order.signal.deadline if order.signal is not None else self._desk.now.wall
        return self._desk.now.wall + self._links.ahead(order.writer) - deadline

    def _may_call(self) -> bool:
        under_way_or_of_late = self._desk.book.calls.count(self._desk.now.wall)
        return under_way_or_of_late < self._desk.rules.limits.orders_per_second

    def _refuse(self, order: Order, code: str, sentence: str) -> None:
        event = OrderEvent.EXPIRE if code == "expired" else OrderEvent.REFUSE
        self._desk.store(order.after(event), "refused", code, error_code=code, message=sentence)
        self._desk.say("refused", signal_id=order.signal_id, error_code=code, sentence=sentence)

    def _end(self, order: Order, event: OrderEvent, code: str, **values: object) -> None:
        sentence = sentence_of(Refusal(code, values))
        self._desk.store(order.after(event), code, error_code=code, message=sentence)

    def _say_once(self, name: str, action: str, **fields: object) -> None:
        if not self._said_already(name, action):
            self._desk.alarm(action, file=name, **fields)

    def _said_already(self, what: str, action: str) -> bool:
        key = (what, action)
        if key in self._said:
            return True
        self._said.add(key)
        return False
