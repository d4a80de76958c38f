"""One mutant against its harness, in a process of its own: nothing of it is left behind."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

from test_offline.mutants.mutant import Mutant, planted

SECONDS = 10.0
"""Of processor time within which a mutant must be caught."""
GRACE = 12
"""Times as long a busy machine with a slow disk may need by the clock, before the attempt counts as hung."""


@dataclass(frozen=True)
class Verdict:
    """Whether a mutant was caught, by what, and how soon."""

    mutant: str
    harness: str
    caught: str
    """What the harness said, "" where it said nothing."""
    number: int = 0
    """The attempt that caught it."""
    attempts: int = 0
    seconds: float = 0.0
    """Processor time up to the first catch."""
    problem: str = ""
    """Why the verdict does not count."""

    @property
    def good(self) -> bool:
        """Caught, and by nothing that the sound product fails as well."""
        return bool(self.caught) and not self.problem


def judge(mutant: Mutant, seconds: float = SECONDS) -> Verdict:
    """Plant the mutant and let its harness look for it; then the same attempt without it must pass."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_tell, args=(mutant, seconds, there))
    process.start()
    there.close()
    try:
        if not here.poll(seconds * GRACE):
            return Verdict(mutant.name, mutant.harness.told, "", problem="hung")
        verdict: Verdict = here.recv()
        return verdict
    except EOFError:
        return Verdict(mutant.name, mutant.harness.told, "", problem="the process ended without a word")
    finally:
        process.kill()
        process.join()


def _tell(mutant: Mutant, seconds: float, there: Connection) -> None:
    try:
        there.send(_judged(mutant, seconds))
    except Exception as problem:
        told = f"{type(problem).__name__}: {problem}"
        there.send(Verdict(mutant.name, mutant.harness.told, "", problem=told))


def _judged(mutant: Mutant, seconds: float) -> Verdict:
    harness, began, attempts, number, caught = mutant.harness, time.process_time(), 0, 0, ""
    with planted(mutant):
        for number in harness.attempts():
            attempts += 1
            caught = harness.attempt(number)
            if caught or time.process_time() - began > seconds:
                break
    taken = time.process_time() - began
    verdict = Verdict(mutant.name, harness.told, caught, number, attempts, taken)
    if not caught:
        return verdict
    sound = harness.attempt(number)
    if not sound:
        return verdict
    told = f"without it too: {sound}"
    return Verdict(mutant.name, harness.told, caught, number, attempts, taken, told)
