"""``trace`` joins ledger, logs, books and folder to one timeline, or says where it looked."""

from __future__ import annotations

import json

from commands.time_text import stamp_text
from shared_schema.logs import open_log
from tests.commands.hosts import IDENTITY, Host, signal


def live(host: Host) -> None:
    """A signal's traces of both hosts."""
    host.ledger()
    host.result()
    host.publish(f"order_signal_done/order_signal_{IDENTITY}.done", "dashboard@mac", signal(host.now))
    log = open_log("order_executor", host.logs, console=False, clock=lambda: host.now + 0.020)
    for identity in (IDENTITY, "another"):
        log.say("info", "simulated_order", signal_id=identity, code="159201.SZ", shares=2200, price=1.2)
    log.close()


def test_one_timeline_sorted_by_time(host: Host) -> None:
    """Each step stands once with milliseconds, in order, the other host's beside ours."""
    live(host)
    ended = host.run("trace", IDENTITY, "--json")
    shown = json.loads(ended.output)
    steps = [(event["source"].split()[0], event["what"]) for event in shown["events"]]
    times = [event["at"] for event in shown["events"]]
    assert ended.exit_code == 0 and times == sorted(times) and shown["problems"] == []
    assert steps[0] == ("signal", "decided")
    own = [what for source, what in steps if source in ("ledger", "log")]
    assert own == ["received", "calling", "simulated_order", "trade", "order_update"]
    assert ("result", "revision 3 success") in steps and steps.count(("ledger", "trade")) == 1
    assert ("result", "trade") not in steps
    assert {fact["what"] for fact in shown["facts"]} == {"row", "signal", "stands"}
    lines = host.run("trace", IDENTITY).output.splitlines()
    assert lines[0] == IDENTITY and any(" +8 ms  log order_executor" in line for line in lines)


def test_the_other_hosts_view_alone(host: Host) -> None:
    """Without ledger and logs the folder still tells signal, result and trades."""
    host.result()
    shown = json.loads(host.run("trace", IDENTITY, "--json").output)
    assert [event["what"] for event in shown["events"]] == ["revision 3 success", "trade"]


def test_a_replays_fill_stands_where_it_happened_and_names_the_markets_time(host: Host) -> None:
    """The market's clock is five days back: the fill stays between call and end, its own time beside it."""
    host.ledger(market_ago=5 * 86_400)
    events = json.loads(host.run("trace", IDENTITY, "--json").output)["events"]
    own = [event for event in events if event["source"] == "ledger simulate"]
    assert [event["what"] for event in own] == ["received", "calling", "trade", "order_update"]
    (trade,) = [event for event in own if event["what"] == "trade"]
    assert stamp_text(host.now + 0.030 - 5 * 86_400)[:19] in trade["detail"]


def test_quarantine_entries_are_found_by_the_id(host: Host) -> None:
    """A quarantined file is named with its reason."""
    host.folder.quarantine_copy("order_signal_x.json", b"{}", {"reason": "id_reused", "signal_id": IDENTITY})
    (event,) = json.loads(host.run("trace", IDENTITY, "--json").output)["events"]
    assert event["source"] == "quarantine" and event["detail"] == "id_reused"


def test_an_unknown_id_tells_where_it_looked_and_what_is_near(host: Host) -> None:
    """Exit 1, the places, and the id one digit away."""
    live(host)
    ended = host.run("trace", "BUY_159201.SZ_L1_1a2b3c4e")
    assert ended.exit_code == 1 and IDENTITY in ended.output
    assert all(place in ended.output for place in ("ledger_*.sqlite3", "order_executor.log", "quarantine"))


def test_a_damaged_ledger_hides_nothing_else(host: Host) -> None:
    """What can't be read is said and the rest is shown."""
    host.result()
    (host.runtime / "ledger_simulate_main.sqlite3").write_bytes(b"not a database" * 100)
    shown = json.loads(host.run("trace", IDENTITY, "--json").output)
    assert len(shown["problems"]) == 1 and shown["events"]


def test_hostile_ids_reach_no_file(host: Host) -> None:
    """An id with a path in it is looked for under its hash and printed as nothing but text."""
    (host.folder.path.parent / "secret.json").write_text("{}")
    ended = host.run("trace", "../../secret")
    assert ended.exit_code == 1 and "x-" in ended.output
