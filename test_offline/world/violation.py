"""What the checks of the world raise."""

from __future__ import annotations


class Violation(AssertionError):
    """An invariant is broken; its text begins with the invariant's name."""


def fail(invariant: str, what: str) -> None:
    """Raise a Violation of ``invariant``."""
    raise Violation(f"{invariant}: {what}")
