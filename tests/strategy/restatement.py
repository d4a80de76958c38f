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


def run(rows: Sequence[Row], p: dict[str, Any]) -> tuple[list[tuple[Any, ...]], dict[str, float]]:
    """Trades (time, type, price, shares, reason) and every metric of strategy.md."""
    closes = [row[3] for row in rows]
    ranges = [math.nan] + [true_range(rows, i) for i in range(1, len(rows))]
    slopes = slopes_of(closes)
    atrs = {i: atr_at(ranges, i) for i in range(14, len(rows))}
    higher = higher_signs(rows, p["mtf_lookahead"]) if p["mtf_enabled"] else [0] * len(rows)
    live = p["live_rules"]
    least_fee = max(p["min_commission"], 5) if live else p["min_commission"]
    ceiling = 200_000 if live else math.inf
    rate = p["commission_rate"] + (0.0005 if p["stress_slippage_enabled"] else 0)
    most = 50 if p["unlimited_flow"] else p["max_layers"]
    weights = p["layer_weights"] or [1] * p["max_layers"]

    lots: list[tuple[int, float]] = []  # shares, price
    anchor, cash, flat_at = closes[74], 0.0, None
    trades: list[tuple[Any, ...]] = []
    counts = {"full": 0, "paused": 0}
    curve: list[float] = []
    used_days, filled, closed, bad = set(), 0, 0, 0
    cycle_was_full, cash_at_start = False, 0.0
    today, old_shares = None, 0

    def trade(kind: str, price: float, shares: int, reason: str) -> None:
        nonlocal cash
        fee = max(shares * price * rate, least_fee)
        cash += (shares * price if kind == "SELL" else -shares * price) - fee
        trades.append((rows[i][0], kind, price, shares, reason))

    for i in range(74, len(rows)):
        moment, _, _, price = rows[i]
        if moment.date() != today:
            today, old_shares = moment.date(), sum(s for s, _ in lots)
        if live and ((moment.hour, moment.minute) == (11, 30) or (moment.hour, moment.minute) >= (14, 57)):
            curve.append(cash + sum(s for s, _ in lots) * price)
            used_days |= {moment.date()} if lots else set()
            continue
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
        wanted, reason = [False] * len(lots), ""
        if lots and p["enable_float_loss_stop"] and held * price - cost < -p["max_cycle_float_loss"]:
            wanted, reason = [True] * len(lots), "max_float_loss"
        elif p["sell_by_lot"]:
            wanted, reason = [price >= paid * goal for _, paid in lots], "lot_profit"
        elif lots and p["whole_exit"] and held * price >= cost * goal:
            wanted, reason = [True] * len(lots), "take_profit"
        gone: list[int] = []
        left: list[tuple[int, float]] = []
        for lot, sells in zip(lots, wanted, strict=True):
            if sells and (not live or lot[0] <= old_shares):
                old_shares -= lot[0]
                gone.append(lot[0])
            else:
                left.append(lot)
        for shares in gone if reason == "lot_profit" else [sum(gone)] if gone else []:
            trade("SELL", price, shares, reason)
        lots = left
        if gone and not lots:
            anchor, flat_at = price, i
            closed += cycle_was_full
            bad += cycle_was_full and cash < cash_at_start
            cycle_was_full, cash_at_start = False, cash

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
            over = shares * price + math.fsum(s * b for s, b in lots) > ceiling
            if shares and not over:
                lots.append((shares, price))
                anchor = price
                trade("BUY", price, shares, "")
                filled += len(lots) == most
                cycle_was_full = cycle_was_full or len(lots) == most
        curve.append(cash + sum(s for s, _ in lots) * price)
        used_days |= {moment.date()} if lots else set()

    worst, peak = 0.0, -math.inf
    for value in curve:
        worth = value - curve[0] + 500_000
        peak = max(peak, worth)
        worst = min(worst, worth / peak - 1)
    first_close, last_close = closes[74], closes[-1]
    years = (rows[-1][0] - rows[74][0]).total_seconds() / 86400 / 365
    alpha = curve[-1]
    beta = p["beta_capital"] * (last_close - first_close) / first_close
    return trades, {
        "alpha": alpha,
        "beta_profit": beta,
        "total_profit": alpha + beta,
        "trades": len(trades),
        "buys": sum(t[1] == "BUY" for t in trades),
        "sells": sum(t[1] == "SELL" for t in trades),
        "max_dd": worst,
        "exhaust_count": filled,
        "exhaust_cycles": closed,
        "losing_cycles": bad,
        "days_util": len(used_days),
        "flow_ann": alpha / p["batch_money"] / years,
        "flow_ann_util": alpha / p["batch_money"] * 365 / len(used_days) if used_days else 0.0,
        "bars_would_buy_but_full": counts["full"],
        "n_atr_pause_bars": counts["paused"],
        "n_force_stops": sum(t[4] == "max_float_loss" for t in trades),
    }
