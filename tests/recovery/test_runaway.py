"""Fault 64: a strategy that buys and sells in a loop is stopped by the executor itself."""

from __future__ import annotations

from shared_schema.ids import Code
from tests.execution.bench import FUND, OTHER_FUND, Bench, account_of, limits_of, rules_of, signal_of
from windows_side.execution.events import ResumeTyped
from windows_side.execution.runaway import RoundTrips


def loop(bench: Bench, trips: int, seconds: float, start: int = 0) -> str | None:
    """So many buys, each followed by a sell; the first error code, None without one."""
    for number in range(start, start + trips):
        for side in ("BUY", "SELL"):
            signal_id = f"{side}_{number}"
            shares = 100 * (number % 20 + 1)
            signal = signal_of(signal_id, direction=side, shares=shares, timestamp=bench.now.wall)
            bench.quote()
            bench.drop(signal)
            if bench.row(signal_id).error_code:
                return bench.row(signal_id).error_code
            bench.placed(signal_id, f"{side}{number}")
            bench.pass_time(seconds)
    return None


def test_a_loop_halts_the_account() -> None:
    """Six round trips in five minutes pass; the seventh sell is refused and a person has to resume."""
    bench = Bench()
    assert loop(bench, 7, 10.0) == "halted"
    assert FUND in bench.core.halt_reason
    assert len([s for s in bench.submits if s.request.direction == "SELL"]) == 6
    bench.tell(ResumeTyped("looked", {}))
    assert bench.core.halt_since is None


def test_the_pace_of_a_grid_is_no_loop() -> None:
    """Two round trips in five minutes, all day long, halt nothing."""
    bench = Bench(rules_of(limits=limits_of(turnover_yuan=1e9)))
    bench.account = account_of(sellable=400_000)
    bench.make_ready()
    assert loop(bench, 20, 75.0) is None
    assert bench.core.halt_since is None


def test_a_restart_is_no_way_around_it() -> None:
    """The count comes from the ledger."""
    bench = Bench()
    assert loop(bench, 6, 10.0) is None
    bench.restart()
    assert loop(bench, 1, 10.0, start=6) == "halted"


def test_a_ladder_is_one_leg_and_codes_are_counted_apart() -> None:
    """Many buys in a row are one leg; another code has its own count."""
    trips = RoundTrips(limits_of(round_trips=1))
    for at in range(20):
        trips.note(FUND, "BUY", float(at))
    assert not trips.too_many(FUND, "SELL", 20.0)
    trips.note(FUND, "SELL", 20.0)
    trips.note(FUND, "BUY", 21.0)
    assert trips.too_many(FUND, "SELL", 22.0)
    assert not trips.too_many(OTHER_FUND, "SELL", 22.0)
    assert not trips.too_many(FUND, "BUY", 22.0)
    assert not trips.too_many(Code(FUND), "SELL", 22.0 + 300.0)
