"""Faults 69, 70 and 78: files a person edited or copied back, quotes and results that belong elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mac_side.bridge_client.inbox import refusal_of
from shared_schema.messages import Envelope, OrderResult, Quote, QuoteSnapshot, Received, encode
from tests.execution.bench import FUND, Bench, envelope_of, rules_of, signal_of
from tests.mac_side.test_engine_decides import newest, ready
from tests.mac_side.world import answer, moment, quote
from windows_side.execution.actions import CopyToQuarantine
from windows_side.execution.events import QuoteSeen

NOW = moment("10:00:30")


def test_a_signal_edited_by_hand_is_kept_apart() -> None:
    """1,000 shares made 9,000: the checksum tells, nothing is placed, the file goes to quarantine."""
    bench = Bench()
    raw = encode(envelope_of(), signal_of("s1")).replace(b'"shares":1000', b'"shares":9000')
    name = "order_signal_s1.json"
    bench.tell(bench.raw_file(raw, name))
    bench.now = bench.now.__class__(bench.now.wall + 6, bench.now.market + 6)
    said = bench.tell(bench.raw_file(raw, name))
    assert [a.reason["reason"] for a in said if isinstance(a, CopyToQuarantine)] == ["damaged"]
    assert not bench.submits


def test_an_archived_signal_copied_back_under_another_name_is_no_new_one() -> None:
    """The id in the name must be that of the payload, and the payload's id is known."""
    bench = Bench()
    bench.drop(signal_of("s1"))
    raw = encode(envelope_of(), signal_of("s1"))
    for name in ("order_signal_s2.json", "order_signal.json", "order_signal_s1.json"):
        bench.tell(bench.raw_file(raw, name))
    assert len(bench.submits) == 1


@pytest.mark.parametrize(("ours", "theirs", "taken"), [
    ("simulate", "live", True), ("simulate", "simulate", True),
    ("live", "live", True), ("live", "simulate", False),
])  # fmt: skip
def test_prices_of_a_simulation_never_reach_a_live_executor(ours: str, theirs: str, taken: bool) -> None:
    """Fault 70, rule 10: a simulating executor may use a live bridge's prices, not the other way."""
    bench = Bench(rules_of(mode=ours), ready=False)
    body = QuoteSnapshot(code=FUND, price=1.2, quotes={FUND: Quote(price=1.2, pre_close=1.2)})
    bench.tell(QuoteSeen(Received(envelope_of(mode=theirs), body, b"")))
    assert (bench.core.quote(FUND) is not None) == taken


def test_yesterdays_result_settles_only_yesterdays_signal() -> None:
    """Fault 78: the same id and digest on another trading day, and another digest, are both not ours."""
    made = ready(NOW)
    made.handle(quote(NOW, 1.052), NOW)
    entry = newest(made)
    received = answer(entry, NOW, entry.intention.shares).received

    def refusal(head: Envelope | None, body: OrderResult | None = None) -> str:
        told = replace(received, envelope=head, body=body or received.body)
        return refusal_of(entry, told, mode="simulate", account="main", version_1_allowed=True)

    assert refusal(received.envelope) == ""
    yesterday = received.envelope.model_copy(update={"trading_day": "2026-11-19"})  # type: ignore[union-attr]
    assert refusal(yesterday) == "day"
    other = received.body.model_copy(update={"signal_digest": "0" * 64})
    assert refusal(received.envelope, other) == "digest"
