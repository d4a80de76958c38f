"""The list of all commands, grouped by when one needs them; no word of it is lost in a narrow window."""

from __future__ import annotations

from typing import Any

from shared_schema.words import say_both

GROUPS = {
    "try": ("demo", "test", "offline", "simulate"),
    "set_up": ("init", "doctor", "config", "calendar", "key", "notice", "service", "acceptance", "arm"),
    "run": ("producer", "executor", "dashboard"),
    "look": ("status", "checklist", "trace", "reconcile"),
    "trouble": ("halt", "resume", "resolve", "recover", "rebind"),
    "books": ("plan", "adjust", "pool"),
    "study": ("backtest", "sweep", "data"),
}
"""The heading (``commands.group.<name>`` of the catalogue) of each command, in the order shown."""


def heading_of(name: str) -> str:
    """The heading under which a command is listed."""
    return next(say_both(f"commands.group.{group}") for group, names in GROUPS.items() if name in names)


def in_order() -> list[str]:
    """Every command, group after group."""
    return [name for names in GROUPS.values() for name in names]


def fold_long_words() -> None:
    """Let help fold what has no spaces.

    Chinese has none, and rich cuts a word that is longer than its column with an ellipsis: at 80 columns the
    end of a sentence was gone. typer has no setting for it.
    """
    import typer.rich_utils as pages

    plain = pages._make_rich_text
    if getattr(plain, "folds", False):
        return

    def folding(**given: Any) -> Any:
        text = plain(**given)
        if hasattr(text, "overflow"):
            text.overflow = "fold"
        return text

    folding.folds = True  # type: ignore[attr-defined]
    pages._make_rich_text = folding  # type: ignore[assignment]
