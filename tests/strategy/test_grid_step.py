"""The risk: the order within one step. Small scripted situations, one rule each."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from mac_side.strategy.grid_step import (
    NOTHING,
    Buy,
    GridState,
    Market,
    Sell,
    after_buy,
    after_sell,
    decide,
    start_state,
)
from mac_side.strategy.lots import Lot
from mac_side.strategy.parameters import GridParameters

PLAIN = GridParameters(
    atr_grid_factor=0.0, grid_step_floor=0.01, layer_step_bonus=0.0, sell_threshold_factor=1.0
)
"""A step of exactly 1 %, sells at 0.5 %."""


def market(price: float, **others: object) -> Market:
    return replace_market(Market(price, 0.001, 0.001, 0, 50.0, 100, 10 * 60), others)


def replace_market(base: Market, others: dict[str, object]) -> Market:
    return base._replace(**others)  # type: ignore[arg-type]


def lot(price: float, shares: int = 1000) -> Lot:
    return Lot(shares, shares * price, price)


def test_a_fall_of_one_step_buys_the_first_layer() -> None:
    """At anchor x (1 - step) a buy of the layer's money in whole hundreds; a tick above nothing."""
    assert decide(start_state(1.0), market(0.991), PLAIN) is NOTHING
    decision = decide(start_state(1.0), market(0.99), PLAIN)
    assert decision.intents == (Buy(0, 22_400, 0.99),)


def test_lots_in_profit_go_as_one_sell_oldest_first_and_the_anchor_stays() -> None:
    """A partial sale moves neither anchor nor cooling clock."""
    state = GridState((lot(1.0), lot(0.99), lot(0.98)), anchor=0.98)
    (sell,) = decide(state, market(0.996), PLAIN).intents
    assert isinstance(sell, Sell)
    assert (sell.positions, sell.shares, sell.reason) == ((1, 2), 2000, "lot_profit")
    after = after_sell(state, sell, bar=100)
    assert after == GridState((lot(1.0),), anchor=0.98, flat_bar=None)


def test_the_last_lot_moves_anchor_and_cooling_clock() -> None:
    """Flat: the anchor is the selling price and the clock starts at that bar."""
    state = GridState((lot(1.0),), anchor=1.0)
    (sell,) = decide(state, market(1.01), PLAIN).intents
    assert after_sell(state, sell, bar=7) == GridState((), anchor=1.01, flat_bar=7)  # type: ignore[arg-type]


def test_cooling_is_shorter_when_rsi_is_low() -> None:
    """15 bars after flat, 5 below RSI 35; the bar that completes the wait may buy."""
    state = GridState((), anchor=1.0, flat_bar=100)
    for bar, rsi, buys in (
        (104, 30, False),
        (105, 30, True),
        (105, 35, False),
        (114, 50, False),
        (115, 50, True),
    ):
        decision = decide(state, market(0.98, bar=bar, rsi=float(rsi)), PLAIN)
        assert bool(decision.intents) is buys, (bar, rsi)


def test_the_breaker_is_strict_and_stops_buys_only() -> None:
    """ATR at exactly twice its mean does not pause; above it nothing is bought, a profit is still taken."""
    assert decide(start_state(1.0), market(0.98, atr=0.002), PLAIN).intents
    held_back = decide(start_state(1.0), market(0.98, atr=0.0021), PLAIN)
    assert (held_back.intents, held_back.paused) == ((), True)
    state = GridState((lot(0.9),), anchor=0.9)
    assert decide(state, market(1.0, atr=0.0021), PLAIN).intents


def test_trigger_is_judged_before_the_sells_and_room_after_them() -> None:
    """A float-loss stop at a price below the old anchor buys again in the same step, first layer."""
    stop = replace(PLAIN, enable_float_loss_stop=True, max_cycle_float_loss=50.0, cooling_enabled=False)
    state = GridState((lot(1.0), lot(0.99)), anchor=0.99)
    sell, buy = decide(state, market(0.96), stop).intents
    assert isinstance(sell, Sell)
    assert sell.reason == "max_float_loss"
    assert isinstance(buy, Buy)
    assert buy.layer == 0


def test_the_float_loss_stop_is_strict() -> None:
    """A loss of exactly the limit does not stop."""
    stop = replace(PLAIN, enable_float_loss_stop=True, max_cycle_float_loss=512.0)
    state = GridState((Lot(1024, 1024.0, 1.0),), anchor=0.1)
    assert decide(state, market(0.5), stop).intents == ()
    assert decide(state, market(0.499), stop).intents


def test_full_layers_are_counted_and_buy_nothing() -> None:
    """With every layer held a triggered buy is only counted."""
    parameters = replace(PLAIN, max_layers=1)
    decision = decide(GridState((lot(1.0),), anchor=1.0), market(0.9), parameters)
    assert (decision.intents, decision.full) == ((), True)


def test_too_little_money_changes_nothing() -> None:
    """Zero shares is no buy: the anchor stays where it is."""
    assert decide(start_state(1000.0), market(900.0), PLAIN).intents == ()


@pytest.mark.parametrize("price", [0.0, -1.0, math.nan, math.inf])
def test_a_price_that_is_no_price_trades_nothing(price: float) -> None:
    """Zero, negative, NaN and infinite prices decide nothing, whatever is held."""
    assert decide(GridState((lot(1.0),), anchor=1.0), market(price), PLAIN) is NOTHING


def test_sellable_shares_bound_every_sell() -> None:
    """With T+1 only lots that fit whole into the sellable shares go, oldest first."""
    state = GridState((lot(0.9, 500), lot(0.9, 2000), lot(0.9, 300)), anchor=0.9)
    (sell,) = decide(state, market(1.0, sellable=900), PLAIN).intents
    assert isinstance(sell, Sell)
    assert sell.positions == (0, 2)
    assert decide(state, market(1.0, sellable=0), PLAIN).intents == ()


def test_the_cap_counts_what_the_lots_cost() -> None:
    """A buy that would bring the cost above the cap is not made; at the cap it is."""
    state = GridState((lot(1.0, 10_000),), anchor=1.0)
    buy = decide(state, market(0.9), PLAIN).intents[0]
    assert isinstance(buy, Buy)
    exact = 10_000.0 + buy.shares * 0.9
    assert decide(state, market(0.9), replace(PLAIN, nominal_cap=exact)).intents
    assert decide(state, market(0.9), replace(PLAIN, nominal_cap=exact - 1)).intents == ()


def test_a_filled_buy_is_the_last_lot_and_the_anchor() -> None:
    """The lot keeps shares, cost without fees, price and the id its pool money runs under."""
    state = after_buy(GridState((lot(1.0),), anchor=1.0), Buy(1, 200, 0.9), "BUY_1")
    assert state.lots[-1] == Lot(200, 180.0, 0.9, "BUY_1")
    assert state.anchor == 0.9
