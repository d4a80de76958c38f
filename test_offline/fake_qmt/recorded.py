"""A recording of a real terminal, replayed through our readers and held against the stand-in.

    python -m test_offline.fake_qmt.recorded FILE

FILE is what ``miniqmt acceptance --record FILE`` kept. Each recorded object is read as the product reads
it, put into the stand-in's record of the same kind and read again: a field that one has and the other
lacks, another type, a text too long for the stand-in's buffer, or another reading is named. The times
between answer, push and listing are those the stand-in should have. 0 where nothing differs.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from test_offline.fake_qmt import native
from windows_side.brokers import qmt_fields
from windows_side.brokers.qmt_fields import FieldError

Reader = Callable[[Any], object]
_OURS: dict[str, Reader] = {
    "XtOrder": qmt_fields.order_of,
    "XtTrade": qmt_fields.trade_of,
    "XtPosition": qmt_fields.position_of,
    "XtAsset": qmt_fields.asset_of,
}
"""The product's own reading of a record."""
_KINDS = {
    "order": "XtOrder",
    "listed by query_stock_orders": "XtOrder",
    "trade": "XtTrade",
    "listed by query_stock_trades": "XtTrade",
    "position": "XtPosition",
    "listed by query_stock_positions": "XtPosition",
    "asset": "XtAsset",
    "answer of query_stock_asset": "XtAsset",
    "status": "XtAccountStatus",
    "order_error": "XtOrderError",
    "cancel_error": "XtCancelError",
}
_NOT_NATIVE = {"value", "fields"}
_UNREADABLE = "unreadable: "


@dataclass(frozen=True)
class Line:
    """One recorded object; ``at`` in monotonic seconds."""

    at: float
    kind: str
    fields: Mapping[str, Any]


def read_recording(path: Path) -> list[Line]:
    """The recording's lines. Raises ValueError where one can't be read."""
    lines = []
    for number, text in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            told = json.loads(text)
            lines.append(Line(float(told["monotonic"]), str(told["kind"]), dict(told["fields"])))
        except (ValueError, KeyError, TypeError) as problem:
            raise ValueError(f"{path}, line {number}: {problem!r}") from problem
    return lines


def differences(lines: list[Line]) -> list[str]:
    """What the recording has otherwise than the stand-in, each said once."""
    found: dict[str, None] = {}
    for line in lines:
        name = _KINDS.get(line.kind)
        if name is not None and "value" not in line.fields:
            found.update(dict.fromkeys(_of_record(name, line.fields)))
    return list(found)


def _of_record(name: str, fields: Mapping[str, Any]) -> Iterator[str]:
    kind = native.RECORDS[name]
    shown = {spelling: field for field in kind.fields.values() for spelling in field.names}
    recorded = {key: value for key, value in fields.items() if key not in _NOT_NATIVE}
    longer = {"order_remark"} if hasattr(kind, "order_remark") else set()
    for missing in sorted(recorded.keys() - shown.keys() - longer):
        yield f"{name}.{missing}: recorded, not in the stand-in"
    for field in kind.fields.values():
        if not recorded.keys() & set(field.names):
            yield f"{name}.{field.names[-1]}: in the stand-in, not recorded"
    made = kind()
    for key in sorted(shown.keys() & recorded.keys()):
        yield from _of_field(f"{name}.{key}", shown[key], made, key, recorded[key])
    if name in _OURS:
        yield from _of_reading(name, _OURS[name], made, recorded)


def _of_field(place: str, field: native.Field, made: native.Native, key: str, value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith(_UNREADABLE):
        yield f"{place}: could not be read at the terminal ({value.removeprefix(_UNREADABLE)})"
        return
    try:
        setattr(made, key, value)
    except TypeError:
        yield f"{place}: {type(value).__name__} recorded, the stand-in takes no such value"
        return
    if isinstance(field, native.Text) and len(str(value).encode()) > field.size - 1:
        yield f"{place}: {len(str(value).encode())} bytes recorded, the stand-in keeps {field.size - 1}"


def _of_reading(
    name: str, reader: Reader, made: native.Native, recorded: Mapping[str, Any]
) -> Iterator[str]:
    try:
        real = reader(SimpleNamespace(**recorded))
    except FieldError as problem:
        yield f"{name}: the product can't use the recorded one: {problem}"
        return
    try:
        ours = reader(made)
    except (FieldError, UnicodeDecodeError) as problem:
        yield f"{name}: the product reads the recorded one, not the stand-in's of it: {problem}"
        return
    if real != ours:
        yield f"{name}: recorded reads {real}, the stand-in's of it {ours}"


def delays(lines: list[Line]) -> dict[str, list[float]]:
    """Seconds from each order's answer to its first push and first listing; below 0: it came before."""
    taken: dict[str, list[float]] = {"answer to push": [], "answer to listing": []}
    for answer in lines:
        number = answer.fields.get("value")
        if answer.kind != "answer of order_stock" or not isinstance(number, int) or number <= 0:
            continue
        for what, kind in (("push", "order"), ("listing", "listed by query_stock_orders")):
            at = [line.at for line in lines if line.kind == kind and line.fields.get("order_id") == number]
            if at:
                taken[f"answer to {what}"].append(min(at) - answer.at)
    return taken


def main(arguments: list[str]) -> int:
    """Say what differs and the delays."""
    lines = read_recording(Path(arguments[0]))
    for what, seconds in delays(lines).items():
        if seconds:
            middle = statistics.median(seconds)
            print(f"{what}: {min(seconds):.3f} to {max(seconds):.3f} s, median {middle:.3f}")
    found = differences(lines)
    for text in found:
        print(f"differs: {text}")
    print(f"{len(lines)} recorded objects, {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
