"""One account at the stand-in's counter: native requests in, native answers and pushes out.

The counter is the product's simulated broker with its books in a file; this room only speaks its
language to the native client, and lies about it where a fault is switched on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from shared_schema.ids import Code, Direction, OrderId, SignalId, Tag
from test_offline.fake_qmt import native
from test_offline.fake_qmt.faults import Faults
from windows_side.brokers.port import (
    BrokerEvent,
    BrokerOrder,
    BrokerStatus,
    BrokerTrade,
    OrderRequest,
    OrderUpdate,
    Placed,
    TradeUpdate,
)
from windows_side.brokers.simulated import SimulatedBroker

FIRST_ID = 1_082_130_432
"""Ids as a terminal was seen to give them: this one and upwards."""
STOCK, BUY, SELL, LIMIT = 2, 23, 24, 11
COUNTER_LIMIT = 50
"""The price type as the counter answers it; never the one that was sent."""
Message = tuple[str, native.Raw]
Push = Callable[[str, Message], None]
"""Sends one push, by its native name, to every subscribed session."""


class TradeRoom:
    """The account ``number`` over ``broker``."""

    def __init__(self, number: str, broker: SimulatedBroker, faults: Faults, push: Push) -> None:
        self.number = number
        self.broker = broker
        self._faults = faults
        self._push = push
        self._placing = threading.RLock()
        self._pending = (b"", b"")
        self._notes: dict[str, tuple[bytes, bytes]] = {}
        """Strategy name and long remark by order: kept by the terminal alone, not by the counter."""
        self._held_trades: list[Message] = []
        self._first: dict[str, list[Message]] = {}
        """The first list of each kind ever given: what a stale answer repeats."""
        broker.open(self._heard)

    # Orders

    def place(self, raw: native.Raw) -> int:
        """The order id, or -1 where the terminal's own check refuses."""
        if raw["m_nPriceType"] != LIMIT or raw["m_nOrderType"] not in (BUY, SELL):
            return -1
        direction: Direction = "BUY" if raw["m_nOrderType"] == BUY else "SELL"
        old, longer = bytes(raw["m_strOrderRemark"]), bytes(raw["m_strOrderRemarkNew"])
        tag = old.decode() if old == longer and old.isascii() else ""
        request = OrderRequest(
            SignalId(""),
            Tag(tag),
            Code(raw["m_strStockCode"].decode()),
            direction,
            raw["m_nOrderVolume"],
            raw["m_dPrice"],
        )
        notes = (bytes(raw["m_strStrategyName"]), b"" if tag else longer)
        with self._placing:
            # Pushes leave before the answer: they must find what only the client knows.
            self._pending = notes
            answer = self.broker.place(request)
            self._pending = (b"", b"")
            if not isinstance(answer, Placed):
                return -1
            self._notes[answer.order_id] = notes
        return FIRST_ID + int(answer.order_id)

    def by_hand(self, values: Mapping[str, Any]) -> str:
        """An order somebody typed at the terminal, with any remark or none; its id at the counter."""
        request = OrderRequest(
            SignalId(""),
            Tag(values.get("remark", "")),
            Code(values["code"]),
            values["direction"],
            values["shares"],
            values["price"],
        )
        with self._placing:
            answer = self.broker.place(request)
        return answer.order_id if isinstance(answer, Placed) else ""

    def cancel(self, order_id: int) -> tuple[int, str]:
        """0, or -1 with the counter's reason."""
        answer = self.broker.cancel(OrderId(str(order_id - FIRST_ID)))
        return (0, "") if answer.accepted else (-1, answer.message)

    def another_id(self) -> int:
        """The id of the newest order but one: what a wrong answer tells."""
        known = [int(order.order_id) for order in self.broker.orders()]
        return FIRST_ID + (known[-2] if len(known) > 1 else 999)

    # Lists

    def orders(self, cancelable_only: bool) -> list[Message] | None:
        """The day's orders, as a fault may have them."""
        live = (BrokerStatus.REPORTED, BrokerStatus.PART_FILLED)
        listed = [
            self.order_message(order)
            for order in self.broker.orders()
            if not cancelable_only or order.status in live
        ]
        return self._as_told("orders", listed)

    def trades(self) -> list[Message] | None:
        """The day's trades, as a fault may have them."""
        return self._as_told("trades", [self.trade_message(trade) for trade in self.broker.trades()])

    def positions(self) -> list[Message] | None:
        """All positions, as a fault may have them."""
        made = []
        for held in self.broker.positions():
            values = {
                "account_type": STOCK,
                "account_id": self.number,
                "stock_code": held.code,
                "volume": held.volume,
                "can_use_volume": held.can_use_volume,
                "open_price": held.open_price,
                "avg_price": held.open_price,
                "market_value": held.market_value,
                "frozen_volume": held.volume - held.can_use_volume,
            }
            made.append(("XtPosition", native.raw_of(native.XtPosition, values)))
        return self._as_told("positions", made)

    def asset(self) -> list[Message] | None:
        """The account's money; a list of one."""
        if self._faults.take("asset") == "none":
            return None
        asset = self.broker.asset()
        values = {
            "account_type": STOCK,
            "account_id": self.number,
            "cash": asset.cash,
            "frozen_cash": asset.frozen_cash,
            "market_value": asset.market_value,
            "total_asset": asset.total_asset,
            "fetch_balance": asset.cash,
            "current_balance": asset.cash + asset.frozen_cash,
        }
        return [("XtAsset", native.raw_of(native.XtAsset, values))]

    def _as_told(self, kind: str, listed: list[Message]) -> list[Message] | None:
        first = self._first.setdefault(kind, listed)
        match self._faults.take(kind):
            case "none":
                return None
            case "empty":
                return []
            case "partial":
                return listed[:-1]
            case "stale":
                return first
            case "bare_codes":
                return [(name, raw | {"stock_code": raw["stock_code"][:6]}) for name, raw in listed]
            case "missing_field":
                gone = {"XtOrder": "order_status", "XtTrade": "traded_id"}
                return [
                    (name, {k: v for k, v in raw.items() if k != gone.get(name, "volume")})
                    for name, raw in listed
                ]
        return listed

    # Pushes

    def _heard(self, event: BrokerEvent) -> None:
        """The counter's news: trades first, as it tells them, unless a fault turns them round."""
        if isinstance(event, TradeUpdate):
            message = self.trade_message(event.trade)
            chosen = self._faults.take("push_trade")
            if chosen == "status_first":
                self._held_trades.append(message)
            else:
                self._send(chosen, "OnStockTrade", message)
        elif isinstance(event, OrderUpdate):
            self._send(self._faults.take("push_order"), "OnStockOrder", self.order_message(event.order))
            held, self._held_trades = self._held_trades, []
            for message in held:
                self._push("OnStockTrade", message)

    def _send(self, chosen: str | None, name: str, message: Message) -> None:
        if chosen == "drop":
            return
        for _ in range(2 if chosen == "doubled" else 1):
            self._push(name, message)

    # The native spelling

    def order_message(self, order: BrokerOrder) -> Message:
        """One order as the terminal shows it."""
        strategy, longer = self._notes.get(order.order_id, self._pending)
        values: dict[str, Any] = self._common(order.order_id, order.code, order.direction, order.remark) | {
            "order_time": int(order.time),
            "order_volume": order.shares,
            "price_type": COUNTER_LIMIT,
            "price": order.price,
            "traded_volume": order.filled_shares,
            "order_status": order.status,
            "status_msg": order.message,
            "strategy_name": strategy,
        }
        return "XtOrder", self._remarked(native.raw_of(native.XtOrder, values), longer)

    def trade_message(self, trade: BrokerTrade) -> Message:
        """One trade as the terminal shows it."""
        strategy, longer = self._notes.get(trade.order_id, self._pending)
        values: dict[str, Any] = self._common(trade.order_id, trade.code, trade.direction, trade.remark) | {
            "traded_id": trade.trade_id,
            "traded_time": int(trade.time),
            "traded_price": trade.price,
            "traded_volume": trade.shares,
            "traded_amount": trade.price * trade.shares,
            "strategy_name": strategy,
        }
        return "XtTrade", self._remarked(native.raw_of(native.XtTrade, values), longer)

    def _common(self, order_id: str, code: str, direction: str, remark: str) -> dict[str, Any]:
        return {
            "account_type": STOCK,
            "account_id": self.number,
            "stock_code": code,
            "order_id": FIRST_ID + int(order_id),
            "order_sysid": f"S{order_id}",
            "order_type": BUY if direction == "BUY" else SELL,
            "m_strOrderRemark": remark,
        }

    def _remarked(self, raw: native.Raw, longer: bytes) -> native.Raw:
        if longer:
            raw = raw | {"m_strOrderRemark": longer[:23], "m_strOrderRemarkNew": longer}
        match self._faults.take("remark"):
            case "cut":
                return raw | {"m_strOrderRemark": raw["m_strOrderRemark"][:10], "m_strOrderRemarkNew": b""}
            case "empty":
                return raw | {"m_strOrderRemark": b"", "m_strOrderRemarkNew": b""}
            case "altered":
                return raw | {"m_strOrderRemark": b"by hand", "m_strOrderRemarkNew": b""}
        return raw
