"""The table of an order's life is closed: nothing is unreachable and nothing comes back to life."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest

from shared_schema.errors import StateError
from shared_schema.messages import TERMINAL_STATES, State
from windows_side.execution.states import TRANSITIONS, OrderEvent, next_state

STATES: tuple[State, ...] = get_args(State)
FILLS = {OrderEvent.FILL_PART, OrderEvent.FILL_ALL}


def test_every_state_is_reached_from_received() -> None:
    """No state of the contract is dead."""
    reached = {"received"}
    while True:
        more = {after for (before, _), after in TRANSITIONS.items() if before in reached} - reached
        if not more:
            break
        reached |= more
    assert reached == set(STATES)


def test_an_end_is_left_only_by_a_late_fill_and_only_for_another_end() -> None:
    """Trades that come after the end count; nothing else changes it."""
    for (before, event), after in TRANSITIONS.items():
        if before in TERMINAL_STATES:
            assert event in FILLS and after in TERMINAL_STATES, (before, event, after)
    assert not any(before == "filled" for before, _ in TRANSITIONS)


def test_what_was_called_never_goes_back_to_uncalled() -> None:
    """From CALLING on neither "received" nor "accepted" comes again: no machine could submit it anew."""
    for (before, _), after in TRANSITIONS.items():
        if before not in ("received", "accepted"):
            assert after not in ("received", "accepted"), (before, after)


def test_unknown_is_left_only_by_sight_or_proof() -> None:
    """I4: no timer, halt or silence ends an unknown order."""
    leaving = {event for (before, event), after in TRANSITIONS.items() if before == "unknown" != after}
    forbidden = {OrderEvent.REFUSE, OrderEvent.EXPIRE, OrderEvent.CANCEL_FIRST, OrderEvent.CALL}
    assert not leaving & (forbidden | {OrderEvent.NO_ANSWER})


@pytest.mark.parametrize("state", STATES)
def test_every_other_pair_raises(state: State) -> None:
    """What the table does not hold can't happen, and says so."""
    for event in OrderEvent:
        if (state, event) in TRANSITIONS:
            assert next_state(state, event) == TRANSITIONS[(state, event)]
        else:
            with pytest.raises(StateError) as raised:
                next_state(state, event)
            assert event.value in str(raised.value)


def test_the_table_names_only_known_states() -> None:
    """A misspelt state would be a trap door."""
    named = set(itertools.chain.from_iterable((before, after) for (before, _), after in TRANSITIONS.items()))
    assert named <= set(STATES)
