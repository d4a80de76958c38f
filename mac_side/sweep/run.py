"""Runs every set over the whole series and walked forward; indicators are worked out once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from mac_side.backtest.compiled import Engine
from mac_side.backtest.metrics import CurveFigures, Span, count_days, metrics_from
from mac_side.backtest.prepared import INDICATOR_NAMES, Prepared, prepare, with_live_rules
from mac_side.backtest.series import BarSeries
from mac_side.backtest.walk_rows import Walker
from mac_side.strategy.parameters import GridParameters
from shared_schema.errors import DataError

DEFAULT_FOLDS = 4
_SECONDS_A_TASK = 0.3
SCORES = ("alpha", "total_profit", "flow_ann", "max_dd", "alpha_over_drawdown")
"""What sets may be ranked by; more is better (a drawdown is negative)."""


class Figures(NamedTuple):
    """One stretch of a run: profits in yuan a trading day, a fraction a trading year, a fraction."""

    alpha: float
    total_profit: float
    flow_ann: float
    max_dd: float
    alpha_over_drawdown: float


@dataclass(frozen=True)
class Fold:
    """One step forward: in-sample the rows before ``start``, out-of-sample ``start`` to before ``stop``."""

    start: int
    stop: int


class Outcome(NamedTuple):
    """What one set gave: metrics over all bars, and the figures of each fold in and out of sample."""

    number: int
    metrics: dict[str, Any]
    inside: list[Figures]
    outside: list[Figures]


Work = list[tuple[int, GridParameters]]


def folds_of(day: np.ndarray, count: int) -> tuple[Fold, ...]:
    """``count`` folds over whole days: the series in ``count`` + 1 equal parts, each but the first once out
    of sample with all before it in sample. Raises DataError where there are fewer days than parts."""
    if count == 0:
        return ()
    starts = np.concatenate(([0], np.flatnonzero(np.diff(day)) + 1))
    if len(starts) < count + 1:
        raise DataError("sweep.too_few_days", days=len(starts), parts=count + 1)
    edges = [int(starts[round(part * len(starts) / (count + 1))]) for part in range(count + 1)]
    return tuple(Fold(edge, after) for edge, after in zip(edges[1:], [*edges[2:], len(day)], strict=True))


@dataclass(frozen=True)
class Stretch:
    """Rows ``first`` to before ``stop``, and what of them every set's figures need: trading days, years, and
    the change of the price as a fraction."""

    first: int
    stop: int
    days: int
    years: float
    change: float

    @classmethod
    def of(cls, prepared: Prepared, first: int, stop: int) -> Stretch:
        """The stretch of ``prepared``."""
        begin, finish = float(prepared.close[first]), float(prepared.close[stop - 1])
        seconds = float(prepared.end[stop - 1]) - float(prepared.end[first])
        return cls(
            first, stop, count_days(prepared.day[first:stop]), seconds / 86400 / 365, finish / begin - 1
        )

    def figures(self, curve: CurveFigures, parameters: GridParameters) -> Figures:
        """The figures of a run over it, made comparable over stretches of different length."""
        earned = curve.alpha / parameters.batch_money
        return Figures(
            alpha=curve.alpha / self.days,
            total_profit=(curve.alpha + self.change * parameters.beta_capital) / self.days,
            flow_ann=earned / self.years if self.years > 0 else 0.0,
            max_dd=curve.max_dd,
            alpha_over_drawdown=over_drawdown(curve.alpha, curve.max_dd, parameters.curve_base),
        )


class Ground(NamedTuple):
    """Rows prepared for some sets, with the stretches in and out of sample of each fold."""

    prepared: Prepared
    inside: tuple[Stretch, ...]
    outside: tuple[Stretch, ...]


class Sweep:
    """The series, prepared once for each choice of indicator periods, and the folds."""

    def __init__(self, series: BarSeries, engine: Engine, folds: int = DEFAULT_FOLDS) -> None:
        self.series, self.engine, self.folds = series, engine, folds
        self._grounds: dict[tuple[Any, ...], Ground] = {}

    def prepare_for(self, sets: Iterable[GridParameters]) -> None:
        """Work out every indicator that ``sets`` need; raises DataError where bars or days are too few."""
        for parameters in sets:
            key = _indicator_key(parameters)
            if key in self._grounds:
                continue
            prepared = prepare(self.series, parameters, engine=self.engine)
            folds = folds_of(prepared.day, self.folds)
            self._grounds[key] = Ground(
                prepared,
                tuple(Stretch.of(prepared, 0, fold.start) for fold in folds),
                tuple(Stretch.of(prepared, fold.start, fold.stop) for fold in folds),
            )

    def ground(self, parameters: GridParameters) -> Ground:
        """What was prepared for ``parameters``."""
        return self._grounds[_indicator_key(parameters)]

    def outcomes(self, work: Work) -> list[Outcome]:
        """The outcomes of some sets, one after the other."""
        return [self._outcome(number, parameters) for number, parameters in work]

    def _outcome(self, number: int, parameters: GridParameters) -> Outcome:
        prepared, inside, outside = self.ground(parameters)
        walker = Walker(prepared, with_live_rules(parameters), self.engine)
        close, rows = prepared.close, len(prepared)
        whole = walker.walk(0, rows, float(close[0]))
        # A run over the first part of the bars is the first part of this run.
        curves = walker.figures(whole.table, 0, [*(each.stop for each in inside), rows])
        metrics = metrics_from(
            whole.table,
            parameters,
            Span(close, prepared.end),
            curves[-1],
            int(whole.end.full_rows),
            int(whole.end.paused_rows),
        )
        return Outcome(
            number,
            asdict(metrics),
            [part.figures(curve, parameters) for part, curve in zip(inside, curves, strict=False)],
            [part.figures(_curve(walker, part), parameters) for part in outside],
        )


def _curve(walker: Walker, part: Stretch) -> CurveFigures:
    """The figures of a run over ``part`` alone, from a flat book."""
    table = walker.walk(part.first, part.stop, float(walker.prepared.close[part.first])).table
    (curve,) = walker.figures(table, part.first, [part.stop])
    return curve


def _indicator_key(parameters: GridParameters) -> tuple[Any, ...]:
    return tuple(getattr(parameters, name) for name in INDICATOR_NAMES)


def over_drawdown(alpha: float, max_dd: float, base: float) -> float:
    """Profit in units of the deepest fall, both in yuan on ``base``; 0 where nothing fell."""
    return alpha / (-max_dd * base) if max_dd < 0 else 0.0


def run_sets(
    sweep: Sweep, work: Work, jobs: int, backend: str | None, told: Callable[[int, float], None]
) -> Iterator[list[Outcome]]:
    """The outcomes of ``work`` as they come, by joblib over ``jobs`` workers (-1: all cores).

    ``backend`` is joblib's; None takes threads for compiled loops (they let each other run) and processes
    else. ``told`` hears after each batch how many sets are done and the seconds that remain.
    """
    import joblib

    if not work:
        return
    yield sweep.outcomes(work[:1])  # compiles, or loads what was compiled, before threads meet there
    begun = time.perf_counter()
    yield sweep.outcomes(work[1:2])
    spent = time.perf_counter() - begun
    rest = work[2:]
    done = len(work) - len(rest)
    told(done, spent * len(rest))
    if not rest:
        return
    size = max(1, min(64, int(_SECONDS_A_TASK / max(spent, 1e-4)), len(rest) // (4 * joblib.cpu_count()) + 1))
    batches = [rest[at : at + size] for at in range(0, len(rest), size)]
    chosen = backend or ("threading" if sweep.engine == "numba" else "loky")
    begun = time.perf_counter()
    with joblib.parallel_config(backend=chosen):
        parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
        for outcomes in parallel(joblib.delayed(sweep.outcomes)(batch) for batch in batches):
            yield outcomes
            done += len(outcomes)
            rate = (time.perf_counter() - begun) / max(1, done - (len(work) - len(rest)))
            told(done, rate * (len(work) - done))


def rank_order(scores: Sequence[float]) -> list[int]:
    """Places of ``scores`` from the best to the worst; equal ones in their own order."""
    return sorted(range(len(scores)), key=lambda place: (-scores[place], place))
