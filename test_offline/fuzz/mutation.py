"""How valid inputs are damaged: bytes, texts and JSON values, as sync tools, editors and mistakes do it."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

WORDS = (
    "",
    " ",
    "0",
    "BUY",
    "SELL",
    "buy",
    "true",
    "null",
    "NaN",
    "../x",
    "CON",
    "nul.json",
    "a\x00b",
    "x" * 200,
    "买入",
    "\u202e159201",
    "é",
    "e\u0301",
    "\ud83d\ude00",
    "159201.SZ",
    "159201",
    "simulate",
    "live",
    "*",
    "~no-such-user/x",
    "=1+1",
    "9" * 400,
    "2026-11-18",
    "2026-13-45",
    "main",
    "1e5",
    "a\nb",
    "'",
    '"',
    "\\",
    "{}",
    "%s",
    "{0}",
)
NUMBERS: tuple[Any, ...] = (
    0,
    -0.0,
    -1,
    1,
    2,
    0.001,
    1.0,
    1.5,
    2**31,
    2**53 + 1,
    2**63,
    2**64,
    10**30,
    10**400,
    -(2**63) - 1,
    1e16,
    1e-7,
    1e306,
    1e308,
    -1e308,
    5e-324,
    float("nan"),
    float("inf"),
    float("-inf"),
    1.0000001,
    1000.0,
    100,
)
TOKENS = (
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e400",
    b"-1e400",
    b"0x10",
    b"01",
    b"1_000",
    b"+1",
    b"1.",
    b".5",
    b"-0",
    b"9" * 50,
    b"9" * 5000,
    b"null",
    b"true",
    b"True",
    b"''",
    b'""',
    b'"\\ud800"',
    b"{}",
    b"[]",
    b"[[[[",
    b"}",
    b",",
    b"\xff",
    b"\xc3",
    b"\xe4\xb9",
    b"\x00",
    b"\r",
    b"\n",
    b"\x1a",
    b"\xef\xbb\xbf",
    b"/*x*/",
    b"//x\n",
    b"#x\n",
)

ByteStep = Callable[[Random, bytes, bytes], bytes]


def _cut(random: Random, raw: bytes) -> tuple[int, int]:
    first, second = random.randrange(len(raw) + 1), random.randrange(len(raw) + 1)
    return min(first, second), max(first, second)


def _flip(random: Random, raw: bytes, other: bytes) -> bytes:
    if not raw:
        return raw
    at = random.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ (1 << random.randrange(8))]) + raw[at + 1 :]


def _truncate(random: Random, raw: bytes, other: bytes) -> bytes:
    return raw[: random.randrange(len(raw) + 1)]


def _insert(random: Random, raw: bytes, other: bytes) -> bytes:
    at = random.randrange(len(raw) + 1)
    return (
        raw[:at] + random.choice((random.choice(TOKENS), random.randbytes(random.randint(1, 8)))) + raw[at:]
    )


def _delete(random: Random, raw: bytes, other: bytes) -> bytes:
    start, _ = _cut(random, raw)
    return raw[:start] + raw[start + random.randint(1, 12) :]


def _repeat(random: Random, raw: bytes, other: bytes) -> bytes:
    start, end = _cut(random, raw)
    return raw[:end] + raw[start:end] + raw[end:]


def _zero(random: Random, raw: bytes, other: bytes) -> bytes:
    start, end = _cut(random, raw)
    return raw[:start] + bytes(end - start) + raw[end:]


def _pad(random: Random, raw: bytes, other: bytes) -> bytes:
    return raw + random.choice((b"\x00", b" ", b"\r\n", b"\x1a", b"}", b"\xff")) * random.choice((1, 7, 512))


def _splice(random: Random, raw: bytes, other: bytes) -> bytes:
    return raw[: random.randrange(len(raw) + 1)] + other[random.randrange(len(other) + 1) :]


def _same_place(random: Random, raw: bytes, other: bytes) -> bytes:
    # A longer file written over in place: the tail of the old one stands after the new one.
    at = random.randrange(min(len(raw), len(other)) + 1)
    return raw[:at] + other[at:]


def _bom(random: Random, raw: bytes, other: bytes) -> bytes:
    return random.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\xef\xbb\xbf\xef\xbb\xbf", b"\xef\xbb")) + raw


def _encode_again(random: Random, raw: bytes, other: bytes) -> bytes:
    text = raw.decode("utf-8", "replace")
    return text.encode(random.choice(("gbk", "utf-16", "utf-16-le", "utf-32", "latin-1")), "replace")


def _line_ends(random: Random, raw: bytes, other: bytes) -> bytes:
    return raw.replace(b",", b",\r\n") if b"\n" not in raw else raw.replace(b"\n", b"\r\n")


def _token(random: Random, raw: bytes, other: bytes) -> bytes:
    """Something else in the place of one value."""
    at = [place for place, byte in enumerate(raw) if byte in b":=,"]
    if not at:
        return raw
    start = random.choice(at) + 1
    end = next((place for place in range(start, len(raw)) if raw[place] in b",}\n"), len(raw))
    return raw[:start] + random.choice(TOKENS) + raw[end:]


def _deep(random: Random, raw: bytes, other: bytes) -> bytes:
    depth = random.choice((50, 260, 900, 1020, 1100, 20_000))
    opening, closing = random.choice(((b"[", b"]"), (b'{"a":', b"}")))
    core = opening * depth + (b"1" if opening != b"[" else b"") + closing * depth
    at = raw.find(random.choice((b":", b"=", b",")))
    if at < 0:
        return core
    end = next((place for place in range(at + 1, len(raw)) if raw[place] in b",}\n"), len(raw))
    return raw[: at + 1] + core + raw[end:]


def _twice(random: Random, raw: bytes, other: bytes) -> bytes:
    """One field a second time, with the other file's value or its own."""
    fields = [
        part for part in (other if random.random() < 0.5 else raw).strip(b"{} \n").split(b",") if b":" in part
    ]
    if not fields or b"{" not in raw:
        return _repeat(random, raw, other)
    field = random.choice(fields)
    return (
        raw.replace(b"{", b"{" + field + b",", 1) if random.random() < 0.5 else raw[:-1] + b"," + field + b"}"
    )


