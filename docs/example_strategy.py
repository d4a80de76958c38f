"""An example of an own strategy: buys dips below the mean of the last hour, sells each lot at 0.4 % profit.

Not made to earn. It runs unchanged in the backtest, in simulation and live; see own_strategy.md.
"""

from __future__ import annotations

from mac_side.strategy.grid_step import Buy, Decision, GridState, Market, Sell
from mac_side.strategy.parameters import GridParameters

DIP, PROFIT, LAST_BUY = 0.002, 0.004, 14 * 60 + 30


def decide(state: GridState, market: Market, parameters: GridParameters) -> Decision:
    """What to do at this bar, from nothing but the arguments."""
    intents: list[Sell | Buy] = []
    sell = profitable(state, market)
    if sell is not None:
        intents.append(sell)
    held = state.layers - (len(sell.positions) if sell is not None else 0)
    mean = sum(market.closes[-60:]) / len(market.closes[-60:])
    dipped = market.price <= mean * (1 - DIP) and (held == 0 or market.price <= state.anchor * (1 - DIP))
    if dipped and held < parameters.layers and market.minute < LAST_BUY:
        shares = int(parameters.layer_money[held] / market.price // 100) * 100
        if shares > 0:
            intents.append(Buy(held, shares, market.price))
    return Decision(tuple(intents))


def profitable(state: GridState, market: Market) -> Sell | None:
    """The lots at their profit, oldest first, as far as they may be sold today."""
    left = market.sellable
    places = []
    for place, lot in enumerate(state.lots):
        if market.price >= lot.buy_price * (1 + PROFIT) and (left is None or lot.shares <= left):
            places.append(place)
            left = None if left is None else left - lot.shares
    if not places:
        return None
    return Sell(tuple(places), tuple(state.lots[place] for place in places), market.price, "lot_profit")
