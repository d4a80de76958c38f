"""A sweep as one HTML page: the heat map, the best sets, each fold's choice and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mac_side.backtest.result_files import write_whole
from mac_side.report.page import Part, Tile, page
from mac_side.report.tables import Kind, Table
from mac_side.sweep.files import Row
from mac_side.sweep.forward import Forward
from mac_side.sweep.sets import Settings
from shared_schema.words import say, say_both

SHOWN = 100
_KINDS: dict[str, Kind] = {"flow_ann": "percent", "max_dd": "percent"}


def write_sweep_page(
    path: Path,
    rows: Sequence[Row],
    sets: Sequence[Settings],
    score: str,
    picture: bytes,
    forward: Forward | None,
    starts: Sequence[str],
    source: str,
) -> None:
    """Write the page to ``path``; ``starts`` are the first days of the folds out of sample. FolderError."""
    tiles = [
        Tile("sets_tried", f"{len(sets):,}"),
        Tile("folds", str(len(starts))),
        Tile("rank_correlation", f"{forward.rank_correlation:+.2f}" if forward else "-"),
    ]
    if forward:
        told = f"{forward.rank_correlation:+.2f}"
        warnings = [say_both("sweep.tried", sets=len(sets), correlation=told)]
    else:
        warnings = [say_both("sweep.no_forward")]
    parts = [Part("part_heat_map", [picture], sentences=[say("report.heat_map_explained")])]
    if forward:
        table = folds_table(forward, sets, score, starts)
        parts.append(Part("part_folds", tables=[table], sentences=[say("report.folds_explained")]))
    parts.append(Part("part_best_sets", tables=[best_table(rows[:SHOWN], sets, score)]))
    text = page(say("report.sweep_title", score=score), source, tiles, warnings, parts)
    write_whole(path, text.encode())


def folds_table(forward: Forward, sets: Sequence[Settings], score: str, starts: Sequence[str]) -> Table:
    """Each fold: the set chosen in sample, its score there and after, its place, the median of all."""
    kind = _KINDS.get(score, "yuan")
    columns: tuple[tuple[str, Kind], ...] = (
        ("out_from", "text"),
        ("settings", "text"),
        ("in_sample", kind),
        ("out_of_sample", kind),
        ("out_place", "count"),
        ("out_median", kind),
        ("out_best", kind),
    )
    rows = [
        (
            start,
            settings_text(sets[step.chosen]),
            step.inside,
            step.outside,
            step.outside_place,
            step.median_outside,
            step.best_outside,
        )
        for step, start in zip(forward.steps, starts, strict=True)
    ]
    return Table("folds", columns, rows)


def best_table(rows: Sequence[Row], sets: Sequence[Settings], score: str) -> Table:
    """The best sets: score over all bars, in and out of sample, and the usual figures."""
    kind = _KINDS.get(score, "yuan")
    forward = bool(rows) and rows[0][f"in_sample_{score}"] is not None
    sides: tuple[tuple[str, Kind], ...] = (("in_sample", kind), ("out_of_sample", kind)) if forward else ()
    columns: tuple[tuple[str, Kind], ...] = (
        ("number", "count"),
        ("settings", "text"),
        ("score", kind),
        *sides,
        ("alpha", "yuan"),
        ("trades", "count"),
        ("max_dd", "percent"),
        ("exhaust_count", "count"),
    )
    shown = [
        (
            row["rank"],
            settings_text(sets[row["set"]]),
            row[f"score_{score}"],
            *((row[f"in_sample_{score}"], row[f"out_of_sample_{score}"]) if forward else ()),
            row["alpha"],
            row["trades"],
            row["max_dd"],
            row["exhaust_count"],
        )
        for row in rows
    ]
    return Table("best", columns, shown)


def settings_text(settings: Settings) -> str:
    """A set in one line; a word where it changes nothing."""
    return " ".join(f"{name}={value}" for name, value in settings.items()) or say_both("sweep.base_name")
