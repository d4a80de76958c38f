"""``status`` ends with 0 only when nothing needs a person, and names each thing that does."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from commands.newest_day import newest_day_since
from mac_side.books import Books, Intention, Lot
from mac_side.bridge_client.entry import entry_of
from mac_side.bridge_client.outbox import Outbox
from shared_schema.clock import Moment, Stamper
from shared_schema.errors import SettingsError
from shared_schema.ids import Code, Epoch
from shared_schema.messages import Quote, QuoteSnapshot, encode
from shared_schema.sessions import SHANGHAI, trading_day_of
from shared_schema.words import say
from tests.commands.hosts import IDENTITY, MAIN, Host, signal


def report(host: Host) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON of ``status``."""
    ended = host.run("status", "--json")
    return ended.exit_code, json.loads(ended.output)


def needs(host: Host) -> list[str]:
    """The words of what needs a person."""
    code, shown = report(host)
    words = [need["what"] for need in shown["attention"]]
    assert code == (1 if words else 0)
    return words


def test_an_empty_folder_is_not_called_well(host: Host) -> None:
    """Nobody is needed, and yet nothing runs, or the sync brings nothing: "all is well" would mislead."""
    host.ledger()
    ended = host.run("status")
    assert ended.exit_code == 0
    assert say("operate.status.nothing_runs") in ended.output
    assert say("operate.status.fine") not in ended.output


def test_a_healthy_folder_needs_nobody(host: Host) -> None:
    """Heartbeat, quote, waiting signal and result are shown with their values; exit 0."""
    host.heartbeat()
    quote = Quote(price=1.234, tick_time=host.now)
    code = Code("159201.SZ")
    body = QuoteSnapshot(code=code, price=1.234, quotes={code: quote})
    host.publish("shared_quote.json", "producer@win", body, age=2.0)
    host.publish("order_signal.json", "dashboard@mac", signal(host.now))
    host.result()
    host.ledger()
    assert needs(host) == []
    _, shown = report(host)
    assert [(beat["instance"], beat["colour"]) for beat in shown["heartbeats"]] == [("simulate-1", "green")]
    assert shown["quote"]["prices"] == {"159201.SZ": 1.234} and shown["quote"]["age"] >= 2.0
    assert [waiting["signal_id"] for waiting in shown["signals_waiting"]] == [IDENTITY]
    assert [(result["state"], result["filled_shares"]) for result in shown["results"]] == [("filled", 2200)]
    assert [ledger["today"] for ledger in shown["ledgers"]] == [{"filled": 1}]
    text = host.run("status").output
    assert all(part in text for part in ("simulate-1", "1.234", IDENTITY, "2200/2200", "filled 1"))


def test_an_empty_folder_needs_nobody(host: Host) -> None:
    """Before anything ran there is nothing to solve."""
    assert needs(host) == []
    assert host.run("status").exit_code == 0


def test_a_row_of_signals_refused_for_a_silent_link_needs_a_person(host: Host) -> None:
    """Every heartbeat may be well meanwhile, another writer's: of each strategy its newest two of today."""
    host.answers("link_down", "", "link_down")
    assert needs(host) == []
    host.answers("link_down", "link_down", "link_down", strategy="other", day_ago=1)
    assert needs(host) == []
    host.answers("", "link_down", "link_down", strategy="dividend")
    assert needs(host) == ["link_down"]
    (row,) = report(host)[1]["refused_link_down"]
    assert (row["strategy"], row["count"]) == ("dividend", 2)
    shown = host.run("status").output
    assert "no heartbeat of dashboard@dividend" in shown and "dividend" in shown


def test_red_and_stopped_and_replaced_are_told_apart(host: Host) -> None:
    """A dead process needs a person; a clean end does not; a newer process takes the old one's place."""
    host.heartbeat("simulate-1", age=60.0)
    assert needs(host) == ["heartbeat_red"]
    host.heartbeat("simulate-2")
    assert needs(host) == []
    host.heartbeat("simulate-2", state="stopped", age=300.0)
    host.heartbeat("simulate-1", age=400.0)
    assert needs(host) == []


def test_halts_are_told_once_each(host: Host) -> None:
    """File and executor are named; what is remembered of a lost file is named as remembered."""
    host.run("halt", "--wait", "0")
    host.heartbeat(halt_since=host.now)
    host.ledger(halts={"halt.operator@mac.json": b"x"})
    assert needs(host) == ["halted", "halt_file"]
    (host.folder.path / "control" / "halt.operator@mac.json").unlink()
    assert needs(host) == ["halted", "latched"]


def test_unknown_orders_quarantine_and_damage(host: Host) -> None:
    """An unknown order, a quarantined file and an unreadable result each need a person."""
    host.result("unknown", filled=0)
    assert needs(host) == ["unknown_order"]
    host.folder.quarantine_copy("order_signal_x.json", b"{", {"reason": "unreadable"})
    assert needs(host) == ["unknown_order", "quarantine"]
    (host.folder.path / "order_results" / "order_result_y.json").write_bytes(b"{")
    assert needs(host) == ["unknown_order", "quarantine", "unreadable"]


