"""I13: an order the exchange ended at the close is closed, whatever the terminal still calls it."""

from __future__ import annotations

from datetime import datetime

import pytest

from shared_schema.clock import Moment
from shared_schema.ids import OrderId, SignalId
from shared_schema.sessions import SHANGHAI
from tests.execution.bench import Bench, alarms, rules_of, signal_of
from windows_side.brokers.port import BrokerOrder, BrokerStatus, BrokerTrade, Readiness, ReadinessChanged

FIRST = SignalId("BUY_159201.SZ_L1_00000001")


def at(clock: str, day: str = "2026-11-18") -> Moment:
    """A time in Shanghai, the same on both clocks."""
    seconds = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=SHANGHAI).timestamp()
    return Moment(seconds, seconds)


class Evening:
    """An order of 14:55:30, ``filled`` shares of 1000 done; then the host slept past the close."""

    def __init__(self, filled: int = 0, clock: str = "14:55:30", **rules: object) -> None:
        self.bench = Bench(rules_of(**{"final_read": 2.0, **rules}))
        self.bench.now = at(clock)
        self.bench.quote()
        self.bench.make_ready()
        self.bench.drop(signal_of(timestamp=self.bench.now.wall))
        self.bench.placed(FIRST, "7")
        self.trades: tuple[BrokerTrade, ...] = ()
        if filled:
            self.trades = (self.bench.seen_trade(order_id=OrderId("7"), shares=filled),)
        self.order = self.alive(filled)

    def alive(self, filled: int, **changes: object) -> BrokerOrder:
        """The order as the terminal goes on showing it."""
        status = BrokerStatus.PART_FILLED if filled else BrokerStatus.REPORTED
        told = {"order_id": OrderId("7"), "status": status, "filled_shares": filled} | changes
        return self.bench.seen_order(**told)  # type: ignore[arg-type]

    def list_at(self, clock: str, tick: str = "15:00:03") -> str:
        """The list is asked and answered; the row's state then."""
        self.bench.now = at(clock)
        self.bench.quote(tick_time=at(tick).market)
        self.bench.day(self.order, trades=self.trades)
        return self.bench.state()


@pytest.mark.parametrize(("filled", "state"), [(0, "cancelled"), (400, "partly_cancelled")])
@pytest.mark.parametrize("final_read", [0.0, 2.0])
def test_two_final_lists_end_what_the_terminal_still_shows_alive(
    filled: int, state: str, final_read: float
) -> None:
    """The result is final with every fill, says why in words, and the code buys again in the morning."""
    evening = Evening(filled, final_read=final_read)
    first = evening.list_at("15:10:00")
    assert first in ("submitted", "partly_filled"), "one list alone may be stale"
    assert evening.list_at("15:11:00") == state
    result, revision = evening.bench.result(), evening.bench.row().revision
    assert (result.is_terminal, result.filled_shares, result.error_code) == (True, filled, "")
    assert "收市" in result.message
    assert evening.list_at("18:00:00") == state
    assert evening.bench.row().revision == revision, "the same said again is no news"
    bench = evening.bench
    bench.now = at("10:00:00", "2026-11-19")
    bench.tell(ReadinessChanged(Readiness(False, "restart")))
    bench.quote()
    assert "order_unknown" not in alarms(bench.make_ready())
    bench.drop(signal_of("more", price=1.19, timestamp=bench.now.wall))
    assert bench.state("more") == "submitted"


@pytest.mark.parametrize("status", [48, 49, 86, 255])
def test_what_the_exchange_never_had_is_not_ended_by_its_close(status: int) -> None:
    """Terminal or counter may hand it in with the next morning: it stays open, and is unknown then."""
    evening = Evening()
    evening.order = evening.alive(0, status=status)
    assert [evening.list_at(clock) for clock in ("15:10:00", "15:11:00", "18:00:00")] == ["submitted"] * 3


def test_lists_asked_close_together_are_one_look() -> None:
    """The terminal may hold one stale answer for some seconds."""
    evening = Evening()
    assert [evening.list_at(f"15:10:{s:02}") for s in (0, 5, 59)] == ["submitted"] * 3


def test_before_the_final_list_nothing_ends() -> None:
    """15:04 here, or 14:59 at the exchange while this host's clock ran ahead: the order may fill."""
    evening = Evening()
    assert {evening.list_at("15:02:00"), evening.list_at("15:04:00")} == {"submitted"}
    evening = Evening()
    for clock in ("15:10:00", "15:30:00"):
        assert evening.list_at(clock, tick="14:59:57") == "submitted"


def test_fewer_trades_than_the_broker_counts_are_waited_for() -> None:
    """I5: an end counts only when the trades add up to the broker's traded volume."""
    evening = Evening(400)
    trades, evening.trades = evening.trades, ()
    assert {evening.list_at("15:10:00"), evening.list_at("15:30:00")} == {"submitted"}
    evening.trades = trades
    assert evening.list_at("15:31:00") == "partly_filled", "the two lists begin anew with what they show"
    assert evening.list_at("15:32:00") == "partly_cancelled"


def test_news_between_the_lists_begin_the_wait_anew() -> None:
    """A terminal that is still catching up has not said its last."""
    evening = Evening()
    evening.list_at("15:10:00")
    evening.order = evening.alive(400)
    evening.trades = (evening.bench.seen_trade(order_id=OrderId("7"), shares=400),)
    assert evening.list_at("15:11:00") == "partly_filled"
    assert evening.list_at("15:12:00") == "partly_cancelled"


def test_a_trade_that_comes_later_still_counts() -> None:
    """The revision rises with an alarm, and the layer is booked."""
    evening = Evening()
    evening.list_at("15:10:00")
    evening.list_at("15:11:00")
    before = evening.bench.result().revision
    late = evening.bench.trade(evening.bench.seen_trade(order_id=OrderId("7"), shares=1000))
    assert "late_trade" in alarms(late)
    after = evening.bench.result()
    assert (after.state, after.filled_shares, after.revision > before) == ("filled", 1000, True)


def test_an_order_of_the_evening_lives_on() -> None:
    """Simulating without the session clock: what was placed after 15:00 was not ended by the close."""
    evening = Evening(clock="15:20:00", enforce_sessions=False)
    assert {evening.list_at("15:30:00"), evening.list_at("16:30:00")} == {"submitted"}
