"""Valid examples of every file, drawn at random: the grammar the mutations start from."""

from __future__ import annotations

from random import Random
from typing import Any

NOW = 1_794_967_200.0
"""A Wednesday, ten o'clock in Shanghai; the simulated executor's present."""
TODAY = "2026-11-18"
INSTANCE = "simulate-00000001"
Payload = dict[str, Any]


def _hex(random: Random, digits: int) -> str:
    return f"{random.getrandbits(4 * digits):0{digits}x}"


def envelope(random: Random, role: str = "dashboard@mac") -> Payload:
    """An envelope of now."""
    written = NOW - random.choice((0.0, 0.25, 3.0))
    return {
        "schema_version": 2,
        "writer": role,
        "epoch": "e1",
        "seq": random.randrange(1, 9999),
        "written_at": written,
        "market_time": written,
        "trading_day": TODAY,
        "mode": "simulate",
        "account": "main",
    }


def seed_signal(random: Random) -> Payload:
    """A signal in the seed's format."""
    side = random.choice(("BUY", "SELL"))
    shares = random.choice((100, 1000, 2200, 25_300))
    payload: Payload = {
        "signal_id": f"{side}_159201.SZ_L{random.randrange(1, 9)}_{_hex(random, 8)}",
        "code": "159201.SZ",
        "direction": side,
        "price": random.choice((1.2, 1.199, 1.21, 1.2000000000000002)),
        "shares": shares,
        "timestamp": NOW - random.choice((0.0, 1.5, 20.0)),
        "reason": random.choice(("grid buy", "跌破网格", "")),
    }
    if random.random() < 0.3:
        payload["amount"] = round(payload["price"] * shares, 2)
    if random.random() < 0.3:
        payload |= {"client_order_id": payload["signal_id"], "layer_index": random.randrange(5)}
    if side == "SELL" and random.random() < 0.5:
        payload["release_client_order_ids"] = [f"BUY_159201.SZ_L1_{_hex(random, 8)}"]
    return payload


def signal(random: Random) -> Payload:
    """A signal of version 2, sometimes a cancel."""
    payload = seed_signal(random) | envelope(random) | {"strategy": "grid", "executor": INSTANCE}
    if random.random() < 0.4:
        payload["expires_at"] = payload["timestamp"] + random.choice((30.0, 300.0))
    if random.random() < 0.2:
        payload |= {"action": "cancel", "target_signal_id": f"BUY_159201.SZ_L1_{_hex(random, 8)}"}
    if random.random() < 0.3:
        payload |= {"cancel_after_seconds": 60.0, "price_type": "limit"}
    return payload


def result(random: Random) -> Payload:
    """A result of version 2."""
    shares = random.choice((100, 1000, 2200))
    ends = {"partly_filled": 100, "filled": shares, "partly_cancelled": 100}
    state = random.choice(("received", "rejected", "submitted", *ends, "cancelled", "unknown", "expired"))
    filled = ends.get(state, 0)
    ended = state not in ("received", "submitted", "partly_filled", "unknown")
    trades = (
        [{"trade_id": f"t{_hex(random, 4)}", "price": 1.2, "shares": filled, "time": NOW}] if filled else []
    )
    return envelope(random, "executor@windows") | {
        "signal_id": f"BUY_159201.SZ_L1_{_hex(random, 8)}",
        "status": ("success" if filled else "failed") if ended else "pending",
        "order_id": str(random.randrange(10**9)),
        "message": "已成交",
        "timestamp": NOW,
        "direction": "BUY",
        "requested_shares": shares,
        "filled_shares": filled,
        "state": state,
        "signal_digest": _hex(random, 64),
        "revision": random.randrange(4),
        "average_price": 1.2 if filled else 0.0,
        "trades": trades,
        "code": "159201.SZ",
        "price": 1.2,
        "strategy": "grid",
        "signal_epoch": "e1",
        "signal_seq": 4,
    }


def seed_result(random: Random) -> Payload:
    """A result in the seed's format."""
    whole = result(random)
    names = ("signal_id", "status", "order_id", "message", "timestamp", "direction", "requested_shares")
    return {name: whole[name] for name in (*names, "filled_shares")}


def _position(random: Random) -> Payload:
    return {
        "volume": 2200,
        "can_use_volume": random.choice((0, 2200)),
        "open_price": 1.1,
        "market_value": 2640.0,
    }


def seed_quote(random: Random) -> Payload:
    """A quote file in the seed's format."""
    return {
        "code": "159201.SZ",
        "price": 1.2,
        "preClose": 1.19,
        "history": [round(1.2 + random.randrange(-9, 9) / 1000, 3) for _ in range(random.choice((3, 80)))],
        "position": _position(random),
        "time": "10:00:00",
    }


def quote(random: Random) -> Payload:
    """A quote file of version 2, now and then larger than a small file."""
    minutes = random.choice((1, 5, 5, 5, 240))
    column = [round(1.2 + random.randrange(-9, 9) / 1000, 3) for _ in range(minutes)]
    one = {
        "price": 1.2,
        "open": 1.19,
        "high": 1.22,
        "low": 1.18,
        "pre_close": 1.19,
        "volume": 10_000,
        "amount": 12_000.0,
        "bid": [1.199, 1.198, 0.0, 0.0, 0.0],
        "ask": [1.201, 1.202, 0.0, 0.0, 0.0],
        "bid_volume": [100] * 5,
        "ask_volume": [300] * 5,
        "limit_up": 1.309,
        "limit_down": 1.071,
        "status": "trading",
        "tick_time": NOW,
    }
    columns = {"open": column, "high": column, "low": column, "close": column, "volume": [100.0] * minutes}
    bars = columns | {"time": [NOW - 60.0 * (minutes - n) for n in range(minutes)]}
    further = {
        "quotes": {"159201.SZ": one},
        "bars": {"159201.SZ": bars},
        "positions": {"159201.SZ": _position(random)},
        "complete": True,
    }
    return seed_quote(random) | envelope(random, "producer@windows") | further


