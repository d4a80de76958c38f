"""What a phase found: one line each, passed or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared_schema.words import say


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; ``detail`` shows what was found."""

    text: str
    passed: bool
    detail: str = ""

    @property
    def line(self) -> str:
        """The check as a person reads it."""
        verdict = say("offline.passed" if self.passed else "offline.failed")
        return f"  [{verdict}] {self.text}" + (f" ({self.detail})" if self.detail else "")


def check(word: str, passed: object, detail: object = "", **values: object) -> Check:
    """The check whose sentence is ``offline.<word>``."""
    return Check(say(f"offline.{word}", **values), bool(passed), str(detail))


def equal(word: str, found: object, wanted: object, **values: object) -> Check:
    """A check that shows what was found, and what it should have been where that differs."""
    detail = f"{found}" if found == wanted else f"{found} != {wanted}"
    return check(word, found == wanted, detail, **values)


def print_checks(checks: Iterable[Check]) -> bool:
    """Print each check; whether all passed. No check at all is no pass."""
    found = list(checks)
    for one in found:
        print(one.line, flush=True)
    return bool(found) and all(one.passed for one in found)
