"""The order's life as data: which event leads from which state to which; every other pair raises."""

from __future__ import annotations

from enum import Enum

from shared_schema.errors import StateError
from shared_schema.messages.result import State


class OrderEvent(Enum):
    """What can happen to one signal's order."""

    REFUSE = "refuse"
    EXPIRE = "expire"
    CANCEL_FIRST = "cancel came before the order"
    ADMIT = "admit"
    CALL = "call"
    """The CALLING mark is durable; the native call follows."""
    TURN_BACK_HALT = "turned back by a halt"
    TURN_BACK_EXPIRED = "turned back by expiry"
    TURN_BACK_SESSION = "turned back outside the session"
    REFUSED_FOR_SURE = "refused by the broker for sure"
    NO_ANSWER = "no usable answer"
    LIVE = "seen live at the broker"
    FILL_PART = "filled in part"
    FILL_ALL = "filled"
    END_EMPTY = "ended without a fill"
    END_PARTLY = "ended with a part filled"
    JUNK = "rejected at the counter"
    PROVEN_ABSENT = "proven never placed"
    DAY_GONE = "its day ended before its end was seen"
    """The broker lists the running day alone, and may give the order's id again."""
    DOUBT = "in the time a lost ledger can't tell of"
    """It may have been handed to the broker by a run whose record is gone."""


_E = OrderEvent

TRANSITIONS: dict[tuple[State, OrderEvent], State] = {
    # Before anything was said to the broker.
    ("received", _E.REFUSE): "rejected",
    ("received", _E.EXPIRE): "expired",
    ("received", _E.CANCEL_FIRST): "cancelled",
    ("received", _E.ADMIT): "accepted",
    ("received", _E.DOUBT): "unknown",
    # INTENT is durable, the order waits for its turn: the broker was not called, so it may still end here.
    ("accepted", _E.CALL): "submitted",
    ("accepted", _E.REFUSE): "rejected",
    ("accepted", _E.EXPIRE): "expired",
    ("accepted", _E.CANCEL_FIRST): "cancelled",
    ("accepted", _E.PROVEN_ABSENT): "not_placed",
    # A ledger that was put back shows no CALLING mark because it lost it: that proves nothing.
    ("accepted", _E.DOUBT): "unknown",
    # CALLING is durable: only the broker, or the worker's own turning back, can end it.
    ("submitted", _E.TURN_BACK_HALT): "rejected",
    ("submitted", _E.TURN_BACK_EXPIRED): "expired",
    ("submitted", _E.TURN_BACK_SESSION): "rejected",
    ("submitted", _E.REFUSED_FOR_SURE): "refused_by_broker",
    ("submitted", _E.NO_ANSWER): "unknown",
    ("submitted", _E.LIVE): "submitted",
    ("submitted", _E.FILL_PART): "partly_filled",
    ("submitted", _E.FILL_ALL): "filled",
    ("submitted", _E.END_EMPTY): "cancelled",
    ("submitted", _E.END_PARTLY): "partly_cancelled",
    ("submitted", _E.JUNK): "refused_by_broker",
    ("submitted", _E.PROVEN_ABSENT): "not_placed",
    ("submitted", _E.DAY_GONE): "unknown",
    # A bare "no answer" after the order was seen or filled changes nothing: it is at the broker.
    ("partly_filled", _E.NO_ANSWER): "partly_filled",
    ("partly_filled", _E.LIVE): "partly_filled",
    ("partly_filled", _E.FILL_PART): "partly_filled",
    ("partly_filled", _E.FILL_ALL): "filled",
    ("partly_filled", _E.END_PARTLY): "partly_cancelled",
    ("partly_filled", _E.JUNK): "partly_cancelled",
    ("partly_filled", _E.DAY_GONE): "unknown",
    # Unknown ends only by being seen or by proof; a late definite refusal is a proof of the broker's own.
    ("unknown", _E.NO_ANSWER): "unknown",
    ("unknown", _E.LIVE): "submitted",
    ("unknown", _E.FILL_PART): "partly_filled",
    ("unknown", _E.FILL_ALL): "filled",
    ("unknown", _E.END_EMPTY): "cancelled",
    ("unknown", _E.END_PARTLY): "partly_cancelled",
    ("unknown", _E.JUNK): "refused_by_broker",
    ("unknown", _E.REFUSED_FOR_SURE): "refused_by_broker",
    ("unknown", _E.TURN_BACK_HALT): "rejected",
    ("unknown", _E.TURN_BACK_EXPIRED): "expired",
    ("unknown", _E.TURN_BACK_SESSION): "rejected",
    ("unknown", _E.PROVEN_ABSENT): "not_placed",
    # Trades that come after the end still count (the revision rises with an alarm).
    ("cancelled", _E.FILL_PART): "partly_cancelled",
    ("cancelled", _E.FILL_ALL): "filled",
    ("partly_cancelled", _E.FILL_PART): "partly_cancelled",
    ("partly_cancelled", _E.FILL_ALL): "filled",
    ("refused_by_broker", _E.FILL_PART): "partly_cancelled",
    ("refused_by_broker", _E.FILL_ALL): "filled",
    ("not_placed", _E.FILL_PART): "partly_cancelled",
    ("not_placed", _E.FILL_ALL): "filled",
}


def next_state(state: State, event: OrderEvent) -> State:
    """The state after ``event``; raises StateError for a pair that can't be."""
    try:
        return TRANSITIONS[(state, event)]
    except KeyError:
        raise StateError("executor.impossible_event", state, event=event.value) from None
