"""What the engine shows is what it knows: unknown is not zero, and alarms say what to do."""

from __future__ import annotations

from dataclasses import replace

from mac_side.engine_core import EngineCore
from mac_side.engine_events import HaltsSeen, OperatorSaid
from mac_side.engine_view import make_view
from mac_side.screen_commands import Command, Kind
from mac_side.view import View
from shared_schema.clock import Moment
from shared_schema.messages import AccountOrder
from tests.mac_side.world import CODE, account, answer, beats, core, moment, quote

AT = moment("10:00:30")


def _trading() -> EngineCore:
    """Bound, with an anchor, before its first signal."""
    made = core()
    made.config = replace(made.config, orders_limit=200, turnover_limit=1e6)
    made.handle(beats(AT), AT)
    made.handle(quote(AT, 1.06), AT)
    return made


def _with_buy() -> tuple[EngineCore, Moment]:
    made, later = _trading(), moment("10:01:30")
    made.handle(beats(later), later)
    made.handle(quote(later, 1.05, seq=2), later)
    return made, later


def _said(made: EngineCore, kind: Kind, now: Moment, argument: str = "") -> None:
    made.handle(OperatorSaid(Command(kind=kind, argument=argument, at=now.wall, by="screen@mac")), now)


def _order(number: str, status: int, remark: str, at: float) -> AccountOrder:
    return AccountOrder.model_validate(
        {
            "order_id": number,
            "code": CODE,
            "direction": "BUY",
            "price": 1.05,
            "shares": 100,
            "status": status,
            "remark": remark,
            "time": at,
        }
    )


def test_without_an_account_position_and_money_are_unknown() -> None:
    """No snapshot: no shares, no cash and no share of a limit are shown, not zero ones."""
    view = make_view(_trading(), AT)
    assert (view.position.volume, view.position.can_use) == (None, None)
    assert (view.counts.cash, view.counts.total_asset) == (None, None)


def test_account_orders_and_limits_are_shown() -> None:
    """Open orders first, foreign ones told apart, and the day's counts with their limits."""
    made = _trading()
    orders = (_order("1", 56, "mqa", 3.0), _order("2", 50, "by hand", 1.0), _order("3", 55, "mqb", 2.0))
    made.handle(account(AT, 1000, 800, asset={"cash": 5.0, "total_asset": 9.0}, orders=orders), AT)
    view = make_view(made, AT)
    assert (view.position.volume, view.position.can_use, view.counts.total_asset) == (1000, 800, 9.0)
    assert [(order.order_id, order.open, order.ours) for order in view.orders] == [
        ("3", True, True),
        ("2", True, False),
        ("1", False, True),
    ]
    assert (view.counts.orders_limit, view.counts.turnover_limit) == (200, 1e6)


def test_a_signal_moves_from_sent_to_filled() -> None:
    """Sent at its market time and open; being cancelled; filled with its latency."""
    made, later = _with_buy()
    (shown,) = make_view(made, later).signals
    assert (shown.state, shown.open, shown.cancelling, shown.sent_at) == ("sent", True, False, later.market)
    _said(made, "cancel", later, shown.signal_id)
    assert make_view(made, later).signals[0].cancelling
    entry = made.state.outbox.get(shown.signal_id)  # type: ignore[arg-type]
    assert entry is not None
    made.handle(answer(entry, moment("10:01:31"), entry.intention.shares), moment("10:01:31"))
    filled = make_view(made, later).signals[0]
    assert (filled.state, filled.open, filled.filled) == ("filled", False, entry.intention.shares)
    assert filled.latency is not None and abs(filled.latency - 1.0) < 0.01


def test_an_unknown_order_says_what_to_do() -> None:
    """Its alarm names the command that settles it, and its event speaks the screen's language."""
    made, later = _with_buy()
    entry = made.state.outbox.open[0]
    made.handle(answer(entry, later, 0, state="unknown"), later)
    view = make_view(made, later)
    assert view.counts.unknown_orders == 1
    assert any("miniqmt resolve" in alarm.what_to_do for alarm in view.alarms)
    assert any("未知" in event.text for event in view.events) and not any(
        "unknown" in e.text for e in view.events
    )


def test_only_a_halt_of_this_host_is_its_own() -> None:
    """The screen may lift what was halted here; with a halt from elsewhere beside it, it may not."""
    made = _trading()
    _said(made, "halt", AT, "look")

    def view() -> View:
        return make_view(made, AT)

    assert view().halt.halted and view().halt.own
    made.handle(HaltsSeen({"halt.executor@win.json": b"x"}), AT)
    assert view().halt.halted and not view().halt.own
    assert view().halt.by == "halt.executor@win.json", "told is who must lift it, though ours came first"
