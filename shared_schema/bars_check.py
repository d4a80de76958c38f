"""What is wrong and what is odd in a file of minute bars: every finding with its line; nothing is repaired.

Wrong rows are those no backtest takes (``bars_file``). Odd ones it does take, and their trades are then
as odd: missing minutes and days, days that do not trade, prices that jump and come back, labels that
stand at the beginning of their minute.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

from shared_schema.bars_file import Bar, rows_of
from shared_schema.shanghai import day_of, minute_of_day, shanghai
from shared_schema.trading_calendar import TradingCalendar
from shared_schema.words import say

MINUTE_JUMP = 0.03
"""A minute's move that may be a slip; it also has to be far beyond the file's usual move."""
USUAL_TIMES = 20.0
"""How many times the median move of a minute is far."""
NIGHT_JUMP = 0.11
"""Beyond a fund's daily limit from one day's close to the next day's open: an ex-date, or a slip."""
_MORNING = tuple(range(9 * 60 + 31, 11 * 60 + 31))
_AFTERNOON = tuple(range(13 * 60 + 1, 15 * 60 + 1))
_QUIET = frozenset({14 * 60 + 58, 14 * 60 + 59})
"""Minutes of the closing call, in which nothing trades: many sources leave them out."""
_FIRST, _LAST = 9 * 60 + 30, 15 * 60


@dataclass(frozen=True)
class Finding:
    """One thing found: a stable word, the line it stands at (0: the file as a whole), and a sentence."""

    kind: str
    line: int
    text: str
    wrong: bool = False
    """Whether a backtest refuses the row; else it reads it, and the person should know."""


@dataclass(frozen=True)
class Checked:
    """A file after its check."""

    path: Path
    bars: int
    days: int
    first: str
    last: str
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many findings of each kind, the most frequent first."""
        return dict(Counter(finding.kind for finding in self.findings).most_common())

    @property
    def has_wrong_rows(self) -> bool:
        """Whether a backtest refuses the file."""
        return any(finding.wrong for finding in self.findings)


def check_bars(path: Path, calendar: TradingCalendar) -> Checked:
    """Look at every row of ``path``. Raises DataError where the file as a whole can't be read."""
    right, problems = rows_of(path)
    wrong = [
        Finding(problem.key.rpartition(".")[2], int(str(problem.values.get("line", 0))), problem.what, True)
        for problem in problems
    ]
    bars = [bar for _, bar in right]
    by_day: dict[str, list[tuple[int, Bar]]] = {}
    for line, bar in right:
        by_day.setdefault(day_of(bar.end), []).append((line, bar))
    odd = [*_labels(by_day), *_days(by_day, calendar), *_minutes(by_day, calendar), *_jumps(right)]
    return Checked(
        path=path,
        bars=len(bars),
        days=len(by_day),
        first=_moment(bars[0].end) if bars else "",
        last=_moment(bars[-1].end) if bars else "",
        findings=tuple(sorted([*wrong, *odd], key=lambda finding: finding.line)),
    )


def _labels(by_day: dict[str, list[tuple[int, Bar]]]) -> Iterator[Finding]:
    if _labelled_by_start(by_day):
        yield Finding("start_labels", 0, say("bars_check.start_labels"))


def _labelled_by_start(by_day: dict[str, list[tuple[int, Bar]]]) -> bool:
    """Whether bars stand at the beginning of their minute: days from 9:30 that never reach 15:00."""
    labels = [{minute_of_day(bar.end) for _, bar in rows} for rows in by_day.values()]
    return bool(labels) and all(_FIRST in day and _LAST not in day for day in labels)


def _days(by_day: dict[str, list[tuple[int, Bar]]], calendar: TradingCalendar) -> Iterator[Finding]:
    """Days that do not trade and are there, days that trade and are not; unknown ones are not judged."""
    for text, rows in by_day.items():
        if calendar.is_trading_day(date.fromisoformat(text)) is False:
            yield Finding("closed_day", rows[0][0], say("bars_check.closed_day", day=text, bars=len(rows)))
    for before, after in pairwise(by_day):
        day = date.fromisoformat(before) + timedelta(days=1)
        missing = []
        while day.isoformat() < after:
            if calendar.is_trading_day(day):
                missing.append(day.isoformat())
            day += timedelta(days=1)
        if missing:
            shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
            text = say("bars_check.missing_days", count=len(missing), days=shown)
            yield Finding("missing_days", by_day[after][0][0], text)


def _minutes(by_day: dict[str, list[tuple[int, Bar]]], calendar: TradingCalendar) -> Iterator[Finding]:
    """Runs of minutes that are not there, each at the line after it."""
    shift = 1 if _labelled_by_start(by_day) else 0
    for text, rows in by_day.items():
        half = calendar.is_half_day(date.fromisoformat(text))
        labels = [label - shift for label in (_MORNING if half else _MORNING + _AFTERNOON)]
        lines = {minute_of_day(bar.end): line for line, bar in rows}
        run: list[int] = []
        for label in [*labels, None]:
            if label is not None and label not in lines:
                run.append(label)
                continue
            missing = [minute for minute in run if minute + shift not in _QUIET]
            if missing:
                line = lines[label] if label is not None else rows[-1][0]
                span = f"{text} {_clock(missing[0])}–{_clock(missing[-1])}"
                yield Finding("gap", line, say("bars_check.gap", count=len(missing), span=span))
            run = []


def _jumps(right: Sequence[tuple[int, Bar]]) -> Iterator[Finding]:
    """Moves no fund makes: within a minute far beyond the usual one, over night beyond the daily limit."""
    moves = [
        abs(bar.close / before.close - 1)
        for (_, before), (_, bar) in pairwise(right)
        if day_of(before.end) == day_of(bar.end)
    ]
    far = max(MINUTE_JUMP, USUAL_TIMES * statistics.median(moves)) if moves else MINUTE_JUMP
    for (_, before), (line, bar) in pairwise(right):
        if day_of(before.end) != day_of(bar.end):
            move = bar.open / before.close - 1
            if abs(move) > NIGHT_JUMP:
                text = say("bars_check.night_jump", time=_moment(bar.end), move=f"{move:+.1%}")
                yield Finding("night_jump", line, text)
        moved = [price / before.close - 1 for price in (bar.high, bar.low, bar.close)]
        if day_of(before.end) == day_of(bar.end) and max(map(abs, moved)) > far:
            move = max(moved, key=abs)
            yield Finding(
                "outlier", line, say("bars_check.outlier", time=_moment(bar.end), move=f"{move:+.1%}")
            )


def _moment(seconds: float) -> str:
    return shanghai(seconds).strftime("%Y-%m-%d %H:%M")


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
