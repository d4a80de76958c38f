"""Phase 4: a partly filled order meets the books: exact numbers, once, and old top-ups are dropped."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mac_side.books import TOP_UP_WINDOW
from mac_side.settling import Settled, settle_folder
from mac_side.state_file import StateFile
from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import RESULT_SLOT
from shared_schema.words import say
from test_offline.phases.checks import Check, check, equal
from test_offline.phases.offline_folder import fresh_state, make_offline_folder, read_json, to_bytes

STATE = "dashboard_state.json"
PREPARED = Path(__file__).resolve().parent
_SHOWN = ("last_buy_price", "positions", "hold_layers", "hold_t0_volume", "total_cost")
_SHOWN_BUY = ("pending_buy_shares", "pending_buy_price", "pending_buy_since")


@dataclass(frozen=True)
class Applied:
    """The books before and after one result; ``did`` is empty where it had been applied already."""

    before: dict[str, Any]
    after: dict[str, Any]
    did: list[Settled]


def run(folder: Path) -> list[Check]:
    """Both prepared pairs, in copies below ``folder``."""
    return [*buy_pair(folder / "buy"), *sell_pair(folder / "sell")]


def buy_pair(folder: Path) -> list[Check]:
    """1100 of 2200 bought: the lot shrinks, the rest waits 15 minutes for a top-up and is then dropped."""
    _prepare("phase_4_buy", folder)
    now = time.time()
    after = apply(folder, now).after
    checks = [
        equal("fill_buy_lot", _lots(after), [(1100, 1155.0, 1.05)]),
        equal("fill_totals", _totals(after), (1, 1100, 1155.0)),
        equal("fill_buy_pending", (after["pending_buy_shares"], after["pending_buy_price"]), (1100, 1.05)),
        check("fill_buy_since", after["pending_buy_since"] == now, after["pending_buy_since"]),
        equal("fill_anchor", after["last_buy_price"], 1.05),
    ]
    again = apply(folder, now + 1).after
    checks.append(check("fill_once", _same_books(after, again)))
    kept = apply(folder, now + TOP_UP_WINDOW - 1).after["pending_buy_shares"]
    dropped = apply(folder, now + TOP_UP_WINDOW + 1).after
    checks.append(equal("top_up_dropped", (kept, dropped["pending_buy_shares"]), (1100, 0)))
    checks.append(equal("top_up_lot_stays", _lots(dropped), [(1100, 1155.0, 1.05)]))
    return checks


def sell_pair(folder: Path) -> list[Check]:
    """1100 of 2200 sold: the unsold rest comes back as a lot at its cost."""
    _prepare("phase_4_sell", folder)
    now = time.time()
    after = apply(folder, now).after
    again = apply(folder, now + 1).after
    return [
        equal("fill_sell_lot", _lots(after), [(1100, 1155.0, 1.05)]),
        equal("fill_totals", _totals(after), (1, 1100, 1155.0)),
        check("fill_once", _same_books(after, again)),
    ]


def belongs(folder: Path) -> bool:
    """Whether ``order_result.json`` in ``folder`` answers the last signal of the books there."""
    state, result = read_json(folder / STATE), read_json(folder / RESULT_SLOT)
    if state is None or result is None:
        return False
    return state.get("last_sent_signal_id") is not None and (
        state["last_sent_signal_id"] == result.get("signal_id")
    )


def apply(folder: Path, now: float) -> Applied:
    """Let the product's own code apply the results in ``folder`` to the books there. Raises StateError."""
    exchange = DropFolder(folder)
    _complete(exchange)
    before = read_json(folder / STATE) or {}
    moment = Moment(now, now)
    did = settle_folder(StateFile(folder / STATE), fresh_state(moment), exchange, moment)
    return Applied(before, read_json(folder / STATE) or {}, did)


def apply_lying(folder: Path) -> list[Check]:
    """Apply the pair that lies in ``folder`` and check that shares are neither lost nor made."""
    result = read_json(folder / RESULT_SLOT) or {}
    applied = apply(folder, time.time())
    print(say("offline.before"), shown(applied.before))
    print(say("offline.after"), shown(applied.after))
    before, after = applied.before, applied.after
    checks = [
        equal("fill_totals_follow", _totals(after), _recomputed(after)),
        check("fill_settled", _is_settled(after, result.get("signal_id"))),
    ]
    if not applied.did:
        return [check("fill_already", True), *checks]
    refused = [f"{done.outcome} {done.problem}" for done in applied.did if not done.must_save]
    requested, filled = int(result.get("requested_shares", 0)), int(result.get("filled_shares", 0))
    unfilled = requested - filled
    moved = -unfilled if result.get("direction") == "BUY" else unfilled
    if before.get("last_sent_was_topup"):
        moved = filled
    return [
        check("fill_applied", not refused, ", ".join(refused)),
        equal("fill_moved", _shares(after) - _shares(before), moved, requested=requested, filled=filled),
        *checks,
    ]


def shown(state: dict[str, Any]) -> str:
    """The books in one line, in the state file's own names."""
    names = _SHOWN + (_SHOWN_BUY if state.get("pending_buy_shares") else ())
    books = {name: state[name] for name in names if name in state}
    if "positions" in books:
        books["positions"] = [
            {name: lot[name] for name in ("shares", "cost", "buy_price")} for lot in books["positions"]
        ]
    return to_bytes(books).decode()


def _prepare(pair: str, folder: Path) -> None:
    make_offline_folder(folder)
    for name in (STATE, RESULT_SLOT):
        shutil.copyfile(PREPARED / pair / name, folder / name)


def _complete(folder: DropFolder) -> None:
    # A result typed by hand may leave out its time, which nothing here depends on.
    result, entry = read_json(folder.path / RESULT_SLOT), folder.stat(RESULT_SLOT)
    if result is not None and entry is not None and "timestamp" not in result and "checksum" not in result:
        folder.publish(RESULT_SLOT, to_bytes({**result, "timestamp": entry.modified_ns / 1e9}))


def _lots(state: dict[str, Any]) -> list[tuple[int, float, float]]:
    return [(lot["shares"], lot["cost"], lot["buy_price"]) for lot in state["positions"]]


def _totals(state: dict[str, Any]) -> tuple[int, int, float]:
    return state["hold_layers"], state["hold_t0_volume"], state["total_cost"]


def _recomputed(state: dict[str, Any]) -> tuple[int, int, float]:
    lots = _lots(state)
    return len(lots), sum(shares for shares, _, _ in lots), sum(cost for _, cost, _ in lots)


def _shares(state: dict[str, Any]) -> int:
    return sum(int(lot["shares"]) for lot in state.get("positions") or ())


def _same_books(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one[name] == other[name] for name in (*_SHOWN, *_SHOWN_BUY))


def _is_settled(state: dict[str, Any], signal_id: object) -> bool:
    return any(
        entry["signal_id"] == signal_id and entry["intention"]["settled"]
        for entry in state.get("outbox") or ()
    )
