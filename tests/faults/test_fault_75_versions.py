"""Fault 75: either side may be upgraded first: the format before ours and the one after are met safely."""

from __future__ import annotations

import orjson

from mac_side.bridge_client.inbox import refusal_of
from mac_side.engine_events import QuoteSeen
from shared_schema.integrity import checksum
from shared_schema.messages import decode_result, encode
from tests.execution.bench import Bench, alarms, envelope_of, rules_of, signal_of
from tests.mac_side.test_engine_decides import newest, ready
from tests.mac_side.world import moment, quote
from windows_side.execution.actions import Say

SEED = {
    "signal_id": "abc123",
    "code": "159201.SZ",
    "direction": "BUY",
    "price": 1.2,
    "shares": 1000,
    "timestamp": 0.0,
    "reason": "by hand",
}


def seed_signal(bench: Bench) -> bytes:
    """A signal as the version before ours writes it."""
    return orjson.dumps(SEED | {"timestamp": bench.now.wall})


def test_a_new_executor_takes_the_old_format_where_it_is_allowed() -> None:
    """E before S: simulate executes it once; live refuses it and says so."""
    bench = Bench()
    bench.tell(bench.raw_file(seed_signal(bench)))
    assert bench.state("abc123") == "submitted"
    live = Bench(rules_of(mode="live", allow_version_1=False))
    live.tell(live.raw_file(seed_signal(live)))
    assert live.result("abc123").error_code == "version_1"


def test_an_old_reader_finds_the_seeds_fields_in_our_result() -> None:
    """S before E: every field of the format before ours stands at the top level of our result."""
    bench = Bench()
    bench.tell(bench.raw_file(seed_signal(bench)))
    raw = encode(envelope_of(), bench.result("abc123"))
    fields = orjson.loads(raw)
    for name in (
        "signal_id",
        "status",
        "order_id",
        "message",
        "timestamp",
        "requested_shares",
        "filled_shares",
    ):
        assert name in fields
    assert fields["status"] == "pending" and fields["direction"] == "BUY"


def test_a_new_dashboard_takes_the_old_executors_answer_in_simulate_only() -> None:
    """S before E: a result without envelope is matched by id, side and shares; live it is not applied."""
    now = moment("10:00:30")
    made = ready(now)
    seen = quote(now, 1.052)
    assert isinstance(seen, QuoteSeen)
    made.handle(seen, now)
    entry = newest(made)
    raw = orjson.dumps(
        {
            "signal_id": entry.signal_id,
            "status": "success",
            "order_id": "1",
            "message": "",
            "timestamp": now.wall,
            "direction": entry.direction,
            "requested_shares": entry.intention.shares,
            "filled_shares": entry.intention.shares,
        }
    )
    received = decode_result(raw)
    for allowed, refusal in ((True, ""), (False, "version_1")):
        found = refusal_of(entry, received, mode="simulate", account="main", version_1_allowed=allowed)
        assert found == refusal


def test_a_newer_format_is_kept_for_the_program_that_knows_it() -> None:
    """S after E: neither executed nor refused nor moved; said once, for both of its looks."""
    bench = Bench()
    body = orjson.loads(encode(envelope_of(), signal_of("s1"))) | {"schema_version": 3, "further": "field"}
    del body["checksum"]
    raw = orjson.dumps(body | {"checksum": checksum(body)})
    said = [bench.tell(bench.raw_file(raw)) for _ in range(2)]
    assert [alarms(actions) for actions in said] == [["unknown_version"], []]
    assert [type(action) for action in said[0] + said[1]] == [Say] and not bench.submits
