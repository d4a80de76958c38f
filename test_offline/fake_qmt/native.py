"""Native records: no ``__dict__``, typed fields, text in byte buffers as long as the real ones.

A text field of N bytes keeps N-1 of its UTF-8 (``strlcpy``), wherever that cuts; reading one that was
cut inside a character raises UnicodeDecodeError, as the real getter does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Raw = dict[str, Any]
"""A record's fields as they travel: bytes, int, float, bool."""


class Field:
    """One field, readable under ``name`` and any further spelling."""

    empty: Any = None

    def __init__(self, *names: str) -> None:
        self.names = names

    def taken(self, value: Any) -> Any:
        """``value`` as the record keeps it. Raises TypeError as the native setter does."""
        raise NotImplementedError

    def shown(self, kept: Any) -> Any:
        """What a reader gets."""
        return kept


class Text(Field):
    """UTF-8 in a buffer of ``size`` bytes, the last one a zero."""

    empty = b""

    def __init__(self, size: int, *names: str) -> None:
        super().__init__(*names)
        self.size = size

    def taken(self, value: Any) -> bytes:
        if isinstance(value, bytes):
            return value
        if not isinstance(value, str):
            raise TypeError(f"{self.names[0]}: incompatible function arguments, str wanted")
        return value.encode("utf-8").split(b"\0")[0][: self.size - 1]

    def shown(self, kept: bytes) -> str:
        return kept.decode("utf-8")


class Whole(Field):
    """A signed 32-bit integer; bool and float are no integers."""

    empty = 0

    def taken(self, value: Any) -> int:
        if isinstance(value, float) or not hasattr(value, "__index__"):
            raise TypeError(f"{self.names[0]}: incompatible function arguments, int wanted")
        number = int(value)
        if not -(2**31) <= number < 2**31:
            raise TypeError(f"{self.names[0]}: {number} does not fit int32")
        return number


class Long(Whole):
    """A signed 64-bit integer (times, volumes of positions)."""

    def taken(self, value: Any) -> int:
        if isinstance(value, float) or not hasattr(value, "__index__"):
            raise TypeError(f"{self.names[0]}: incompatible function arguments, int wanted")
        return int(value)


class Double(Field):
    """A C double."""

    empty = 0.0

    def taken(self, value: Any) -> float:
        if isinstance(value, (str, bytes)) or value is None:
            raise TypeError(f"{self.names[0]}: incompatible function arguments, float wanted")
        return float(value)


class _Spelling:
    def __init__(self, field: Field) -> None:
        self.field = field

    def __get__(self, record: Any, owner: type | None = None) -> Any:
        if record is None:
            return self
        kept = record._raw
        if self.field.names[0] not in kept:
            raise AttributeError(f"no attribute {self.field.names[0]!r}")
        return self.field.shown(kept[self.field.names[0]])

    def __set__(self, record: Any, value: Any) -> None:
        record._raw[self.field.names[0]] = self.field.taken(value)


class _LongerRemark:
    """``order_remark``: the new buffer where it holds something, else the old one of 24 bytes."""

    def __get__(self, record: Any, owner: type | None = None) -> Any:
        if record is None:
            return self
        raw = record._raw
        if "m_strOrderRemark" not in raw:
            raise AttributeError("no attribute 'order_remark'")
        return (raw.get("m_strOrderRemarkNew") or raw["m_strOrderRemark"]).decode("utf-8")


class Native:
    """Base of all records; made empty, or of raw fields that travelled (one left out is missing)."""

    __slots__ = ("_raw",)
    fields: Mapping[str, Field] = {}

    def __init__(self, raw: Raw | None = None) -> None:
        object.__setattr__(
            self,
            "_raw",
            {name: field.empty for name, field in self.fields.items()} if raw is None else dict(raw),
        )


def record(name: str, *fields: Field, longer_remark: bool = False) -> type[Native]:
    """A native class with these fields."""
    body: dict[str, Any] = {"__slots__": (), "fields": {field.names[0]: field for field in fields}}
    for field in fields:
        for spelling in field.names:
            body[spelling] = _Spelling(field)
    if longer_remark:
        body["order_remark"] = _LongerRemark()
    return type(name, (Native,), body)


def raw_of(kind: type[Native], values: Mapping[str, Any]) -> Raw:
    """The raw fields of a new record of ``kind`` with ``values`` set as the native side sets them."""
    made = kind()
    for name, value in values.items():
        setattr(made, name, value)
    return dict(made._raw)  # type: ignore[attr-defined]


# Requests

