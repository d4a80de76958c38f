"""One fuzzed input with its judge, and the helpers all targets share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from shared_schema.errors import MiniqmtError
from test_offline.fuzz.mutation import changed, damaged
from test_offline.fuzz.strict_json import Invalid, sealed

ACCEPTED, REFUSED = "accepted", "refused"


class WronglyAccepted(Exception):
    """A reader took what the contract does not allow, or lost what was written."""


@dataclass(frozen=True)
class Trial:
    """An input, what was done to it, and the judge: it says accepted or refused, or raises."""

    raw: bytes
    made: str
    judge: Callable[[], str]


Example = Callable[[Random], dict[str, Any]]


def as_text(payload: Mapping[str, Any], random: Random) -> bytes:
    """``payload`` as somebody's JSON writer would put it."""
    style: dict[str, Any] = random.choice(
        ({}, {"indent": 1}, {"separators": (",", ":")}, {"sort_keys": True})
    )
    if random.random() < 0.5:
        style["ensure_ascii"] = False
    try:
        return json.dumps(payload, **style).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, RecursionError):
        return b"{}"


def _valid(payload: dict[str, Any], random: Random, key: bytes | None) -> bytes:
    try:
        is_ours = "schema_version" in payload or "checksum" in payload
        return as_text(sealed(payload, key) if is_ours else payload, random)
    except (TypeError, ValueError, RecursionError):
        return as_text(payload, random)


def message(random: Random, example: Example, key: bytes | None = None) -> tuple[bytes, str]:
    """A JSON file: valid, with changed fields (sealed again or not), or with damaged bytes."""
    payload = example(random)
    way = random.random()
    if way < 0.06:
        return _valid(payload, random, key), "valid"
    if way < 0.5:
        made = []
        before = sealed(payload, key) if "schema_version" in payload else payload
        for _ in range(random.choice((1, 1, 2, 3))):
            payload, step = changed(random, payload)
            made.append(step)
        if random.random() < 0.75:
            return _valid(payload, random, key), "; ".join(made)
        stale = {name: before[name] for name in ("checksum", "signature") if name in before}
        return as_text(payload | stale, random), "; ".join(made) + " (old seal)"
    return damaged(random, _valid(payload, random, key), _valid(example(random), random, key))


def checking(read: Callable[[], object], strict: Callable[[], object]) -> Callable[[], str]:
    """A judge: whatever ``read`` takes without a MiniqmtError, ``strict`` must allow."""

    def judge() -> str:
        try:
            read()
        except MiniqmtError as problem:
            str(problem)  # what is said to a person must not break either
            return REFUSED
        try:
            strict()
        except Invalid as problem:
            raise WronglyAccepted(str(problem)) from problem
        return ACCEPTED

    return judge
