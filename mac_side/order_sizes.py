"""How large or small an order of the live engine may be: the host's limits and the exchange's. Pure.

The step and the backtest know no such limits; what is above one goes as several orders of the same moment.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mac_side.books import Lot
from mac_side.strategy.grid_step import Buy, Decision, GridState, Market, Sell, decide
from mac_side.strategy.parameters import GridParameters
from shared_schema.instruments import Instrument


@dataclass(frozen=True)
class SellLimits:
    """The most one sell may carry, in shares and yuan; by default nothing is too much."""

    shares: float = math.inf
    yuan: float = math.inf

    def of(self, rules: Instrument) -> SellLimits:
        """These, and the exchange's own largest order."""
        return replace(self, shares=min(self.shares, rules.max_order))

    def takes(self, shares: int, price: float) -> bool:
        """Whether one sell of ``shares`` at ``price`` yuan is within both, as the risk gate reckons."""
        amount = shares * price
        return shares <= self.shares and max(amount, round(amount, 4)) <= self.yuan


def one_sell(
    lots: Sequence[Lot], places: Sequence[int], price: float, limits: SellLimits
) -> tuple[int, ...]:
    """Of the lots at ``places``, in this order, those that fit whole into one sell."""
    fitting: list[int] = []
    shares = 0
    for place in places:
        if limits.takes(shares + lots[place].shares, price):
            fitting.append(place)
            shares += lots[place].shares
    return tuple(fitting)


def money_too_small(
    decision: Decision, state: GridState, market: Market, parameters: GridParameters, rules: Instrument
) -> float | None:
    """Yuan of the layer that the grid would buy now, had it enough for the smallest order; None otherwise.

    ``decision`` is what the step wants. The step is asked once more with all the money there could be, so
    that the trigger, the cooling and every other reason not to buy are the step's own.
    """
    if decision.paused or decision.full or len(state.lots) >= parameters.layers:
        return None
    if any(isinstance(intent, Sell) or intent.shares >= rules.min_buy for intent in decision.intents):
        return None
    neutral = parameters.mtf_enabled and market.trend != market.higher_trend
    factor = parameters.trend_factors[0 if neutral else market.trend].money
    money = parameters.layer_money[len(state.lots)] * factor
    if money >= rules.min_buy * market.price:
        return None
    rich = replace(parameters, batch_money=1e9, unlimited_money=1e9, nominal_cap=0.0)
    wanted = any(isinstance(intent, Buy) for intent in decide(state, market, rich).intents)
    return money if wanted else None
