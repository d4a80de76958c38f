"""Runs trials under a watchdog, counts what happened, and keeps every failing input."""

from __future__ import annotations

import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from test_offline.fuzz.trial import Trial, WronglyAccepted

CPU_LIMIT = 1.0
"""Seconds of processor one input may take: a busy machine makes no hang."""
WALL_LIMIT = 10.0
Target = Callable[[Random, Path], Trial]


class Hang(BaseException):
    """An input took too long; no handler of the product catches it."""


@dataclass(frozen=True)
class Failure:
    """One input the product did not stand."""

    kind: str
    """crash, hang or wrongly accepted"""
    target: str
    index: int
    made: str
    raw: bytes
    detail: str


@dataclass
class Counts:
    """What became of one target's inputs."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    slowest: float = 0.0

    @property
    def inputs(self) -> int:
        """How many were tried."""
        return sum(self.outcomes.values())


@contextmanager
def watched() -> Iterator[None]:
    """Raise Hang in the block after ``CPU_LIMIT`` of work or ``WALL_LIMIT`` of waiting (POSIX)."""
    if not hasattr(signal, "setitimer"):
        yield  # Windows: only the measured time below tells
        return

    def stop(number: int, frame: object) -> None:
        raise Hang

    before = {number: signal.signal(number, stop) for number in (signal.SIGPROF, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_PROF, CPU_LIMIT)
    signal.setitimer(signal.ITIMER_REAL, WALL_LIMIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def random_of(seed: int, target: str, index: int) -> Random:
    """The randomness of one input: it replays alone."""
    return Random(f"{seed}/{target}/{index}")


def try_one(
    target: str, make: Target, seed: int, index: int, place: Path
) -> tuple[str, Failure | None, float]:
    """Outcome, failure and processor seconds of one input."""
    trial = Trial(b"", "not made", lambda: "")
    started = time.process_time()
    failure: tuple[str, str] | None = None
    outcome = ""
    try:
        with watched():
            trial = make(random_of(seed, target, index), place)
            outcome = trial.judge()
    except WronglyAccepted as problem:
        failure = ("wrongly accepted", str(problem))
    except Hang:
        failure = ("hang", traceback.format_exc())
    except Exception:
        failure = (
            "crash",
            "".join(line[:300] for line in traceback.format_exc(chain=False).splitlines(keepends=True)),
        )
    taken = time.process_time() - started
    if failure is None and taken > CPU_LIMIT:
        failure = ("hang", f"{taken:.2f} s")
    if failure is None:
        return outcome, None, taken
    return failure[0], Failure(failure[0], target, index, trial.made, trial.raw, failure[1]), taken


def run(
    targets: Mapping[str, tuple[Target, int]],
    inputs: int,
    seed: int,
    *,
    first: int = 0,
    tell: Callable[[Failure], None] = lambda failure: None,
) -> dict[str, Counts]:
    """Try ``inputs`` inputs, shared among the targets by weight; each failure is told at once."""
    weights = sum(weight for _, weight in targets.values())
    counts: dict[str, Counts] = {}
    with tempfile.TemporaryDirectory(prefix="miniqmt-fuzz-") as folder:
        for name, (make, weight) in targets.items():
            found = counts[name] = Counts()
            began = time.perf_counter()
            for index in range(first, first + max(1, round(inputs * weight / weights))):
                outcome, failure, taken = try_one(name, make, seed, index, Path(folder))
                found.outcomes[outcome] += 1
                found.slowest = max(found.slowest, taken)
                if failure is not None:
                    tell(failure)
            found.seconds = time.perf_counter() - began
    return counts
