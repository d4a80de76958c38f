"""A fuzzed signal through the real intake and core: a submit needs the second opinion's consent."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from shared_schema.clock import Moment
from shared_schema.drop_folder.names import SIGNAL_SLOT, signal_name
from shared_schema.ids import SignalId
from test_offline.fuzz import examples, strict, strict_json
from test_offline.fuzz.mutation import WORDS
from test_offline.fuzz.trial import ACCEPTED, REFUSED, Trial, WronglyAccepted, message
from tests.execution.bench import INSTANCE, Bench, rules_of
from windows_side.execution.actions import Submit

SELLABLE = 10_000
LOWEST, HIGHEST = 1.08, 1.32
"""Daily limits of the bench's fund, whose quote and previous close are 1.20 yuan."""


def core(random: Random, place: Path) -> Trial:
    """A signal file under its own name, the slot's or another's, looked at until it has settled."""
    example = examples.signal if random.random() < 0.8 else examples.seed_signal
    raw, made = message(random, example)
    name = _name(random, raw)
    version_1 = random.random() < 0.7
    # Small pauses first: whole files are taken at once, damaged ones settle after five seconds.
    pauses = random.choice(((0.0, 1.0, 6.0), (0.0, 6.0), (29.0, 6.0), (400.0, 6.0)))

    def judge() -> str:
        bench = Bench(rules_of(allow_version_1=version_1))
        for pause in pauses:
            bench.now = Moment(bench.now.wall + pause, bench.now.market + pause)
            bench.quote()
            bench.tell(bench.raw_file(raw, name))
        if len(bench.submits) > 1:
            raise WronglyAccepted(f"{len(bench.submits)} submits of one file")
        for submit in bench.submits:
            _check(submit, raw, name, version_1, bench.now.wall)
        return ACCEPTED if bench.submits else REFUSED

    return Trial(raw, f"{made} as {name}", judge)


def _name(random: Random, raw: bytes) -> str:
    way = random.random()
    if way < 0.3:
        return SIGNAL_SLOT
    if way < 0.4:
        return signal_name(SignalId(random.choice(WORDS) or "other"))
    try:
        identity = strict_json.parsed(raw, strict_json.SMALL).get("signal_id")
    except strict_json.Invalid:
        identity = None
    return signal_name(SignalId(identity if isinstance(identity, str) and identity else "sig-1"))


def _check(submit: Submit, raw: bytes, name: str, version_1: bool, now: float) -> None:
    try:
        payload = strict.checked_signal(raw)
    except strict_json.Invalid as problem:
        raise WronglyAccepted(f"submitted, though invalid: {problem}") from problem
    request = submit.request
    asked = [payload[field] for field in ("signal_id", "code", "direction", "shares", "price")]
    if [request.signal_id, request.code, request.direction, request.shares, request.price] != asked:
        raise WronglyAccepted(f"submitted {request} for {asked}")
    for fault in faults(payload, name, version_1, now):
        raise WronglyAccepted(f"submitted, though {fault}")


def faults(payload: dict[str, Any], name: str, version_1: bool, now: float) -> list[str]:
    """Why the bench's executor may not place this signal."""
    price, shares, buys = payload["price"], payload["shares"], payload["direction"] == "BUY"
    yuan = max(price * shares, payload.get("amount") or 0.0)
    deadline = payload.get("expires_at") or payload["timestamp"] + 300.0
    is_sealed = "checksum" in payload
    rules = {
        "a cancel": payload.get("action", "order") == "order",
        "version 1": is_sealed or version_1,
        "of another mode": not is_sealed or payload["mode"] == "simulate",
        "of another account": not is_sealed or payload["account"] == "main",
        "addressed to nobody or another": not is_sealed or payload.get("executor") == INSTANCE,
        "another name": name in (SIGNAL_SLOT, f"order_signal_{payload['signal_id']}.json"),
        "a code not allowed": payload["code"] == "159201.SZ",
        "off tick": abs(price * 1000 - round(price * 1000)) < 1e-3,
        "beyond the day's limits": LOWEST - 1e-9 <= price <= HIGHEST + 1e-9,
        "an odd lot": shares % 100 == 0,
        "too much": yuan <= (60_000 if buys else 300_000) and shares <= (100_000 if buys else SELLABLE),
        "expired": now <= deadline + 420.0 and deadline >= examples.NOW,
        "of the future": payload["timestamp"] <= now + 30.0,
    }
    return [fault for fault, holds in rules.items() if not holds]
