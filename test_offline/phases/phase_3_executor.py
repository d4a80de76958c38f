"""Phase 3: the executor's dry run: a good signal once, its id never again, bad ones refused with a reason."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from test_offline.phases.checks import Check, check, equal
from test_offline.phases.dry_run import (
    ANSWERED_WITHIN,
    Bench,
    again_checks,
    answer_checks,
    lying_signal_checks,
)
from test_offline.phases.offline_folder import make_offline_folder, wait_until

INVALID: dict[str, dict[str, Any]] = {
    "code_not_allowed": {"code": "600000.SH", "price": 10.0},
    "bad_quantity": {"shares": 2250},
    "too_many_shares": {"shares": 200_000},
    "too_much_money": {"shares": 90_000},
    "expired": {"timestamp": -600.0},
    "missing_field": {"price": None},
}
"""What differs from a good signal, by the error code it must get; None: left out, times are from now."""


def run(folder: Path) -> list[Check]:
    """A good signal as typed in the plan, the same again, and every kind of bad one, in ``folder``."""
    bench = Bench(folder / "exchange", folder / "runtime")
    make_offline_folder(bench.path)
    bench.drop(good_signal("abc123"))
    return [*lying_signal_checks(bench), *invalid_checks(bench)]


def good_signal(signal_id: str, **changes: Any) -> dict[str, Any]:
    """A signal in the seed's format, made now; a change to None leaves the field out."""
    signal = {
        "signal_id": signal_id,
        "code": "159201.SZ",
        "direction": "BUY",
        "price": 1.05,
        "shares": 2200,
        "timestamp": time.time(),
        "reason": "test",
    }
    if changes.get("timestamp") is not None:
        changes["timestamp"] += time.time()
    return {name: value for name, value in {**signal, **changes}.items() if value is not None}


def invalid_checks(bench: Bench) -> list[Check]:
    """Each bad signal gets a failed result with its reason, is consumed, and never reaches the broker."""
    signals = {code: good_signal(f"bad-{code}", **changes) for code, changes in INVALID.items()}
    orders = bench.orders_at_broker()
    found = []
    with bench.executor():
        again = {code: _dropped_twice(bench, signal) for code, signal in signals.items()}
        # The list is written once a second at most: waited for once, not after each signal.
        wait_until(
            lambda: all(bench.is_listed(signal["signal_id"]) for signal in signals.values()), ANSWERED_WITHIN
        )
        for code, signal in signals.items():
            checks = [*answer_checks(bench, signal, code), *again[code]]
            wrong = "; ".join(one.line.strip() for one in checks if not one.passed)
            result = bench.result(signal["signal_id"]) or {}
            found.append(check("invalid_refused", not wrong, wrong or result.get("message", ""), code=code))
    return [*found, equal("invalid_no_order", bench.orders_at_broker() - orders, 0)]


def _dropped_twice(bench: Bench, signal: dict[str, Any]) -> list[Check]:
    raw, identity = bench.drop(signal), signal["signal_id"]
    wait_until(lambda: bench.is_answered(identity), ANSWERED_WITHIN)
    return again_checks(bench, raw, identity)
