"""strategy.md said once more, slowly and from scratch: plain lists, every indicator anew at every bar.

It shares no code with the product but the parameter names, so that a slip has to be made twice to pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

Row = tuple[datetime, float, float, float]
"""End of the minute in Shanghai, high, low, close."""


def simple_mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def true_range(rows: Sequence[Row], i: int) -> float:
    _, high, low, _ = rows[i]
    before = rows[i - 1][3]
    return max(high - low, abs(high - before), abs(low - before))


def atr_at(ranges: Sequence[float], i: int) -> float:
    return simple_mean(ranges[i - 13 : i + 1])


def rsi_at(closes: Sequence[float], i: int) -> float:
    moves = [closes[k] - closes[k - 1] for k in range(i - 13, i + 1)]
    up, down = math.fsum(m for m in moves if m > 0), -math.fsum(m for m in moves if m < 0)
    if down == 0:
        return 100.0
    return round(100 * up / (up + down), 9)


def slopes_of(closes: Sequence[float]) -> dict[int, float]:
    average = {i: simple_mean(closes[i - 59 : i + 1]) for i in range(59, len(closes))}
    smooth: dict[int, float] = {}
    for i in range(64, len(closes)):
        raw = (average[i] - average[i - 5]) / average[i - 5]
        smooth[i] = raw if i == 64 else (raw + smooth[i - 1]) / 2
    return smooth


def quarter(moment: datetime) -> tuple[Any, int]:
    return moment.date(), (moment.hour * 60 + moment.minute) // 15


def higher_signs(rows: Sequence[Row], lookahead: bool) -> list[int]:
    quarters: list[Any] = []
    closes: list[float] = []
    for moment, _, _, close in rows:
        if not quarters or quarters[-1] != quarter(moment):
            quarters.append(quarter(moment))
            closes.append(close)
        closes[-1] = close
    signs = []
    for moment, _, _, _ in rows:
        j = quarters.index(quarter(moment)) - (0 if lookahead else 1)
        if j < 21:
            signs.append(0)
            continue
        change = simple_mean(closes[j - 19 : j + 1]) - simple_mean(closes[j - 21 : j - 1])
        signs.append(0 if abs(change) < 1e-12 else 1 if change > 0 else -1)
    return signs


def run(rows: Sequence[Row], p: dict[str, Any]) -> tuple[list[tuple[Any, ...]], float, dict[str, int]]:
    """Trades (time, type, price, shares, reason), alpha in yuan, counts."""
    closes = [row[3] for row in rows]
    ranges = [math.nan] + [true_range(rows, i) for i in range(1, len(rows))]
    slopes = slopes_of(closes)
    atrs = {i: atr_at(ranges, i) for i in range(14, len(rows))}
    higher = higher_signs(rows, p["mtf_lookahead"]) if p["mtf_enabled"] else [0] * len(rows)
    rate = p["commission_rate"] + (0.0005 if p["stress_slippage_enabled"] else 0)
    most = 50 if p["unlimited_flow"] else p["max_layers"]
    weights = p["layer_weights"] or [1] * p["max_layers"]

    lots: list[tuple[int, float]] = []  # shares, price
    anchor, cash, flat_at = closes[74], 0.0, None
    trades: list[tuple[Any, ...]] = []
    counts = {"full": 0, "paused": 0}

    def trade(kind: str, price: float, shares: int, reason: str) -> None:
        nonlocal cash
        fee = max(shares * price * rate, p["min_commission"])
        cash += (shares * price if kind == "SELL" else -shares * price) - fee
        trades.append((rows[i][0], kind, price, shares, reason))

    for i in range(74, len(rows)):
        moment, _, _, price = rows[i]
        trend = "up" if slopes[i] > 0 else "down" if slopes[i] < 0 else "flat"
        if p["mtf_enabled"] and {"up": 1, "down": -1, "flat": 0}[trend] != higher[i]:
            trend = "flat"
        grid, sell, money = {"up": (1.2, 1.33, 0.7), "down": (1.0, 0.83, 1.2), "flat": (1, 1, 1)}[trend]
        step = max(p["grid_step_floor"], atrs[i] / price * p["atr_grid_factor"]) * grid
        step += len(lots) * p["layer_step_bonus"]
        usual = simple_mean([atrs[k] for k in range(i - 60, i)])
        paused = p["atr_circuit_breaker_enabled"] and atrs[i] > 2 * usual
        triggered = price <= anchor * (1 - step * p["buy_step_factor"])
        if paused and len(lots) < most and price <= anchor * (1 - step):
            counts["paused"] += 1

        held, cost = sum(s for s, _ in lots), math.fsum(s * b for s, b in lots)
        goal = 1 + p["sell_profit_threshold"] * sell * p["sell_threshold_factor"]
        gone: list[tuple[int, float]] = []
        if lots and p["enable_float_loss_stop"] and held * price - cost < -p["max_cycle_float_loss"]:
            gone = lots
            trade("SELL", price, held, "max_float_loss")
        elif lots and p["sell_by_lot"]:
            gone = [lot for lot in lots if price >= lot[1] * goal]
            for shares, _ in gone:
                trade("SELL", price, shares, "lot_profit")
        elif lots and p["whole_exit"] and held * price >= cost * goal:
            gone = lots
            trade("SELL", price, held, "take_profit")
        if gone:
            lots = [lot for lot in lots if lot not in gone]
            if not lots:
                anchor, flat_at = price, i

        if triggered and len(lots) >= most:
            counts["full"] += 1
        clock = (moment.hour, moment.minute)
        blocked = p["time_filter_enabled"] and (
            clock >= (14, 45) or (not lots and (9, 30) <= clock < (9, 45))
        )
        if not lots:
            rsi = rsi_at(closes, i)
            if p["cooling_enabled"] and flat_at is not None:
                quick = p["cooling_rsi_enabled"] and rsi < p["rsi_cooling_threshold"]
                wait = p["cooling_bars_short"] if quick else p["cooling_bars"]
                blocked = blocked or i - flat_at < wait
            blocked = blocked or (p["rsi_gate_enabled"] and rsi > 50)
        if len(lots) < most and triggered and not paused and not blocked:
            layer = len(lots)
            if p["unlimited_flow"]:
                share = 15000 * (layer // 2 + 1)
            else:
                share = p["batch_money"] * weights[layer] / sum(weights)
            shares = int(share * money / price // 100) * 100
            if shares:
                lots.append((shares, price))
                anchor = price
                trade("BUY", price, shares, "")
    return trades, cash + sum(s for s, _ in lots) * closes[-1], counts
