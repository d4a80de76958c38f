"""What can go wrong between us and the broker: one switch for each fault of the catalogue (42 to 60).

``place``: lost (placed, never answered), drop (never placed, never answered), late (answered after
``LATE`` seconds), doubled, minus_one (refused, no order), minus_one_live (-1, yet the order lives), zero,
another_id.
``orders``, ``trades``, ``positions``: none, empty, partial, stale, bare_codes, missing_field.
``push_order``, ``push_trade``: drop, doubled, status_first.
``remark``: cut, empty, altered. ``cancel``: minus_one, lost, ignored. ``connect``, ``subscribe``: refuse.
``status``: the account's status code. ``asset``: none. ``data``: hang.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

LATE = 0.5
"""Seconds that a late answer takes."""
ANSWERS = ("lost", "drop", "late", "doubled", "minus_one", "minus_one_live", "zero", "another_id")
LISTS = ("none", "empty", "partial", "stale", "bare_codes", "missing_field")
PUSHES = ("drop", "doubled", "status_first")
KNOWN: dict[str, tuple[str, ...]] = {
    "connect": ("refuse",),
    "subscribe": ("refuse",),
    "status": (),
    "place": ANSWERS,
    "cancel": ("minus_one", "lost", "ignored"),
    "orders": LISTS,
    "trades": LISTS,
    "positions": LISTS,
    "asset": ("none",),
    "push_order": PUSHES,
    "push_trade": PUSHES,
    "remark": ("cut", "empty", "altered"),
    "data": ("hang",),
}


@dataclass
class _Switch:
    value: Any
    left: int | None


class Faults:
    """The switches; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: dict[str, _Switch] = {}
        self.seen: dict[str, int] = {}
        """How often each fault was met."""

    def set(self, name: str, value: Any, times: int | None = None) -> None:
        """Switch ``name`` to ``value`` for the next ``times`` uses, or until it is cleared."""
        if name not in KNOWN or (KNOWN[name] and value not in KNOWN[name]):
            raise ValueError(f"no such fault: {name}={value}")
        with self._lock:
            self._on[name] = _Switch(value, times)

    def clear(self, name: str = "") -> None:
        """Switch one fault off, or all of them."""
        with self._lock:
            for chosen in [name] if name else list(self._on):
                self._on.pop(chosen, None)

    def take(self, name: str) -> Any:
        """The value to act on now, None where the switch is off."""
        with self._lock:
            switch = self._on.get(name)
            if switch is None:
                return None
            if switch.left is not None:
                switch.left -= 1
                if switch.left <= 0:
                    del self._on[name]
            key = f"{name}={switch.value}"
            self.seen[key] = self.seen.get(key, 0) + 1
            return switch.value
