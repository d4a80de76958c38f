"""What the calls to the broker came back with: placed, refused for sure, or nothing to rely on."""

from __future__ import annotations

from shared_schema.words import say
from windows_side.brokers.port import (
    CancelReturned,
    Placed,
    Refused,
    SubmitOverran,
    SubmitReturned,
    SubmitTurnedBack,
    Unclear,
)
from windows_side.execution.actions import AskDay
from windows_side.execution.broker_desk import BrokerDesk
from windows_side.execution.desk import Desk
from windows_side.execution.states import OrderEvent

TURNED_BACK = {
    "halt": (OrderEvent.TURN_BACK_HALT, "halted"),
    "expired": (OrderEvent.TURN_BACK_EXPIRED, "expired"),
    "outside_session": (OrderEvent.TURN_BACK_SESSION, "outside_session"),
}


class CallAnswers:
    """Applies the answers of the place and cancel calls."""

    def __init__(self, desk: Desk, broker: BrokerDesk) -> None:
        self._desk = desk
        self._broker = broker

    def submit_returned(self, event: SubmitReturned) -> None:
        """The place call came back, in time or late."""
        order = self._desk.book.get(event.signal_id)
        if order is None:
            self._desk.alarm("answer_without_order", signal_id=event.signal_id)
            return
        answer = event.answer
        if isinstance(answer, Placed):
            self._broker.placed(order, answer.order_id)
        elif isinstance(answer, Refused):
            if order.order_id:
                self._broker.doubts.impossible(order, "refused_yet_seen", order_id=order.order_id)
            elif order.may(OrderEvent.REFUSED_FOR_SURE):
                self._desk.store(
                    order.after(OrderEvent.REFUSED_FOR_SURE),
                    "refused_by_broker",
                    answer.code,
                    error_code="refused_by_broker",
                    broker_message=answer.message,
                    message=answer.message,
                )
        else:
            self._broker.doubts.unclear(order, answer)

    def submit_overran(self, event: SubmitOverran) -> None:
        """The place call did not come back in time: unknown, never failed."""
        order = self._desk.book.get(event.signal_id)
        if order is not None and order.state == "submitted":
            self._broker.doubts.unclear(order, Unclear("no answer within the deadline"))

    def turned_back(self, event: SubmitTurnedBack) -> None:
        """The worker stopped directly before the call: positive proof that nothing was placed."""
        order = self._desk.book.get(event.signal_id)
        happened, code = TURNED_BACK.get(event.reason, (OrderEvent.PROVEN_ABSENT, "not_placed"))
        if order is None or not order.may(happened):
            return
        sentence = say(f"executor.turned_back_{code}")
        self._desk.store(
            order.after(happened), "turned_back", event.reason, error_code=code, message=sentence
        )

    def cancel_returned(self, event: CancelReturned) -> None:
        """A cancel was taken or not; the order's own updates tell the rest."""
        order = self._desk.book.by_order_id(event.order_id)
        if order is not None and not event.accepted:
            self._desk.say("cancel_refused", signal_id=order.signal_id, detail=event.message)
            self._desk.do(AskDay())
