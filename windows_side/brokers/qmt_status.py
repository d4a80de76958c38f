"""What an account's status at the terminal means (xtconstant.ACCOUNT_STATUS_*), and what to do about it."""

from __future__ import annotations

from shared_schema.words import say

OK, CLOSED = 0, 6
READY = frozenset({OK, CLOSED})
"""After the close nothing is placed, by the session clock; the day's lists are still wanted."""
_WORDS = {
    -1: "invalid", 1: "waiting", 2: "waiting", 3: "failed", 4: "starting", 5: "starting",
    7: "failed", 8: "disabled", 9: "disabled",
}  # fmt: skip


def objection_to_status(status: int) -> str | None:
    """Why an account of this status takes no orders, as a sentence; None where it does."""
    if status in READY:
        return None
    return say(f"qmt.status.{_WORDS.get(status, 'invalid')}", status=status)
