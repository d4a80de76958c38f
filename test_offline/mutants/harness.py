"""What catches mutants: schedules of the simulated world, fuzzed inputs, and single promises of the tests.

Each is a row of attempts, the one that caught it before first; an attempt tells what it found broken.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parents[2]
FUZZ_SEED = 20261118


class Harness(Protocol):
    """A way to catch a mutant."""

    @property
    def told(self) -> str:
        """Its name in the table."""

    def attempts(self) -> Iterator[int]:
        """Numbers of attempts, without end or until there are no more."""

    def attempt(self, number: int) -> str:
        """What this attempt found broken, "" where every promise held."""


def _from(first: int) -> Iterator[int]:
    yield first
    number = 0
    while True:
        if number != first:
            yield number
        number += 1


@dataclass(frozen=True)
class World:
    """Schedules of the simulated world under ``faults`` ("": none is asked for, the seed chooses)."""

    faults: str
    breaks: str
    """How the violation must begin: an invariant, so that a mutant that merely crashes is not counted."""
    seed: int = 0

    @property
    def told(self) -> str:
        """As in ``miniqmt simulate --only``."""
        return f"world {self.faults or 'any faults'}"

    def attempts(self) -> Iterator[int]:
        """Seeds."""
        return _from(self.seed)

    def attempt(self, number: int) -> str:
        """Play one schedule."""
        from test_offline.world.run import run_seed

        violation = run_seed(number, self.faults).violation
        return violation if violation.startswith(self.breaks) else ""


@dataclass(frozen=True)
class Week:
    """So many days of one simulated world with the nights between them; odd seeds play a terminal."""

    days: int
    breaks: str
    """How the violation must begin, as in ``World``."""
    seed: int = 1

    @property
    def told(self) -> str:
        """As in ``miniqmt simulate --weeks``."""
        return f"{self.days} days of the world"

    def attempts(self) -> Iterator[int]:
        """Seeds."""
        return _from(self.seed)

    def attempt(self, number: int) -> str:
        """Play the days."""
        from test_offline.world.soak import soak
        from test_offline.world.violation import Violation

        try:
            for _ in soak(number, self.days):
                pass
        except Violation as problem:
            return str(problem) if str(problem).startswith(self.breaks) else ""
        return ""


@dataclass(frozen=True)
class Fuzz:
    """Inputs of one target of the fuzz ring."""

    target: str
    index: int = 0

    @property
    def told(self) -> str:
        """As in ``python -m test_offline.fuzz --target``."""
        return f"fuzz {self.target}"

    def attempts(self) -> Iterator[int]:
        """Numbers of inputs."""
        return _from(self.index)

    def attempt(self, number: int) -> str:
        """Try one input."""
        from test_offline.fuzz.runner import try_one
        from test_offline.fuzz.targets import TARGETS

        make, _ = TARGETS[self.target]
        with tempfile.TemporaryDirectory(prefix="miniqmt-mutant-") as place:
            _, failure, _ = try_one(self.target, make, FUZZ_SEED, number, Path(place))
        # A mutant that merely crashes is not counted.
        believed = failure is not None and failure.kind == "wrongly accepted"
        return f"{failure.kind}: {failure.detail}" if failure is not None and believed else ""


@dataclass(frozen=True)
class Core:
    """Random schedules of the executor's core alone."""

    seed: int

    @property
    def told(self) -> str:
        """Where they are."""
        return "schedules of the core"

    def attempts(self) -> Iterator[int]:
        """Seeds."""
        return _from(self.seed)

    def attempt(self, number: int) -> str:
        """Play one schedule."""
        from tests.execution.schedules import run_schedule

        try:
            run_schedule(number)
        except AssertionError as problem:
            return str(problem)
        return ""


@dataclass(frozen=True)
class Promise:
    """One test of the project, by its pytest id: power loss, ledgers put back, contract cases."""

    test: str

    @property
    def told(self) -> str:
        """The test's name."""
        file, _, test = self.test.removeprefix("tests/").partition("::test_")
        return test.replace("_", " ") or file

    def attempts(self) -> Iterator[int]:
        """There is but one."""
        return iter((0,))

    def attempt(self, number: int) -> str:
        """Run the test."""
        import pytest

        heard = _Failure()
        plain = ["-q", "-x", "-p", "no:cacheprovider", f"--rootdir={ROOT}"]
        plain += ["--hypothesis-profile=first-catch"]
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            ended = pytest.main([*plain, str(ROOT / self.test)], plugins=[heard])
        if ended not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            raise ValueError(f"{self.test}: pytest ended with {ended!r}")
        return heard.reason


class _Failure:
    """A pytest plugin: why the first test failed."""

    reason = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and not self.reason:
            crash = getattr(report.longrepr, "reprcrash", None)
            self.reason = (crash.message if crash is not None else str(report.longrepr)) or "failed"


def harness_of(entry: dict[str, Any]) -> Harness:
    """The harness an entry of the list names."""
    if "world" in entry:
        return World(entry.pop("world"), **entry)
    if "days" in entry:
        return Week(**entry)
    if "core" in entry:
        return Core(entry["core"])
    if "fuzz" in entry:
        return Fuzz(entry.pop("fuzz"), **entry)
    return Promise(**entry)
