"""Refusals as sentences: stable words are for machines, a person reads what they mean."""

from __future__ import annotations

from shared_schema.errors import MessageError
from shared_schema.words import say
from windows_side.execution.risk_gate import Refusal

_WORDS_IN = {
    "bad_quantity": {"fault": "refusals.fault_"},
    "outside_session": {"state": "sessions."},
    "other_mode": {"mode": "refusals.mode_", "ours": "refusals.mode_"},
}
"""Values that are words for machines, and how their entries begin."""


def sentence_of(refusal: Refusal) -> str:
    """Why a signal is not executed, in the language in force."""
    shown = dict(refusal.values)
    for name, entry in _WORDS_IN.get(refusal.error_code, {}).items():
        shown[name] = say(f"{entry}{shown[name]}")
    return say(f"refusals.{refusal.error_code}.what", **shown)


def why_unusable(problem: MessageError | None) -> str:
    """Why a file went to quarantine, in the language in force; without a problem it is a conflict copy."""
    if problem is None:
        return say("refusals.conflict_copy")
    return f"{problem.what}: {problem.why.rstrip('。.')}"
