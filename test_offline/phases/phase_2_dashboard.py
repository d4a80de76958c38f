"""Phase 2: the real dashboard, run for a few seconds in an OFFLINE folder, leaves a proper signal."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import Any

from mac_side.offline_start import FRESH, lay_out_fresh_files
from shared_schema.drop_folder.names import SIGNAL_SLOT
from test_offline.phases.checks import Check, check, equal
from test_offline.phases.offline_folder import (
    TEST_OFFLINE,
    make_offline_folder,
    read_json,
    start_script,
    stop_like_ctrl_c,
    wait_until,
)

_SIGNAL_ID = re.compile(r"BUY_159201\.SZ_L1_[0-9a-f]{8}")
_SIGNAL_WITHIN = 120.0
"""Seconds, the start of Python and the packages on a slow disk included."""
_ENDS_WITHIN = 60.0
_PRICE = 1.052
_ANCHOR = 1.06


def run(folder: Path) -> list[Check]:
    """Start it in a copy of ``test_offline/`` below ``folder``, wait for the signal, end it like Ctrl+C."""
    offline = folder / "exchange"
    make_offline_folder(offline)
    shutil.copytree(TEST_OFFLINE / FRESH, offline / FRESH)
    lay_out_fresh_files(offline)
    started = time.time()
    process = start_script("mac_side/mac_dashboard.py", folder / "private", DASHBOARD_WORK_DIR=str(offline))
    signal_file = offline / SIGNAL_SLOT
    found = wait_until(lambda: signal_file.exists() or process.poll() is not None, _SIGNAL_WITHIN)
    code, said = stop_like_ctrl_c(process, _ENDS_WITHIN)
    found = found and signal_file.exists()
    checks = [
        check("signal_left", found, "" if found else said[-800:]),
        equal("dashboard_ended", code, 0),
    ]
    return checks + signal_checks(offline, started) if found else checks


def signal_checks(folder: Path, not_before: float) -> list[Check]:
    """What must hold of ``order_signal.json`` in ``folder`` and of the books beside it."""
    signal_file, state_file = folder / SIGNAL_SLOT, folder / "dashboard_state.json"
    signal = read_json(signal_file)
    if signal is None:
        return [check("signal_is_json", False)]
    state = read_json(state_file) or {}
    shares, price = signal.get("shares"), signal.get("price")
    stamp = signal.get("timestamp")
    seed = ("signal_id", "code", "direction", "price", "shares", "timestamp", "reason")
    missing = [name for name in seed if name not in signal]
    return [
        check("signal_is_json", not missing, ", ".join(missing)),
        check("signal_id_form", _SIGNAL_ID.fullmatch(str(signal.get("signal_id"))), signal.get("signal_id")),
        equal("signal_code", signal.get("code"), "159201.SZ"),
        equal("signal_direction", signal.get("direction"), "BUY"),
        check("signal_shares", isinstance(shares, int) and shares > 0 and shares % 100 == 0, shares),
        equal("signal_price", price, _PRICE),
        check(
            "signal_time",
            isinstance(stamp, int | float) and not_before - 1 <= stamp <= time.time() + 1,
            stamp,
        ),
        check("signal_reason", signal.get("reason"), signal.get("reason")),
        check("state_first", state_file.stat().st_mtime_ns <= signal_file.stat().st_mtime_ns),
        check("state_knows_signal", state.get("last_sent_signal_id") == signal.get("signal_id")),
        check("state_outbox", _outbox_bytes(state) == [signal_file.read_bytes()]),
        equal(
            "state_anchor",
            (state.get("last_sent_buy_prev_anchor"), state.get("last_buy_price")),
            (_ANCHOR, price),
        ),
    ]


def _outbox_bytes(state: dict[str, Any]) -> list[bytes]:
    return [str(entry["raw"]).encode() for entry in state.get("outbox") or ()]