_ACCOUNT = (Whole("m_nAccountType"), Text(24, "m_strAccountID"))
SubscribeReq = record("SubscribeReq", *_ACCOUNT)
UnsubscribeReq = record("UnsubscribeReq", *_ACCOUNT)
QueryAccountInfosReq = record("QueryAccountInfosReq")
QueryAccountStatusReq = record("QueryAccountStatusReq")
QueryStockAssetReq = record("QueryStockAssetReq", *_ACCOUNT)
QueryStockTradesReq = record("QueryStockTradesReq", *_ACCOUNT)
QueryStockOrdersReq = record("QueryStockOrdersReq", *_ACCOUNT, Whole("m_nOrderID"), Whole("m_bCanCancel"))
QueryStockPositionsReq = record(
    "QueryStockPositionsReq", *_ACCOUNT, Text(16, "m_strStockCode"), Text(64, "m_strStockCode1")
)
CancelOrderStockReq = record(
    "CancelOrderStockReq",
    *_ACCOUNT,
    Whole("m_nOrderID"),
    Whole("m_nMarket"),
    Text(16, "m_strMarket"),
    Text(64, "m_strOrderSysID"),
)
OrderStockReq = record(
    "OrderStockReq",
    *_ACCOUNT,
    Text(16, "m_strStockCode"),
    Whole("m_nOrderType"),
    Whole("m_nOrderVolume"),
    Whole("m_nPriceType"),
    Double("m_dPrice"),
    Text(24, "m_strStrategyName"),
    Text(24, "m_strOrderRemark"),
    Text(128, "m_strOrderRemarkNew", "order_remark1"),
    Double("m_dOrderAmount"),
    Text(64, "m_strStockCode1"),
    Text(128, "m_strAccountID1"),
)

# Answers and pushes

_OWNER = (Whole("m_nAccountType", "account_type"), Text(24, "m_strAccountID", "account_id"))
_ORDER_ID = Whole("m_nOrderID", "order_id")
_SYSID = Text(64, "m_strOrderSysID", "order_sysid")
_NAMES = (Text(64, "secu_account"), Text(64, "instrument_name"))
_REMARKS = (
    Text(24, "m_strStrategyName", "strategy_name"),
    Text(24, "m_strOrderRemark"),
    Text(128, "m_strOrderRemarkNew"),
)
OrderStockResp = record(
    "OrderStockResp",
    *_OWNER,
    _ORDER_ID,
    Text(24, "m_strStrategyName", "strategy_name"),
    Text(24, "m_strOrderRemark", "order_remark"),
    Text(256, "m_strErrorMsg", "error_msg"),
)
CancelOrderStockResp = record(
    "CancelOrderStockResp",
    *_OWNER,
    Whole("m_nCancelResult", "cancel_result"),
    _ORDER_ID,
    _SYSID,
    Text(256, "m_strErrorMsg", "error_msg"),
)
XtOrder = record(
    "XtOrder",
    *_OWNER,
    Text(16, "stock_code"),
    _ORDER_ID,
    _SYSID,
    Long("order_time"),
    Whole("order_type"),
    Whole("order_volume"),
    Whole("price_type"),
    Double("price"),
    Whole("traded_volume"),
    Double("traded_price"),
    Whole("order_status"),
    Text(256, "status_msg"),
    *_REMARKS,
    Whole("direction"),
    Whole("offset_flag"),
    *_NAMES,
    longer_remark=True,
)
XtTrade = record(
    "XtTrade",
    *_OWNER,
    Text(16, "stock_code"),
    Whole("order_type"),
    Text(64, "traded_id"),
    Long("traded_time"),
    Double("traded_price"),
    Whole("traded_volume"),
    Double("traded_amount"),
    _ORDER_ID,
    _SYSID,
    *_REMARKS,
    Whole("direction"),
    Whole("offset_flag"),
    Double("commission"),
    *_NAMES,
    longer_remark=True,
)
XtPosition = record(
    "XtPosition",
    *_OWNER,
    Text(16, "stock_code"),
    Long("volume"),
    Long("can_use_volume"),
    Double("open_price"),
    Double("market_value"),
    Long("frozen_volume"),
    Long("on_road_volume"),
    Long("yesterday_volume"),
    Double("avg_price"),
    Double("last_price"),
    Double("profit_rate"),
    Whole("direction"),
    *_NAMES,
)
XtAsset = record(
    "XtAsset",
    *_OWNER,
    Double("cash"),
    Double("frozen_cash"),
    Double("market_value"),
    Double("total_asset"),
    Double("fetch_balance"),
    Double("current_balance"),
)
XtAccountStatus = record("XtAccountStatus", *_OWNER, Whole("m_nStatus", "status"))
XtOrderError = record(
    "XtOrderError",
    *_OWNER,
    _ORDER_ID,
    Whole("error_id"),
    Text(256, "error_msg"),
    Text(24, "strategy_name"),
    Text(24, "order_remark"),
    Whole("seq"),
)
XtCancelError = record(
    "XtCancelError", *_OWNER, _ORDER_ID, Whole("market"), _SYSID, Whole("error_id"), Text(256, "error_msg")
)

RECORDS: dict[str, type[Native]] = {
    kind.__name__: kind
    for kind in list(globals().values())
    if isinstance(kind, type) and issubclass(kind, Native)
}
