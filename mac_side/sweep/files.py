"""The files of a sweep: what is done so far (for going on after a kill), and the ranked table."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from mac_side.backtest.result_files import write_whole
from mac_side.strategy.parameters import GridParameters
from mac_side.sweep.run import Figures, Outcome, over_drawdown, rank_order
from mac_side.sweep.sets import Settings
from shared_schema.errors import FolderError

_FORMAT = 1


def sweep_key(csv_file: Path, base: GridParameters, sets: Sequence[Settings], folds: int) -> str:
    """What must be equal for a former run to be gone on with: data, base, sets and folds."""
    told = orjson.dumps([_FORMAT, base.as_dict(), list(sets), folds], default=str)
    return hashlib.sha256(hashlib.sha256(csv_file.read_bytes()).digest() + told).hexdigest()


class Progress:
    """The outcomes done so far, a line each, beside the table that will be made of them."""

    def __init__(self, out: Path, key: str) -> None:
        self.path = out.with_name(out.name + ".partial")
        self.key = key

    def done(self) -> list[Outcome]:
        """What a former run of the same sweep has left; a line torn by a kill is done again."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise FolderError("backtest.not_writable", self.path, reason=error.strerror or error) from error
        if lines[0] != self.key.encode():
            return []
        return [outcome for line in lines[1:-1] if (outcome := _outcome(line)) is not None]

    def begin(self, done: Sequence[Outcome]) -> None:
        """Start the file anew with what is kept."""
        content = b"".join(_line(each) for each in done)
        write_whole(self.path, self.key.encode() + b"\n" + content)

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Add what is done; FolderError where the disk refuses."""
        try:
            with self.path.open("ab") as file:
                file.write(b"".join(_line(each) for each in outcomes))
        except OSError as error:
            raise FolderError("backtest.not_writable", self.path, reason=error.strerror or error) from error

    def finish(self) -> None:
        """The table is written: this is needed no more."""
        self.path.unlink(missing_ok=True)


def _line(outcome: Outcome) -> bytes:
    told = outcome._asdict() | {
        "inside": [list(each) for each in outcome.inside],
        "outside": [list(each) for each in outcome.outside],
    }
    return orjson.dumps(told) + b"\n"


def _outcome(line: bytes) -> Outcome | None:
    try:
        told = orjson.loads(line)
        return Outcome(
            told["number"],
            told["metrics"],
            [Figures(*each) for each in told["inside"]],
            [Figures(*each) for each in told["outside"]],
        )
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None


def score_of(outcome: Outcome, score: str, base: float) -> float:
    """The score of a set over all bars."""
    if score == "alpha_over_drawdown":
        return over_drawdown(outcome.metrics["alpha"], outcome.metrics["max_dd"], base)
    return float(outcome.metrics[score])


def mean_score(figures: Sequence[Figures], score: str) -> float | None:
    """The mean of a score over the folds; None without folds."""
    return sum(getattr(each, score) for each in figures) / len(figures) if figures else None


class Row(dict[str, Any]):
    """One line of the table."""


def ranked_rows(
    outcomes: Sequence[Outcome], sets: Sequence[Settings], score: str, bases: Sequence[float]
) -> list[Row]:
    """The table, best first: rank, settings, scores (all bars, in and out of sample), every metric."""
    names = list(dict.fromkeys(name for settings in sets for name in settings))
    ordered = sorted(outcomes, key=lambda each: each.number)
    scores = [score_of(each, score, bases[each.number]) for each in ordered]
    rows = []
    for rank, place in enumerate(rank_order(scores), 1):
        outcome = ordered[place]
        row = Row(rank=rank, set=outcome.number)
        row.update({name: sets[outcome.number].get(name, "") for name in names})
        row[f"score_{score}"] = scores[place]
        row[f"in_sample_{score}"] = mean_score(outcome.inside, score)
        row[f"out_of_sample_{score}"] = mean_score(outcome.outside, score)
        row.update(outcome.metrics)
        rows.append(row)
    return rows


def write_table(path: Path, rows: Sequence[Row]) -> None:
    """The table as CSV, numbers unrounded; lists parted by blanks."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    write_whole(path, text.getvalue().encode())


def _cell(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return "" if value is None else repr(value) if isinstance(value, float) else value
