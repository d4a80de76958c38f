"""The one step of the grid: what to sell and buy at this price, and the state after a fill.

Pure: no file, no clock, no randomness. The backtest fills what is decided at once, at the same
price; the live engine sends it and applies the results later. Both call ``decide`` and nothing else
decides. The order within one step is that of strategy.md, and it matters: the step width and the
trigger use layers and anchor from before the sells, the room for a buy is judged after them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from mac_side.strategy.lots import Lot, cost_of, shares_of
from mac_side.strategy.parameters import GridParameters, TrendFactors

SellReason = Literal["lot_profit", "max_float_loss", "take_profit"]

CLOSES_SEEN = 80
"""Closes a step of one's own sees: as many as a feed must have before anything is decided."""
_OPEN, _QUIET_OPEN_ENDS, _QUIET_CLOSE_BEGINS = 9 * 60 + 30, 9 * 60 + 45, 14 * 60 + 45


class Market(NamedTuple):
    """What one step sees of the market. Prices and ATR in yuan.

    ``bar`` is any count that rises by one a trading minute (lunch and night do not count);
    ``minute`` is the minute of the day in Shanghai; ``trend`` and ``higher_trend`` are signs
    (1 up, -1 down, 0 neutral or missing); ``sellable`` bounds the sells in shares, None does not.
    """

    price: float
    atr: float
    atr_mean: float
    trend: int
    rsi: float
    bar: int
    minute: int
    higher_trend: int = 0
    sellable: int | None = None
    closes: Sequence[float] = ()
    """The last ``CLOSES_SEEN`` closes in yuan, oldest first, for steps of one's own; the grid needs none."""


@dataclass(frozen=True, slots=True)
class GridState:
    """The strategy's memory: lots held (oldest first), the anchor in yuan, the bar it last became flat."""

    lots: tuple[Lot, ...]
    anchor: float
    flat_bar: int | None = None

    @property
    def layers(self) -> int:
        """Layers held: one a lot."""
        return len(self.lots)

    @property
    def shares(self) -> int:
        """Shares held by all lots."""
        return shares_of(self.lots)

    @property
    def cost(self) -> float:
        """What the lots cost, yuan without fees."""
        return cost_of(self.lots)


@dataclass(frozen=True, slots=True)
class Buy:
    """An intended buy: it opens layer ``layer`` (0 is the first) with ``shares`` at ``price`` yuan."""

    layer: int
    shares: int
    price: float


@dataclass(frozen=True, slots=True)
class Sell:
    """An intended sell of whole lots at ``price`` yuan, oldest first, sent as one signal.

    ``positions`` are the places of ``lots`` in the state the decision was made on.
    """

    positions: tuple[int, ...]
    lots: tuple[Lot, ...]
    price: float
    reason: SellReason

    @property
    def shares(self) -> int:
        """Shares of all its lots."""
        return shares_of(self.lots)


Intent = Buy | Sell


class Decision(NamedTuple):
    """What a step wants, the sell before the buy, and two things worth counting.

    ``full``: it would have bought but every layer was held. ``paused``: the ATR breaker held a buy back.
    """

    intents: tuple[Intent, ...] = ()
    full: bool = False
    paused: bool = False


NOTHING = Decision()
Decide = Callable[["GridState", "Market", GridParameters], Decision]
"""A step: what the engine and the backtest call at each bar. Pure."""


def start_state(price: float) -> GridState:
    """The state before the first step: flat, anchored at ``price`` yuan, never cooled."""
    return GridState(lots=(), anchor=price)


def decide(state: GridState, market: Market, parameters: GridParameters) -> Decision:
    """One step: the sell, if any, then the buy, if any. A price that is no price trades nothing."""
    price = market.price
    if not 0.0 < price < math.inf:
        return NOTHING
    trend = market.trend
    if parameters.mtf_enabled and trend != market.higher_trend:
        trend = 0
    factors = parameters.trend_factors[trend]
    base = max(parameters.grid_step_floor, market.atr / price * parameters.atr_grid_factor) * factors.grid
    step = base + len(state.lots) * parameters.layer_step_bonus
    paused = (
        parameters.atr_circuit_breaker_enabled
        and market.atr > parameters.atr_circuit_breaker_ratio * market.atr_mean
    )
    triggered = price <= state.anchor * (1 - step * parameters.buy_step_factor)
    held_back = paused and len(state.lots) < parameters.layers and price <= state.anchor * (1 - step)

    sell = _sell(state, market, parameters, factors) if state.lots else None
    if sell is not None:
        state = after_sell(state, sell, market.bar)
    if not triggered:
        return NOTHING if sell is None and not held_back else Decision(_both(sell, None), False, held_back)
    if len(state.lots) >= parameters.layers:
        return Decision(_both(sell, None), True, held_back)
    buy = None if paused else _buy(state, market, parameters, factors)
    return Decision(_both(sell, buy), False, held_back)


