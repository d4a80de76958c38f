"""Fault 64: a strategy that buys and sells in a loop is halted by the executor itself."""

from __future__ import annotations

from tests.execution.bench import PRICE, Bench, alarms, signal_of


def turn(bench: Bench, number: int, direction: str) -> str:
    """One more order of the loop, a little later; its error code."""
    signal_id = f"{direction}_{number}"
    bench.pass_time(5)
    price = round(PRICE - number * 0.001, 3)
    order = signal_of(signal_id, direction=direction, price=price, shares=100, timestamp=bench.now.wall)
    bench.drop(order)
    return bench.row(signal_id).error_code


def test_one_round_trip_too_many_halts_the_account() -> None:
    """Six buys that were each followed by a sell pass within five minutes; the seventh sell halts."""
    bench = Bench()
    for number in range(6):
        assert turn(bench, number, "BUY") == turn(bench, number, "SELL") == ""
    assert turn(bench, 6, "BUY") == ""
    assert bench.core.halt_since is None
    assert turn(bench, 6, "SELL") == "halted"
    assert bench.core.halt_since is not None and alarms(bench.actions).count("halted") == 1
    assert turn(bench, 7, "SELL") == "halted"


def test_a_ladder_is_no_loop() -> None:
    """Ten buys one below the other and then their sales: one round trip, whatever their number."""
    bench = Bench()
    for direction in ("BUY", "SELL"):
        for number in range(10):
            assert turn(bench, number, direction) == ""
    assert bench.core.halt_since is None


def test_a_restart_forgets_no_round_trip() -> None:
    """The loop may crash the executor too: the count comes from the ledger."""
    bench = Bench()
    for number in range(6):
        turn(bench, number, "BUY")
        turn(bench, number, "SELL")
    turn(bench, 6, "BUY")
    bench.restart()
    assert turn(bench, 6, "SELL") == "halted"
