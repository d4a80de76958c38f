"""The grid's step over prepared rows, in one loop that runs as plain Python and, compiled, as machine code.

A copy of ``mac_side.strategy.grid_step.decide`` for speed, with fills at the bar's close. It is never the
authority: the tests hold it to ``decide`` trade by trade and bit by bit on random series and settings.
Whatever is changed there is changed here. Python gets lists (their items are quick to read), numba arrays.
"""

from __future__ import annotations

from typing import Any, NamedTuple

BUY, LOT_PROFIT, STOP, TAKE_PROFIT = 0, 1, 2, 3
"""The reason column of the trades; BUY is the only one that buys."""
ROW, REASON, SHARES, LAYERS, ORDER, OPENED = 0, 1, 2, 3, 4, 5
"""Columns of the whole numbers of a trade. OPENED: the trade that bought what is sold; -1 where it is several
lots, its own number for a buy."""
WIDTH = 6
FEE, CASH = 0, 1
"""Columns of its money, yuan: its fee, and the cash after it."""


class Rules(NamedTuple):
    """What of the parameters the loop needs, as plain numbers (yuan, fractions, bars)."""

    most_layers: int
    bonus: float
    buy_factor: float
    by_lot: bool
    whole_exit: bool
    stop_on: bool
    stop_loss: float
    cooling: bool
    cooling_rsi: bool
    cooling_threshold: float
    wait_short: int
    wait_long: int
    gate_on: bool
    gate: float
    quiet_on: bool
    cap: float
    rate: float
    least_fee: float
    live: bool


class End(NamedTuple):
    """How the loop ended: trades written, layers held, anchor (yuan), bar last flat (-1 never), counts."""

    trades: int
    layers: int
    anchor: float
    flat_row: int
    full_rows: int
    paused_rows: int


def walk(
    close: Any,
    base: Any,
    trend: Any,
    paused: Any,
    rsi: Any,
    quiet: Any,
    day: Any,
    skip: Any,
    target: Any,
    layer_money: Any,
    money_factor: Any,
    rules: Rules,
    first: int,
    last: int,
    anchor: float,
    lot_shares: Any,
    lot_price: Any,
    lot_opened: Any,
    whole: Any,
    money: Any,
) -> End:
    """Walk the rows ``first`` to before ``last`` from a flat book; write trades into ``whole`` and ``money``.

    By row: close, the step before its layer bonus, the trend's sign, whether the breaker pauses, RSI, how
    quiet the minute is (0 not, 1 no first layer, 2 no buy), the day, whether the row is left out. By trend:
    the sell target (a factor of the price paid) and the money factor. ``lot_*`` are the places of the lots.
    """
    (
        most,
        bonus,
        buy_factor,
        by_lot,
        whole_exit,
        stop_on,
        stop_loss,
        cooling,
        cooling_rsi,
        cooling_threshold,
        wait_short,
        wait_long,
        gate_on,
        gate,
        quiet_on,
        cap,
        rate,
        least_fee,
        live,
    ) = rules
    count = layers = held = sold = order = full_rows = paused_rows = 0
    cash = cost = 0.0
    lowest = 1e300
    flat_row = -1
    today = -1
    sellable = 1 << 62
    for i in range(first, last):
        if live and day[i] != today:
            today = day[i]
            sellable = held
        if skip[i]:
            continue
        price = close[i]
        step = base[i] + layers * bonus
        triggered = price <= anchor * (1 - step * buy_factor)
        if paused[i] and layers < most and price <= anchor * (1 - step):
            paused_rows += 1
        if layers > 0:
            reason = BUY
            if stop_on and held * price - cost < -stop_loss:
                reason = STOP
            elif by_lot:
                if price >= lowest * target[trend[i]]:
                    reason = LOT_PROFIT
            elif whole_exit and held * price >= cost * target[trend[i]]:
                reason = TAKE_PROFIT
            if reason != BUY:
                goal = target[trend[i]]
                before = held
                kept = 0
                sold = 0
                gone = 0
                for place in range(layers):
                    shares = lot_shares[place]
                    fits = (not live) or shares <= sellable
                    if fits and (reason != LOT_PROFIT or price >= lot_price[place] * goal):
                        gone += 1
                        sold += shares
                        sellable -= shares
                        if reason == LOT_PROFIT:
                            amount = shares * price
                            fee = max(amount * rate, least_fee)
                            cash += amount - fee
                            whole[count, ROW] = i
                            whole[count, REASON] = reason
                            whole[count, SHARES] = shares
                            whole[count, LAYERS] = layers - gone
                            whole[count, ORDER] = order
                            whole[count, OPENED] = lot_opened[place]
                            money[count, FEE] = fee
                            money[count, CASH] = cash
                            count += 1
                    else:
                        lot_shares[kept] = shares
                        lot_price[kept] = lot_price[place]
                        lot_opened[kept] = lot_opened[place]
                        kept += 1
                if gone > 0:
                    if reason != LOT_PROFIT:
                        amount = sold * price
                        fee = max(amount * rate, least_fee)
                        cash += amount - fee
                        whole[count, ROW] = i
                        whole[count, REASON] = reason
                        whole[count, SHARES] = sold
                        whole[count, LAYERS] = kept
                        whole[count, ORDER] = order
                        whole[count, OPENED] = -1
                        money[count, FEE] = fee
                        money[count, CASH] = cash
                        count += 1
                    order += 1
                    layers = kept
                    held = before - sold
                    # Added up anew, oldest first, as the step does: a running sum has other bits.
                    cost = 0.0
                    lowest = 1e300
                    for place in range(layers):
                        cost += lot_shares[place] * lot_price[place]
                        lowest = min(lowest, lot_price[place])
                    if layers == 0:
                        anchor = price
                        flat_row = i
        if not triggered:
            continue
        if layers >= most:
            full_rows += 1
            continue
        if paused[i] or (quiet_on and (quiet[i] == 2 or (quiet[i] == 1 and layers == 0))):
            continue
        if layers == 0:
            if cooling and flat_row >= 0:
                wait = wait_short if cooling_rsi and rsi[i] < cooling_threshold else wait_long
                if i - flat_row < wait:
                    continue
            if gate_on and rsi[i] > gate:
                continue
        shares = int(layer_money[layers] * money_factor[trend[i]] / price // 100) * 100
        if shares <= 0:
            continue
        amount = shares * price
        if cap > 0 and cost + amount > cap:
            continue
        lot_shares[layers] = shares
        lot_price[layers] = price
        lot_opened[layers] = count
        layers += 1
        held += shares
        cost += amount
        lowest = min(lowest, price)
        anchor = price
        fee = max(amount * rate, least_fee)
        cash -= amount + fee
        whole[count, ROW] = i
        whole[count, REASON] = BUY
        whole[count, SHARES] = shares
        whole[count, LAYERS] = layers
        whole[count, ORDER] = order
        whole[count, OPENED] = count
        money[count, FEE] = fee
        money[count, CASH] = cash
        count += 1
        order += 1
    return End(count, layers, anchor, flat_row, full_rows, paused_rows)
