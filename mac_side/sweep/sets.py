"""The sets of a sweep: from ``key=a,b,c`` texts or a published sweep, each checked before anything runs."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from mac_side.strategy.parameters import GridParameters, read_assignments, with_settings
from shared_schema.errors import SettingsError

Settings = dict[str, Any]
MOST_SETS = 1_000_000


@cache
def _published() -> dict[str, dict[str, Any]]:
    with (Path(__file__).parent / "sweeps.toml").open("rb") as file:
        return tomllib.load(file)


def published_names() -> tuple[str, ...]:
    """The sweeps known by name."""
    return tuple(_published())


def published(name: str) -> list[Settings]:
    """The sets of a published sweep; SettingsError with the nearest name where there is none."""
    if name not in _published():
        near = difflib.get_close_matches(name, published_names(), n=1, cutoff=0.0)
        raise SettingsError("sweep.unknown", name, nearest=near[0], known=", ".join(published_names()))
    entry = _published()[name]
    return _product(entry["grid"]) if "grid" in entry else [dict(each) for each in entry["sets"]]


def grid_of(texts: Sequence[str]) -> list[Settings]:
    """Every combination of ``key=a,b,c`` texts. ``a:b:step`` stands for the numbers from a to b, both
    taken; lists as values (``layer_weights``) are parted by ``;``. SettingsError where a text has no value.
    """
    lists = {name: _values(name, text) for name, text in read_assignments(texts).items()}
    return _product(lists)


def check_sets(base: GridParameters, sets: Sequence[Settings]) -> list[GridParameters]:
    """Each set over ``base``; SettingsError for the first that is not possible, or for too many."""
    if len(sets) > MOST_SETS:
        raise SettingsError("sweep.too_many", len(sets), most=MOST_SETS)
    return [with_settings(base, settings) for settings in sets]


def _product(lists: Mapping[str, Sequence[Any]]) -> list[Settings]:
    return [dict(zip(lists, values, strict=True)) for values in product(*lists.values())]


def _values(name: str, text: str) -> list[Any]:
    if name == "layer_weights":
        values: list[Any] = [part.strip() for part in text.split(";") if part.strip()]
    else:
        values = [each for part in text.split(",") if part.strip() for each in _expanded(name, part.strip())]
    if not values:
        raise SettingsError("sweep.no_values", name)
    return list(dict.fromkeys(values))


def _expanded(name: str, text: str) -> list[str]:
    """``0.2:0.4:0.05`` as its numbers, in decimals so that 0.3 is 0.3; any other text as it is."""
    if ":" not in text:
        return [text]
    try:
        first, last, step = (Decimal(part) for part in text.split(":"))
        if step <= 0 or last < first or (last - first) / step > MOST_SETS:
            raise ValueError(text)
    except (ValueError, InvalidOperation):
        raise SettingsError("sweep.bad_range", f"{name}={text}") from None
    return [str(first + step * n) for n in range(int((last - first) / step) + 1)]
