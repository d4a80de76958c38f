"""The questions, each with what it sends and what it notes. Titles stand in the catalogue under their names.

Numbers in brackets are those of the open questions about the terminal that our designs had to leave open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared_schema.ids import Code
from windows_side.acceptance.recorder import fields_of
from windows_side.acceptance.talk import REMARK, Answered, SmallOrder, Talk
from windows_side.brokers.port import FINAL_STATUSES
from windows_side.brokers.qmt_session import SessionRefused

Facts = dict[str, Any]
SHOWN_WITHIN = 10.0
"""Seconds in which an order must become visible, and a cancel take effect."""
ERROR_WITHIN = 3.0
"""Seconds in which the callback of a refused order must come."""
LENGTHS = (22, 23, 24, 40, 127)
OTHER_CODES = ("688981.SH", "430047.BJ", "510300.SH", "113050.SH", "000001.SZ")
"""STAR, Beijing, a fund, a convertible bond, a share: in which unit are their volumes?"""


@dataclass(frozen=True)
class Market:
    """The one code all orders are in. Prices in yuan."""

    code: Code
    last: float
    far: float
    """A valid price so low that nobody sells at it: the lower limit of the day."""
    lot: int
    above_limit: float
    """A price the exchange refuses."""


@dataclass
class Interview:
    """What the questions work with."""

    talk: Talk
    market: Market
    agree: Callable[[SmallOrder], bool]
    """Shows an order to the person; False leaves it out."""
    have_done: Callable[[str], bool]
    """Asks the person to do something (restart the terminal); False leaves the question out."""
    ticks: Callable[[list[str]], dict[str, Any]]
    """The newest full tick of codes."""
    earlier: frozenset[int] = frozenset()
    """Order ids of acceptance runs on days before."""

    def order(self, remark: str, **changes: Any) -> SmallOrder:
        """A buy of one lot far from the market."""
        plain = {
            "code": self.market.code,
            "direction": "BUY",
            "shares": self.market.lot,
            "price": self.market.far,
            "remark": f"{REMARK}{remark}"[:127],
        }
        return SmallOrder(**(plain | changes))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Question:
    """``name`` in the catalogue; ``ask`` gives what was seen."""

    name: str
    ask: Callable[[Interview], Facts]


def status_and_lists(interview: Interview) -> Facts:
    """What do status and lists look like, and is an empty list None or []?"""
    facts: Facts = {"status": interview.talk.statuses().text[:200]}
    for name in ("query_stock_asset", "query_stock_positions", "query_stock_orders", "query_stock_trades"):
        answered = interview.talk.call(name)
        rows = answered.value
        what = f"list of {len(rows)}" if isinstance(rows, list) else type(rows).__name__
        facts[name] = f"{what} after {answered.seconds * 1000:.0f} ms"
        if rows is None and not answered.hung:
            # Where this is no failure but an empty day, the executor waits until there is a row.
            facts["None instead of a list"] = [*facts.get("None instead of a list", []), name]
    return facts


def life_of_an_order(interview: Interview) -> Facts:
    """[4, 6] From the answer to visible, to a contract number, to the first push; a cancel and its end."""
    order = interview.order("life")
    if not interview.agree(order):
        return {}
    talk, began = interview.talk, interview.talk.monotonic()
    answered = talk.place(order)
    facts: Facts = {"answer": answered.text}
    if not isinstance(answered.value, int) or answered.value <= 0:
        return facts
    number = answered.value
    facts["visible after s"] = talk.until(lambda: talk.listed(number) is not None, SHOWN_WITHIN)
    facts["order_sysid after s"] = talk.until(lambda: _text(talk.listed(number), "order_sysid"), SHOWN_WITHIN)
    facts["pushes"] = [_push(heard.fields) for heard in talk.recorder.since(began, "order")]
    facts["cancel"] = talk.call("cancel_order_stock", number).text
    facts["ended after s"] = talk.until(lambda: _status(talk.listed(number)) in FINAL_STATUSES, SHOWN_WITHIN)
    facts["as listed"] = fields_of(talk.listed(number))
    facts["cancel again"] = talk.call("cancel_order_stock", number).text
    return facts


def length_of_remarks(interview: Interview) -> Facts:
    """[1] How much of a remark comes back?"""
    facts: Facts = {}
    for length in LENGTHS:
        order = interview.order("".ljust(length - len(REMARK), "x"))
        if not interview.agree(order):
            continue
        answered = interview.talk.place(order)
        facts[f"{length} bytes"] = _remark_shown(interview.talk, answered)
    return facts


def _remark_shown(talk: Talk, answered: Answered) -> str:
    if not isinstance(answered.value, int) or answered.value <= 0:
        return answered.text
    talk.until(lambda: talk.listed(answered.value), SHOWN_WITHIN)
    shown = _text(talk.listed(answered.value), "order_remark")
    talk.call("cancel_order_stock", answered.value)
    return f"{len(shown)} come back: {shown}"


def refusals(interview: Interview) -> Facts:
    """[3, 5] What the answer and the callbacks are where no order can exist."""
    wrong = {
        "beyond the limit": interview.order("limit", price=interview.market.above_limit),
        "half a lot": interview.order("odd", shares=max(1, interview.market.lot // 2)),
        "no such code": interview.order("code", code=Code("999998.SZ")),
        "more than the cash": interview.order("cash", shares=interview.market.lot * 1_000_000),
    }
    facts: Facts = {}
    for name, order in wrong.items():
        if not interview.agree(order):
            continue
        facts[name] = _refusal(interview.talk, order)
    facts["cancel of a number that never was"] = interview.talk.call("cancel_order_stock", 987654321).text
    return facts


def _refusal(talk: Talk, order: SmallOrder) -> Facts:
    began = talk.monotonic()
    answered = talk.place(order)
    talk.until(lambda: talk.recorder.since(began, "order_error"), ERROR_WITHIN)
    errors = [heard.fields for heard in talk.recorder.since(began, "order_error")]
    facts: Facts = {"answer": answered.text, "order_error": errors}
    if isinstance(answered.value, int) and answered.value > 0:
        number = answered.value
        talk.until(lambda: _status(talk.listed(number)) in FINAL_STATUSES, SHOWN_WITHIN)
        facts["as listed"] = fields_of(talk.listed(number))
    return facts


def session_again(interview: Interview) -> Facts:
    """[2] The same session id at once, and a new one."""
    first = interview.talk.connect()
    facts: Facts = {"connect": first.text}
    try:
        facts["same id at once"] = interview.talk.connect(session=int(first.value)).text
    except SessionRefused as refused:
        facts["same id at once"] = str(refused)
    facts["another id"] = interview.talk.connect().text
    return facts


def after_a_restart(interview: Interview) -> Facts:
    """[1, 2] Does the remark of an open order survive a restart of the terminal?"""
    order = interview.order("restart")
    if not interview.agree(order):
        return {}
    answered = interview.talk.place(order)
    if not isinstance(answered.value, int) or answered.value <= 0:
        return {"answer": answered.text}
    interview.talk.until(lambda: interview.talk.listed(answered.value), SHOWN_WITHIN)
    if not interview.have_done("restart_terminal"):
        return {"left out": True}
    facts: Facts = {"connect": interview.talk.connect().text}
    row = interview.talk.listed(answered.value)
    facts["same order id"] = row is not None
    rows = interview.talk.call("query_stock_orders").value
    facts["remarks"] = [_text(row, "order_remark") for row in rows] if isinstance(rows, list) else repr(rows)
    return facts


def since_last_time(interview: Interview) -> Facts:
    """[1, 8] Do ids come again, and do remarks of days before still show? (needs a run on an earlier day)"""
    if not interview.earlier:
        return {}
    rows = interview.talk.call("query_stock_orders").value
    today = {row.order_id for row in rows} if isinstance(rows, list) else set()
    new = {number for _, number in interview.talk.sent}
    return {
        "ids of earlier days used again": sorted(interview.earlier & new),
        "still listed": sorted(interview.earlier & today),
    }


def units_of_volume(interview: Interview) -> Facts:
    """[7] Lots or shares? Compare with the terminal's own page, which shows lots (手)."""
    ticks = interview.ticks([interview.market.code, *OTHER_CODES])
    wanted = ("lastPrice", "volume", "pvolume", "amount", "bidVol", "askVol", "stockStatus")
    return {code: {name: tick.get(name) for name in wanted} for code, tick in ticks.items() if tick}


QUESTIONS = (
    Question("status_and_lists", status_and_lists),
    Question("units_of_volume", units_of_volume),
    Question("life_of_an_order", life_of_an_order),
    Question("length_of_remarks", length_of_remarks),
    Question("refusals", refusals),
    Question("session_again", session_again),
    Question("after_a_restart", after_a_restart),
    Question("since_last_time", since_last_time),
)


def _text(native: Any, name: str) -> str:
    value = getattr(native, name, "") if native is not None else ""
    return value if isinstance(value, str) else repr(value)


def _status(native: Any) -> int:
    return int(getattr(native, "order_status", 0))


def _push(fields: Facts) -> Facts:
    wanted = ("order_id", "order_status", "order_sysid", "order_remark", "status_msg")
    return {name: fields.get(name) for name in wanted}