def account(random: Random) -> Payload:
    """An account snapshot."""
    order = {
        "order_id": "1",
        "code": "159201.SZ",
        "direction": "BUY",
        "price": 1.2,
        "shares": 1000,
        "status": 50,
    }
    trade = {
        "trade_id": "t1",
        "order_id": "1",
        "code": "159201.SZ",
        "direction": "BUY",
        "price": 1.2,
        "shares": 100,
    }
    one = {
        "asset": {"cash": 1e6, "frozen_cash": 0.0, "market_value": 2640.0, "total_asset": 1_002_640.0},
        "positions": {"159201.SZ": _position(random)},
        "orders": [order | {"filled_shares": 100, "remark": "mq0123456789", "time": NOW}]
        * random.randrange(3),
        "trades": [trade | {"time": NOW}] * random.randrange(3),
        "complete": random.random() < 0.9,
        "queried_at": NOW,
    }
    return envelope(random, "producer@windows") | {"account": "*", "accounts": {"main": one}}


def heartbeat(random: Random) -> Payload:
    """A heartbeat of any role."""
    role = random.choice(("executor", "producer", "dashboard"))
    return envelope(random, f"{role}@host") | {
        "role": role,
        "instance": INSTANCE,
        "ready": True,
        "state": "running",
        "seen": {"dashboard@mac": {"epoch": "e1", "seq": 3, "written_at": NOW, "received_at": NOW}},
        "accounts": ["main"],
        "ledger_id": _hex(random, 16),
        "commits": 12,
        "applied_results": [f"BUY_159201.SZ_L1_{_hex(random, 8)}"],
    }


def seed_halt(random: Random) -> Payload:
    """A halt, or its lifting, without envelope."""
    return {"halt": random.random() < 0.3, "reason": "停", "by": "me", "at": NOW}


def halt(random: Random) -> Payload:
    """A halt, or its lifting."""
    return envelope(random) | seed_halt(random)


def command(random: Random) -> Payload:
    """A wish from the screen."""
    kind = random.choice(("halt", "resume", "pause", "unpause", "cancel"))
    return {"kind": kind, "argument": "理由", "at": NOW, "by": "screen@mac"}


def typed(random: Random) -> Payload:
    """What a person typed at the executor's host."""
    kind = random.choice(("resume", "rebind"))
    return {"kind": kind, "reason": "checked", "strategy": "grid", "by": "me@windows", "at": NOW}


def seed_state(random: Random) -> Payload:
    """The seed's own state file, as people edit it."""
    lots = [{"shares": 2200, "cost": 2310, "buy_price": 1.05}] * random.randrange(3)
    return {
        "last_buy_price": 1.06,
        "positions": lots,
        "hold_layers": len(lots),
        "hold_t0_volume": 2200 * len(lots),
        "total_cost": 2310 * len(lots),
        "last_sent_signal_id": random.choice((None, "sig-buy-001")),
        "last_sent_signal_direction": "BUY",
        "last_sent_signal_shares": 2200,
        "last_sent_signal_price": 1.05,
    }


SETTINGS = """
shared_dir = '{folder}'
language = "zh"
runtime_dir = '{folder}/../runtime'
[sync]
tool = "syncthing"
syncthing_delay = 10
allow_orders = false
[account]
alias = "main"
type = "STOCK"
id = '12345678'
[limits]
allow_list = ["159201.SZ", "512890.SH"]
max_buy_yuan = 60000
max_buy_shares = 100000
orders_per_second = 2
orders_per_day = 200
cash_buffer = 0.01
expires_seconds = 300
[executor]
simulate = true
commission_rate = 0.0001
[producer]
codes = ["159201.SZ"]
[strategy]
symbol = "159201.SZ"
decide_on = "bar"
[strategy.overrides]
base_amount = 2000
"""
DOTENV = """# miniqmt
ORDER_EXECUTOR_SIMULATE=1
export QMT_ACCOUNT_ID="12345678"
SHARED_DIR='{folder}'
MINIQMT_LANGUAGE=en   # english
QMT_SESSION_ID=100
DASHBOARD_SYMBOL=159201.SZ
"""
HOLIDAYS = """source = "notice"
[years.2031]
complete = true
closed = [2031-01-01, "2031-05-01", 2031-10-01, 2031-10-02]
open = [2031-10-03]
[years.2027]
closed = [2027-06-01]
"""


def lines(random: Random, template: str, folder: str) -> str:
    """A settings, holiday or .env file with some of the template's lines."""
    kept = [line for line in template.replace("{folder}", folder).splitlines() if random.random() < 0.9]
    return "\n".join(kept) + "\n"


def bars_file(random: Random) -> str:
    """Minute bars or prints as CSV."""
    if random.random() < 0.25:
        rows = [f"2024-01-02 09:3{n}:0{n},1.0{n},{n}" for n in range(1, 6)]
        return "\n".join(("datetime,price,volume_lots", *rows)) + "\n"
    form = random.choice(
        ("2024-01-02 09:{m}:00", "2024-01-02T09:{m}:00", "20240102 09:{m}:00", "202401020{m}00")
    )
    form = form if "0{m}00" not in form else "2024010209{m}"
    rows = [f"{form.replace('{m}', str(31 + n))},1,1.1,0.9,1.0{n},{100 * n},{100.5 * n}" for n in range(6)]
    return "\n".join(("# made", "time,open,high,low,close,volume,amount", *rows)) + "\n"
