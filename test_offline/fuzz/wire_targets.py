"""The files that cross the folder, each through the product's own reader."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from shared_schema.drop_folder import NameKind, classify
from shared_schema.drop_folder.names import (
    done_name,
    halt_name,
    is_halt,
    result_name,
    signal_name,
    state_name,
)
from shared_schema.ids import SignalId, StrategyName, file_part
from shared_schema.integrity import Key
from shared_schema.messages import (
    decode_account,
    decode_heartbeat,
    decode_quote,
    decode_result,
    decode_signal,
    reads_as_halt,
)
from shared_schema.messages.halt import halted_at
from shared_schema.messages.signal import signal_digest
from test_offline.fuzz import examples, strict, strict_fields, strict_json
from test_offline.fuzz.mutation import WORDS, damaged
from test_offline.fuzz.trial import ACCEPTED, REFUSED, Trial, WronglyAccepted, checking, message

KEY = Key(b"a key both hosts have")


def signal(random: Random, place: Path) -> Trial:
    """A signal, in a third of the cases where both hosts have a key."""
    key = KEY if random.random() < 0.33 else None
    raw, made = message(random, examples.signal if random.random() < 0.75 else examples.seed_signal, key)

    def read() -> None:
        received = decode_signal(raw, "fuzz", key)
        signal_digest(received.body, received.envelope)
        if key is not None and received.envelope is not None and not received.signed:
            raise WronglyAccepted("unsigned, and a key is configured")

    def allowed() -> None:
        payload = strict_json.parsed(raw, strict_json.SMALL)
        is_sealed = any(name in payload for name in (*strict.ENVELOPE, *strict.SEALS))
        strict.checked_signal(raw, key if is_sealed else None)

    return Trial(raw, made, checking(read, allowed))


def result(random: Random, place: Path) -> Trial:
    """A result."""
    raw, made = message(random, examples.result if random.random() < 0.75 else examples.seed_result)
    return Trial(raw, made, checking(lambda: decode_result(raw, "fuzz"), lambda: strict.checked_result(raw)))


def quote(random: Random, place: Path) -> Trial:
    """A quote file."""
    raw, made = message(random, examples.quote if random.random() < 0.75 else examples.seed_quote)
    allowed = lambda: strict.checked(raw, strict.QUOTE, strict.SEED_QUOTE, strict_json.LARGE)  # noqa: E731
    return Trial(raw, made, checking(lambda: decode_quote(raw, "fuzz"), allowed))


def account(random: Random, place: Path) -> Trial:
    """An account snapshot."""
    raw, made = message(random, examples.account)
    allowed = lambda: strict.checked(raw, strict.ACCOUNT, None, strict_json.LARGE)  # noqa: E731
    return Trial(raw, made, checking(lambda: decode_account(raw, "fuzz"), allowed))


def heartbeat(random: Random, place: Path) -> Trial:
    """A heartbeat."""
    raw, made = message(random, examples.heartbeat)
    allowed = lambda: strict.checked(raw, strict.HEARTBEAT, None)  # noqa: E731
    return Trial(raw, made, checking(lambda: decode_heartbeat(raw, "fuzz"), allowed))


def halt(random: Random, place: Path) -> Trial:
    """A halt file: it halts unless it is whole, checked and says ``"halt": false``."""
    raw, made = message(random, examples.halt if random.random() < 0.6 else examples.seed_halt)

    def judge() -> str:
        halts, reason = reads_as_halt(raw)
        halted_at(raw)
        reason.encode("utf-8")
        if halts:
            return REFUSED
        try:
            payload = strict.checked(raw, strict.HALT, strict.HALT)
        except strict_json.Invalid as problem:
            raise WronglyAccepted(f"read as no halt: {problem}") from problem
        if payload.get("halt") is not False:
            raise WronglyAccepted("read as no halt, and does not say so")
        return ACCEPTED

    return Trial(raw, made, judge)


# Names

_VIEWS = ("shared_quote", "account_snapshot", "account_snapshot.simulate", "order_result", "executed_signals")
_OUR_NAMES = (
    "order_signal.json",
    "order_signal_BUY_159201.SZ_L1_1a2b3c4d.json",
    "order_signal_sig-001.json",
    "dashboard_state.json",
    "dashboard_state_grid2.simulate.json",
    "shared_quote.3.json",
    "OFFLINE",
    "shared_pool.json",
    *(f"{view}.json" for view in _VIEWS),
)
_COPIES = (
    ".sync-conflict-20261118-100000-ABCDEFG",
    " (mac's conflicted copy 2026-11-18)",
    "-DESKTOP-1A2B",
    " 2",
    " (1)",
    ".Conflict",
    "-冲突",
    "-NSConflict",
)


def names(random: Random, place: Path) -> Trial:
    """A name in the folder: only our own grammar is ever read, and ids never escape their folder."""
    name = random.choice(_OUR_NAMES)
    stem, dot, ending = name.rpartition(".")
    way = random.random()
    copied = random.choice(_COPIES)
    if way < 0.3 and dot:
        text, made = f"{stem}{copied}.{ending}", "conflict copy"
    elif way < 0.4:
        text, made = name, "valid"
    else:
        other = random.choice((*WORDS, *_OUR_NAMES)).encode("utf-8", "surrogatepass")
        raw, made = damaged(random, name.encode(), other)
        text = raw[:5000].decode("utf-8", "surrogateescape")

    def judge() -> str:
        found = classify(text)
        for made_name in (signal_name, done_name, result_name):
            _check_own_name(made_name(SignalId(text)))
        _check_own_name(halt_name(text))
        _check_own_name(state_name(StrategyName(text), "simulate"))
        if text.casefold().startswith("halt") and not is_halt(text):
            raise WronglyAccepted("a halt that does not halt")
        readable = found.kind in (NameKind.SIGNAL, NameKind.SIGNAL_SLOT, NameKind.VIEW)
        if readable and not _is_grammar(text):
            raise WronglyAccepted(f"{text!r} is read as {found.kind}")
        if found.kind is NameKind.SIGNAL and found.id_part != text[len("order_signal_") : -len(".json")]:
            raise WronglyAccepted(f"{text!r} names {found.id_part!r}")
        if made == "conflict copy" and found.kind in (NameKind.FOREIGN, NameKind.SIGNAL_SLOT):
            raise WronglyAccepted(f"conflict copy {text!r} is {found.kind}")
        return ACCEPTED if readable else REFUSED

    return Trial(text.encode("utf-8", "surrogateescape"), made, judge)


def _check_own_name(name: str) -> None:
    if not name.isascii() or len(name) > 110 or any(letter in '/\\:*?"<>|\x00' for letter in name):
        raise WronglyAccepted(f"a name of ours would be {name!r}")


def _is_grammar(text: str) -> bool:
    """Rule 7 and 8 written again, without patterns."""
    if text in ("OFFLINE", "order_signal.json"):
        return True
    if not text.endswith(".json") or not text.isascii():
        return False
    stem = text[: -len(".json")]
    letters = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
    if stem in (*_VIEWS, "shared_pool", *(f"shared_quote.{slot}" for slot in range(8))):
        return True
    if stem.startswith("order_signal_"):
        part = stem[len("order_signal_") :]
        return 0 < len(part) <= 64 and set(part) <= letters and len(text) <= 100
    if stem.startswith("dashboard_state"):
        rest = stem[len("dashboard_state") :].removesuffix(".simulate")
        return rest == "" or (rest[0] == "_" and 0 < len(rest[1:]) <= 64 and set(rest[1:]) <= letters)
    return False


def identity(random: Random, place: Path) -> Trial:
    """An id becomes part of a name as itself or as a digest; two ids never share one part."""
    raw, made = damaged(random, b"BUY_159201.SZ_L1_1a2b3c4d", random.choice(WORDS).encode("utf-8", "replace"))
    text = raw[:3000].decode("utf-8", "surrogateescape")

    def judge() -> str:
        part = file_part(text)
        if part != text and not (part.startswith("x-") and len(part) == 34):
            raise WronglyAccepted(f"{text!r} becomes {part!r}")
        if part == text and not strict_fields.identity(text):
            raise WronglyAccepted(f"{text!r} stands in names as it is")
        return ACCEPTED if part == text else REFUSED

    return Trial(text.encode("utf-8", "surrogateescape"), made, judge)


TARGETS: dict[str, Any] = {
    "signal": signal,
    "result": result,
    "quote": quote,
    "account": account,
    "heartbeat": heartbeat,
    "halt": halt,
    "names": names,
    "identity": identity,
}
