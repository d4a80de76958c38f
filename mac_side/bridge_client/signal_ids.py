"""Signal ids: readable, unique for ever (contract.md, order_signal)."""

from __future__ import annotations

from collections.abc import Callable

from shared_schema.ids import Code, Direction, Epoch, SignalId, StrategyName, permuted_digits

FIRST_STRATEGY = StrategyName("grid")
"""The strategy whose books are ``dashboard_state.json`` and who may use the slot ``order_signal.json``."""
_NAME_LIMIT = 36


def is_first(strategy: StrategyName) -> bool:
    """Whether ``strategy`` is the first one of its host."""
    return strategy == FIRST_STRATEGY


def signal_id(
    direction: Direction, code: Code, layer: int, counter: int, epoch: Epoch, strategy: StrategyName
) -> SignalId:
    """``BUY_159201.SZ_L1_1a2b3c4d``; every strategy but the first puts its name in place of the layer.

    ``layer`` counts from 1: the one a buy opens, or the layers held before a sell.
    """
    middle = f"L{layer}" if is_first(strategy) else strategy[:_NAME_LIMIT]
    return SignalId(f"{direction}_{code}_{middle}_{permuted_digits(counter, epoch)}")


def next_free(make: Callable[[int], SignalId], counter: int, is_taken: Callable[[SignalId], bool]) -> int:
    """The first counter from ``counter`` on whose id the folder does not know yet."""
    while is_taken(make(counter)):
        counter += 1
    return counter
