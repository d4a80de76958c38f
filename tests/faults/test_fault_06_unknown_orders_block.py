"""Fault 6, I13: an order in doubt blocks its code's buys, and the third of a day halts the account."""

from __future__ import annotations

from tests.execution.bench import OTHER_FUND, Bench, alarms, signal_of
from windows_side.brokers.port import Unclear


def doubted(bench: Bench, number: int, **changes: object) -> str:
    """Place one more order of which the broker says nothing usable."""
    signal_id = f"BUY_{number}_0000000{number}"
    bench.drop(signal_of(signal_id, price=1.2 - number * 0.001, timestamp=bench.now.wall, **changes))
    bench.answer(signal_id, Unclear("no answer"))
    return signal_id


def test_a_code_in_doubt_buys_nothing_and_still_sells() -> None:
    """I13: the unknown order may have bought; lots of other orders go on."""
    bench = Bench()
    first = doubted(bench, 1)
    assert bench.state(first) == "unknown"
    bench.pass_time(2)
    bench.drop(signal_of("BUY_2", price=1.19, timestamp=bench.now.wall))
    bench.drop(signal_of("SELL_2", direction="SELL", price=1.21, timestamp=bench.now.wall))
    assert bench.result("BUY_2").error_code == "unknown_order"
    assert first in bench.result("BUY_2").message
    assert bench.state("SELL_2") == "submitted"


def test_an_order_in_doubt_is_in_doubt_on_the_next_day() -> None:
    """I13: held overnight, its code still buys nothing."""
    bench = Bench()
    first = doubted(bench, 1)
    bench.pass_time(86_400)
    bench.restart()
    assert bench.state(first) == "unknown"
    bench.drop(signal_of("BUY_2", price=1.19, timestamp=bench.now.wall))
    assert bench.result("BUY_2").error_code == "unknown_order"


def test_the_third_order_in_doubt_halts() -> None:
    """I13: two may be bad luck, three are a broken terminal; another code is refused as well."""
    bench = Bench()
    for number in (1, 2):
        # A sell is allowed while its code is in doubt.
        doubted(bench, number, direction="SELL")
        bench.pass_time(2)
        assert bench.core.halt_since is None
    doubted(bench, 3, direction="SELL")
    assert bench.core.halt_since is not None
    assert alarms(bench.actions).count("halted") == 1
    bench.pass_time(2)
    bench.drop(signal_of("BUY_9", code=OTHER_FUND, timestamp=bench.now.wall))
    assert bench.result("BUY_9").error_code == "halted"
