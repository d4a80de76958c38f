"""xtquant's native records as the port's own values: named fields copied, nothing else kept.

The records are native classes without ``__dict__``; a field may be missing in a broker's older copy,
and a text cut inside a character can't be read. A record that lacks what decides about money is
unusable (FieldError): an answer with such a row is no answer, because a row left out would read as
"none" (faults 51, 52).
"""

from __future__ import annotations

import re
from typing import Any

from shared_schema.errors import BrokerError
from shared_schema.ids import Code, Direction, OrderId, TradeId
from windows_side.brokers.port import BrokerAsset, BrokerOrder, BrokerPosition, BrokerTrade

BUY, SELL = 23, 24
"""xtconstant.STOCK_BUY and STOCK_SELL."""
UNREADABLE = "\ufffd"
"""Stands for a text that was cut inside a character: equal to no tag of ours."""
_CODE = re.compile(r"[0-9A-Za-z]{1,12}\.[A-Z]{2,5}\Z", re.ASCII)
_MILLISECONDS = 1e11
"""Unix seconds lie below this; the terminal's other clocks count milliseconds."""

UNTOLD = 1e300
"""The terminal writes the largest double where it knows no number, as for a limit price that there is not:
taken for cash it would allow any buy."""


class FieldError(BrokerError):
    """A native record lacks a field, or holds something that can't be it."""


def order_of(native: Any) -> BrokerOrder | None:
    """An order; None for one that neither buys nor sells (a kind we never place). Raises FieldError.

    None too for another client's that has no counter number yet: nothing names it, and two of them would be
    taken for one. It is listed again when it has one.
    """
    direction = _direction(native)
    if direction is None or _is_nameless(native):
        return None
    return BrokerOrder(
        order_id=_identity(native),
        code=_code(native),
        direction=direction,
        price=_number(native, "price"),
        shares=_whole(native, "order_volume"),
        filled_shares=_whole(native, "traded_volume"),
        status=_whole(native, "order_status"),
        remark=_text(native, "order_remark"),
        message=_text(native, "status_msg", ""),
        time=_time(native, "order_time"),
    )


def trade_of(native: Any) -> BrokerTrade | None:
    """A trade; None for one that neither buys nor sells. Raises FieldError."""
    direction = _direction(native)
    if direction is None:
        return None
    trade_id = _text(native, "traded_id")
    if not trade_id or trade_id == UNREADABLE:
        raise FieldError("qmt.field", "traded_id", value=repr(trade_id))
    return BrokerTrade(
        trade_id=TradeId(trade_id),
        order_id=_identity(native),
        code=_code(native),
        direction=direction,
        price=_number(native, "traded_price"),
        shares=_whole(native, "traded_volume"),
        time=_time(native, "traded_time"),
        remark=_text(native, "order_remark"),
    )


def position_of(native: Any) -> BrokerPosition:
    """A position. Raises FieldError."""
    return BrokerPosition(
        code=_code(native),
        volume=_whole(native, "volume"),
        can_use_volume=_whole(native, "can_use_volume"),
        # Of what was sold out today some terminals know neither; nothing is decided by them.
        open_price=_number_or_zero(native, "open_price"),
        market_value=_number_or_zero(native, "market_value"),
    )


def asset_of(native: Any) -> BrokerAsset:
    """The money. Raises FieldError."""
    return BrokerAsset(
        cash=_number(native, "cash"),
        frozen_cash=_number(native, "frozen_cash"),
        market_value=_number(native, "market_value"),
        total_asset=_number(native, "total_asset"),
    )


def sysid_of(order_id: OrderId) -> tuple[str, str] | None:
    """Market ("SH", "SZ", "BJ") and counter number of an order that has no id here; None for one that has."""
    number, at, market = order_id.rpartition("@")
    return (market, number) if at else None


def whole_or(native: Any, name: str, otherwise: int) -> int:
    """An integer field, ``otherwise`` where it is missing or none."""
    value = getattr(native, name, otherwise)
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def text_or(native: Any, name: str, otherwise: str = "") -> str:
    """A text field, ``otherwise`` where it is missing."""
    return _text(native, name, otherwise)


def is_of_another_type(native: Any, account: Any) -> bool:
    """Whether it tells of another kind of account than ``account``; False where it says nothing."""
    told, ours = whole_or(native, "account_type", 0), whole_or(account, "account_type", 0)
    return bool(told and ours) and told != ours


def _direction(native: Any) -> Direction | None:
    kind = _whole(native, "order_type")
    return "BUY" if kind == BUY else "SELL" if kind == SELL else None


def _identity(native: Any) -> OrderId:
    """The terminal's id; an order of another client has none here, so its counter number and market."""
    number = _whole(native, "order_id")
    if number > 0:
        return OrderId(str(number))
    return OrderId(f"{_text(native, 'order_sysid', '')}@{_code(native)[-2:]}")


def _is_nameless(native: Any) -> bool:
    if _whole(native, "order_id") > 0 or _text(native, "order_sysid", ""):
        return False
    return not _text(native, "order_remark")


def _code(native: Any) -> Code:
    text = _text(native, "stock_code")
    if not _CODE.match(text):
        # Six bare digits name two instruments, one on each exchange: guessing could sell the wrong one.
        raise FieldError("qmt.field", "stock_code", value=repr(text))
    return Code(text)


def _get(native: Any, name: str) -> Any:
    try:
        return getattr(native, name)
    except AttributeError:
        raise FieldError("qmt.field", name, value="-") from None


def _text(native: Any, name: str, otherwise: str | None = None) -> str:
    try:
        value = _get(native, name)
    except UnicodeDecodeError:
        return UNREADABLE
    except FieldError:
        if otherwise is None:
            raise
        return otherwise
    if isinstance(value, str):
        return value
    if value is None and otherwise is not None:
        return otherwise
    raise FieldError("qmt.field", name, value=repr(value)[:60])


def _whole(native: Any, name: str) -> int:
    value = _get(native, name)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise FieldError("qmt.field", name, value=repr(value)[:60])


def _number(native: Any, name: str) -> float:
    value = _get(native, name)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < UNTOLD:
        return float(value)
    raise FieldError("qmt.field", name, value=repr(value)[:60])


def _number_or_zero(native: Any, name: str) -> float:
    """0 where the record holds no number; FieldError where it lacks the field."""
    value = _get(native, name)
    told = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < UNTOLD
    return float(value) if told else 0.0


def _time(native: Any, name: str) -> float:
    """Unix seconds; 0 where the record does not say."""
    try:
        value = _number(native, name)
    except FieldError:
        return 0.0
    if value >= _MILLISECONDS:
        value /= 1000
    # What is no Unix time of these years (a clock time as 93001) says nothing.
    return value if value > 1e9 else 0.0
