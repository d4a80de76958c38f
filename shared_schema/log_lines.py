"""The line of a log: how it is written and read back.

    2026-11-20 09:31:00.123 INFO    signal_received  收到信号 BUY_… | signal_id=BUY_… shares=2200

Times are Asia/Shanghai on every host. A field's value stands bare where it is one printable word,
else as a JSON string, so that no line break or escape code of a hostile id reaches file or screen.
"""

from __future__ import annotations

import json
import re
import time
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Level = Literal["debug", "info", "warning", "error"]
_SHANGHAI_OFFSET = 8 * 3600


@dataclass(frozen=True)
class Line:
    """One entry of a log. ``fields`` hold texts, as they stand in the file."""

    time: float
    """Unix seconds, to the millisecond once it was read back from a file."""
    level: Level
    action: str
    sentence: str
    fields: Mapping[str, str]

    @property
    def text(self) -> str:
        """The line as it stands in the file, without line end."""
        fields = " ".join(f"{name}={_field_text(value)}" for name, value in self.fields.items())
        parts = [part for part in (self.sentence, f"| {fields}" if fields else "") if part]
        return f"{_time_text(self.time)} {self.level.upper():<7} {self.action}  {' '.join(parts)}".rstrip()

    @property
    def short(self) -> str:
        """The line as the console shows it: without date and, where there is a sentence, without fields."""
        fields = " ".join(f"{name}={_field_text(value)}" for name, value in self.fields.items())
        mark = "" if self.level in ("debug", "info") else f"{self.level.upper()} "
        return f"{_time_text(self.time)[11:19]} {mark}{self.sentence or f'{self.action} {fields}'}".rstrip()


_HEAD = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.(\d{3}) (DEBUG|INFO|WARNING|ERROR) +(\S+)(?:  (.*))?\Z", re.DOTALL
)
_FIELD = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
_BARE = re.compile(r"[^\s\"|=]+\Z")


def parse_line(text: str) -> Line | None:
    """The line in ``text``; None where it is not one of ours."""
    head = _HEAD.match(text)
    if head is None:
        return None
    stamp, millis, level, action, rest = head.groups()
    seconds = _unix(stamp) + int(millis) / 1000
    sentence, fields = _parted(rest or "")
    return Line(seconds, level.lower(), action, sentence, fields)  # type: ignore[arg-type]


def _unix(stamp: str) -> float:
    return timegm(time.strptime(stamp, "%Y-%m-%d %H:%M:%S")) - _SHANGHAI_OFFSET


def _parted(rest: str) -> tuple[str, dict[str, str]]:
    """Sentence and fields: a sentence may hold a bar, the fields are the first part that parses whole."""
    for bar in re.finditer(r"(?:^| )\| ", rest):
        fields = _fields(rest[bar.end() :])
        if fields is not None:
            return rest[: bar.start()], fields
    return rest, {}


def _fields(text: str) -> dict[str, str] | None:
    fields: dict[str, str] = {}
    decoder = json.JSONDecoder()
    at = 0
    while at < len(text):
        name = _FIELD.match(text, at)
        if name is None:
            return None
        at = name.end()
        if text[at : at + 1] == '"':
            try:
                value, end = decoder.raw_decode(text, at)
            except json.JSONDecodeError:
                return None
        else:
            value = text[at:].partition(" ")[0]
            end = at + len(value)
        if text[end : end + 1] not in ("", " "):
            return None
        fields[name.group(1)] = str(value)
        at = end + 1
    return fields


def _field_text(value: str) -> str:
    """``value`` bare where it is one printable word, else as a JSON string."""
    if _BARE.match(value) and value.isprintable():
        return value
    return json.dumps(value, ensure_ascii=not value.replace("\n", "").isprintable())


def _time_text(seconds: float) -> str:
    millis = round(seconds * 1000)
    whole = time.gmtime(millis // 1000 + _SHANGHAI_OFFSET)
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', whole)}.{millis % 1000:03d}"
