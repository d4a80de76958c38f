"""``status`` tells scripts what the screen tells people, once or again and again."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

from rich.console import Console

from commands.status import show
from commands.status_watch import watch_json, watch_people
from mac_side.view import write_view
from shared_schema.errors import FolderError
from shared_schema.messages import Account, AccountSnapshot
from shared_schema.messages.views import SharedPool
from tests.commands.hosts import MAIN, Host
from tests.screen import sample_views as sample


def test_the_dashboards_facts_are_in_the_json(host: Host) -> None:
    """Every code's grid, position, signals, limits and notices, with the ages of this moment."""
    first = sample.with_changes(sample.unknown_order(), wall=host.now - 20)
    write_view(host.runtime / "dashboard_view.json", first)
    write_view(host.runtime / "dashboard_view_dividend.json", sample.dividend())
    shown = json.loads(host.run("status", "--json").output)["dashboards"]
    assert [view["code"] for view in shown] == ["159201.SZ", "512890.SH"]
    grid, view = shown[0]["grid"], shown[0]
    assert (grid["next_buy"], grid["next_sells"][0], grid["layers"]) == (1.0088, 1.0225, 3)
    assert (view["position"]["volume"], view["counts"]["orders_limit"]) == (341900, 200)
    assert view["silence"] >= 20 and view["link"]["quote_age"] >= 20
    assert any("miniqmt resolve" in notice["what_to_do"] for notice in view["notices"])
    assert [signal["state"] for signal in view["signals"]][-1] == "unknown" and "bars" not in view


def test_any_host_sees_orders_and_pool(host: Host) -> None:
    """From the folder alone: the broker's orders, foreign ones told apart, money, and the pool's use."""
    order: dict[str, Any] = {
        "order_id": "7",
        "code": "159201.SZ",
        "direction": "BUY",
        "price": 1.0,
        "shares": 100,
    }
    orders = ({**order, "status": 50, "remark": "mqabc"}, {**order, "status": 56, "remark": "hand"})
    account = Account.model_validate({"asset": {"cash": 9.5}, "orders": orders})
    snapshot = AccountSnapshot(accounts={MAIN: account})
    host.publish("account_snapshot.simulate.json", "executor@win", snapshot)
    pool = {"updated_at": host.now, "pool_total": 300_000.0, "used_159201": 20_000.0, "frozen_512890": 500.0}
    host.publish("shared_pool.json", "executor@win", SharedPool.model_validate(pool))
    report = json.loads(host.run("status", "--json").output)
    shown = report["accounts"][0]["accounts"]["main"]
    assert shown["cash"] == 9.5
    assert [(order["open"], order["ours"]) for order in shown["orders"]] == [(True, True), (False, False)]
    assert report["pool"]["by_code"] == {"159201": 20_000.0, "512890": 500.0}
    assert (report["pool"]["used"], report["pool"]["frozen"]) == (20_000.0, 500.0)
    assert "300,000" in host.run("status").output


def _pause(times: int) -> Callable[[], None]:
    left = [times]

    def pause() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    return pause


def test_watching_outlives_a_failing_folder() -> None:
    """One line of JSON a look; a folder that fails is a line, not the end; Ctrl+C gives the last report."""
    looks = iter(
        [{"attention": []}, FolderError("folder.list_failed", "x", detail="gone"), {"attention": [1]}]
    )

    def gather() -> dict[str, Any]:
        found = next(looks)
        if isinstance(found, FolderError):
            raise found
        return found

    lines: list[str] = []
    assert watch_json(gather, lines.append, _pause(3)) == {"attention": [1]}
    assert [list(json.loads(line)) for line in lines] == [["attention"], ["error"], ["attention"]]


def test_watching_shows_each_look(host: Host) -> None:
    """On a terminal each look begins on a cleared window and ends with what needs a person."""
    host.heartbeat(age=100.0)
    report = json.loads(host.run("status", "--json").output)
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=120, color_system=None)
    assert watch_people(lambda: report, show, console, _pause(2)) is report
    text = out.getvalue()
    assert text.count("\x1b[2J") == 2 and "simulate-1" in text.rstrip().splitlines()[-1]
