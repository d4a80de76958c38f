"""Times and ages as the operating commands show them, in Asia/Shanghai."""

from __future__ import annotations

from shared_schema.sessions import shanghai
from shared_schema.words import say


def clock_text(seconds: float) -> str:
    """``HH:MM:SS.mmm``"""
    return stamp_text(seconds)[11:]


def stamp_text(seconds: float) -> str:
    """``YYYY-MM-DD HH:MM:SS.mmm``"""
    millis = round(seconds * 1000)
    return f"{shanghai(millis // 1000):%Y-%m-%d %H:%M:%S}.{millis % 1000:03d}"


def age_text(seconds: float | None) -> str:
    """An age in its largest fitting unit; ``-`` where unknown."""
    if seconds is None:
        return "-"
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return say(f"operate.age.{unit}", value=int(seconds // size))
    return say("operate.age.seconds", value=f"{seconds:.1f}")