def test_a_damaged_ledger_is_never_nothing(host: Host) -> None:
    """A ledger that can't be read is named, and everything else is still shown."""
    host.heartbeat()
    (host.runtime / "ledger_simulate_main.sqlite3").write_bytes(b"not a database" * 100)
    assert needs(host) == ["unreadable"]
    assert "simulate-1" in host.run("status").output


def test_books_are_shown_where_they_are(host: Host) -> None:
    """Which executor this host's dashboard is bound to, and a damaged state file."""
    path, _ = host.books("simulate-1")
    _, shown = report(host)
    assert [(own["executor"], own["strategy"]) for own in shown["books"]] == [("simulate-1", "grid")]
    path.write_bytes(path.read_bytes()[:-40])
    assert needs(host) == ["unreadable"]


def test_books_tell_the_shares_that_are_held(host: Host) -> None:
    """A buy of 2200 waits, 400 of it are filled: 400 shares and the 1000 of the other lot."""
    day, stamper = "2026-11-20", Stamper("dashboard@mac", Epoch("e1"), "simulate", MAIN)
    envelope = stamper.next(Moment(host.now, host.now), day)
    intention = Intention("buy", 2200, 1.2, IDENTITY)
    buy = entry_of(encode(envelope, signal(host.now)), intention, 2, 1, day)
    lots = (Lot(1000, 1250.0, 1.25, "a"), Lot(2200, 2640.0, 1.2, IDENTITY))
    buy = replace(buy, state="partly_filled", reported_shares=400)
    host.books("simulate-1", books=Books(lots=lots), outbox=Outbox((buy,)))
    _, shown = report(host)
    assert [(own["layers"], own["shares"]) for own in shown["books"]] == [(2, 1400)]


def test_broken_settings_end_with_2(host: Host) -> None:
    """A settings file that can't be used is an error of its own."""
    Path("miniqmt.toml").write_text("nonsense = 1\n")
    ended = host.run("status")
    assert isinstance(ended.exception, SettingsError) and ended.exception.exit_code == 2


def test_in_a_replay_the_ledgers_day_is_the_markets(host: Host) -> None:
    """The executor's heartbeat says that its market clock runs on another day: that day's orders count."""
    host.ledger()
    day = trading_day_of(host.now - 5 * 86_400)
    assert json.loads(host.run("status", "--json").output)["ledgers"][0]["today"] == {"filled": 1}
    host.heartbeat(market_ago=5 * 86_400)
    (ledger,) = json.loads(host.run("status", "--json").output)["ledgers"]
    assert (ledger["day"], ledger["today"]) == (day, {})
    assert day in host.run("status").output


def test_damaged_books_come_with_what_to_do(host: Host) -> None:
    """The line names the file and the way out, and gives no advice that belongs to a signal."""
    (host.runtime / "dashboard_state.simulate.json").write_text('{"positions": [', encoding="utf-8")
    ended = host.run("status")
    assert ended.exit_code == 1
    line = next(line for line in ended.output.splitlines() if "dashboard_state.simulate.json" in line)
    assert ".last_good" in line and "重发" not in line and "Error" not in line and "。。" not in line


def test_an_old_quarantined_file_is_a_note(host: Host) -> None:
    """A file of an earlier trading day is counted and needs nobody: scripts are not stuck at exit code 1."""
    host.ledger()
    host.folder.quarantine_copy("order_signal_x.json", b"{", {"reason": "unreadable"})
    (reason,) = (host.folder.path / "quarantine").glob("*.reason.json")
    os.utime(reason, (host.now - 30 * 86400, host.now - 30 * 86400))
    assert needs(host) == []
    assert report(host)[1]["quarantine"]["count"] == 1
    host.folder.quarantine_copy("order_signal_y.json", b"{", {"reason": "unreadable"})
    assert needs(host) == ["quarantine"]
    assert report(host)[1]["quarantine"] | {"newest": []} == {"count": 2, "recent": 1, "newest": []}


@pytest.mark.parametrize(
    ("now", "since"),
    [
        ("2026-11-18 10:00", "2026-11-17 15:00"),  # a Wednesday
        ("2026-11-18 09:14", "2026-11-16 15:00"),
        ("2026-11-21 12:00", "2026-11-19 15:00"),  # Saturday: Friday's
        ("2026-11-23 09:14", "2026-11-19 15:00"),
        ("2026-11-23 09:15", "2026-11-20 15:00"),
    ],
)
def test_the_newest_trading_day_lasts_until_the_next_opens(now: str, since: str) -> None:
    """Friday's files are told over the weekend and on Monday morning."""
    found = newest_day_since(_shanghai(now))
    assert found == _shanghai(since)


def _shanghai(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI).timestamp()
