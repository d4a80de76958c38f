"""What a sweep taught: the best set of each fold, and what it did on bars it was not chosen on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mac_side.sweep.run import Outcome, rank_order


class Step(NamedTuple):
    """One fold: the set that was best in sample, its scores, and its place among all out of sample."""

    chosen: int
    inside: float
    outside: float
    outside_place: int
    median_outside: float
    best_outside: float


class Forward(NamedTuple):
    """All folds. ``rank_correlation``: how well places in sample foretold those out of sample, -1 to 1."""

    steps: tuple[Step, ...]
    rank_correlation: float


def walked_forward(outcomes: Sequence[Outcome], score: str) -> Forward:
    """The walk through the folds of ``outcomes`` (at least one), each choosing by ``score``."""
    folds = len(outcomes[0].outside)
    steps, correlations = [], []
    for fold in range(folds):
        inside = [float(getattr(each.inside[fold], score)) for each in outcomes]
        outside = [float(getattr(each.outside[fold], score)) for each in outcomes]
        chosen = rank_order(inside)[0]
        after = rank_order(outside)
        place = 1 + sum(value > outside[chosen] for value in outside)
        steps.append(
            Step(
                outcomes[chosen].number,
                inside[chosen],
                outside[chosen],
                place,
                float(np.median(outside)),
                outside[after[0]],
            )
        )
        correlations.append(_rank_correlation(inside, outside))
    return Forward(tuple(steps), float(np.mean(correlations)) if correlations else 0.0)


def _rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's: the correlation of places, equal values sharing theirs; 0 where all are equal."""
    first, second = _places(one), _places(other)
    if len(one) < 2 or not (first.std() and second.std()):
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _places(values: Sequence[float]) -> np.ndarray:
    _, inverse, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse])