def after_buy(state: GridState, buy: Buy, client_order_id: str = "") -> GridState:
    """The state once ``buy`` is filled in full: its lot last, the anchor at its price."""
    lot = Lot(buy.shares, buy.shares * buy.price, buy.price, client_order_id)
    return replace(state, lots=(*state.lots, lot), anchor=buy.price)


def after_sell(state: GridState, sell: Sell, bar: int) -> GridState:
    """The state once ``sell`` is filled in full at the bar numbered ``bar``.

    Only when the last lot goes does the anchor move (to the price) and the cooling clock start:
    a partial sale leaves the anchor at the last buy.
    """
    gone = set(sell.positions)
    kept = tuple(lot for position, lot in enumerate(state.lots) if position not in gone)
    if kept:
        return replace(state, lots=kept)
    return GridState(lots=(), anchor=sell.price, flat_bar=bar)


def _sell(state: GridState, market: Market, parameters: GridParameters, factors: TrendFactors) -> Sell | None:
    """The sell of this step: the float-loss stop first, else single lots or the whole position."""
    price = market.price
    target = 1 + parameters.sell_profit_threshold * factors.sell * parameters.sell_threshold_factor
    reason: SellReason = "lot_profit"
    every = range(len(state.lots))
    wanted: list[int] = []
    if parameters.enable_float_loss_stop and (
        state.shares * price - state.cost < -parameters.max_cycle_float_loss
    ):
        wanted, reason = list(every), "max_float_loss"
    elif parameters.sell_by_lot:
        wanted = [place for place in every if price >= state.lots[place].buy_price * target]
    elif parameters.whole_exit and state.shares * price >= state.cost * target:
        wanted, reason = list(every), "take_profit"
    if market.sellable is not None:
        wanted = _within(wanted, state.lots, market.sellable)
    if not wanted:
        return None
    return Sell(tuple(wanted), tuple(state.lots[place] for place in wanted), price, reason)


def _within(wanted: list[int], lots: tuple[Lot, ...], sellable: int) -> list[int]:
    """Of the ``wanted`` lots, oldest first, those that fit whole into ``sellable`` shares."""
    fitting = []
    for place in wanted:
        if lots[place].shares <= sellable:
            fitting.append(place)
            sellable -= lots[place].shares
    return fitting


def _buy(state: GridState, market: Market, parameters: GridParameters, factors: TrendFactors) -> Buy | None:
    """The buy of this step, already triggered and not paused, with ``state`` as the sells left it."""
    layer = len(state.lots)
    if parameters.time_filter_enabled and _quiet_time(market.minute, first_layer=layer == 0):
        return None
    if layer == 0 and (_cooling(state, market, parameters) or _gated(market, parameters)):
        return None
    price = market.price
    shares = int(parameters.layer_money[layer] * factors.money / price // 100) * 100
    if shares <= 0:
        return None
    if parameters.nominal_cap and state.cost + shares * price > parameters.nominal_cap:
        return None
    return Buy(layer, shares, price)


def _quiet_time(minute: int, first_layer: bool) -> bool:
    if minute >= _QUIET_CLOSE_BEGINS:
        return True
    return first_layer and _OPEN <= minute < _QUIET_OPEN_ENDS


def _cooling(state: GridState, market: Market, parameters: GridParameters) -> bool:
    if not parameters.cooling_enabled or state.flat_bar is None:
        return False
    short = parameters.cooling_rsi_enabled and market.rsi < parameters.rsi_cooling_threshold
    wait = parameters.cooling_bars_short if short else parameters.cooling_bars
    return market.bar - state.flat_bar < wait


def _gated(market: Market, parameters: GridParameters) -> bool:
    return parameters.rsi_gate_enabled and market.rsi > parameters.rsi_gate


def _both(sell: Sell | None, buy: Buy | None) -> tuple[Intent, ...]:
    return tuple(intent for intent in (sell, buy) if intent is not None)