def _huge(random: Random, raw: bytes, other: bytes) -> bytes:
    at = random.randrange(len(raw) + 1)
    return raw[:at] + random.choice((b" ", b"9", b"a", b"\n")) * random.choice((3000, 70_000)) + raw[at:]


BYTE_STEPS: tuple[ByteStep, ...] = (
    _flip,
    _flip,
    _flip,
    _truncate,
    _truncate,
    _insert,
    _insert,
    _delete,
    _repeat,
    _zero,
    _pad,
    _splice,
    _same_place,
    _bom,
    _encode_again,
    _line_ends,
    _token,
    _token,
    _token,
    _twice,
    _twice,
    _deep,
    _huge,
)


def damaged(random: Random, raw: bytes, other: bytes) -> tuple[bytes, str]:
    """``raw`` after one to three steps of damage (``other``: a second valid input), and their names."""
    steps = [random.choice(BYTE_STEPS) for _ in range(random.choice((1, 1, 1, 2, 3)))]
    for step in steps:
        raw = step(random, raw, other)
    return raw, "+".join(step.__name__.strip("_") for step in steps)


def odd_value(random: Random, depth: int = 0) -> Any:
    """A value nobody expects there."""
    kind = random.randrange(8 if depth < 2 else 5)
    if kind <= 1:
        return random.choice(NUMBERS)
    if kind <= 3:
        return random.choice(WORDS)
    if kind == 4:
        return random.choice((None, True, False))
    if kind == 5:
        return [odd_value(random, depth + 1) for _ in range(random.randrange(3))]
    if kind == 6:
        return {random.choice(WORDS) or "k": odd_value(random, depth + 1) for _ in range(random.randrange(3))}
    nested: Any = 1
    for _ in range(random.choice((3, 70, 260))):
        nested = [nested]
    return nested


def _places(value: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [prefix] if prefix else []
    for name, content in inner:
        found += _places(content, (*prefix, name))
    return found


def _at(value: Any, place: tuple[Any, ...]) -> Any:
    for part in place:
        value = value[part]
    return value


def changed(random: Random, payload: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """A copy of ``payload`` with one field removed, added, swapped or of another kind."""
    copy = json.loads(json.dumps(payload))
    places = _places(copy)
    if not places:
        return {"x": odd_value(random)}, "added"
    place = random.choice([here for here in places if len(here) == 1] if random.random() < 0.6 else places)
    holder, last, kind = _at(copy, place[:-1]), place[-1], random.randrange(7)
    if kind == 0:
        del holder[last]
        return copy, f"without {place}"
    if kind == 1 and isinstance(holder, dict):
        holder[random.choice(("extra", "", "price ", "Price", "__proto__", "信号"))] = odd_value(random)
        return copy, f"added beside {place}"
    if kind == 2:
        other = random.choice(places)
        if other[: len(place)] != place and place[: len(other)] != other:
            mine, theirs = holder[last], _at(copy, other)
            holder[last], _at(copy, other[:-1])[other[-1]] = theirs, mine
            return copy, f"swapped {place} and {other}"
    if kind == 3:
        holder[last] = _other_kind(holder[last])
        return copy, f"retyped {place}"
    if kind == 4 and isinstance(holder[last], int | float) and abs(holder[last]) < 2**63:
        holder[last] = holder[last] * random.choice((-1, 0, 0.1, 10, 1000, 1.0000001, 1e300))
        return copy, f"scaled {place}"
    holder[last] = odd_value(random)
    return copy, f"odd {place}"


def _other_kind(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return float(value) if value % 2 else str(value)
    if isinstance(value, float):
        return int(value) if value == value and abs(value) < 1e300 else str(value)
    if isinstance(value, str):
        return float(value) if value.replace(".", "", 1).isdigit() else [value]
    return str(value) if value is not None else 0
