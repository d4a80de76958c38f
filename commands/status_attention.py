"""What of the status report needs a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from commands.time_text import age_text, clock_text
from shared_schema.heartbeats import state_text
from shared_schema.words import say

READ_ONLY = ("other_writer", "twin")
"""States of a dashboard that sends nothing more until it is restarted."""


def attention_of(report: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Each thing that needs one: a stable word and its sentence. ``report`` as ``StatusReport.gather``."""

    def need(word: str, **values: object) -> dict[str, str]:
        return {"what": word, "text": say(f"operate.attention.{word}", **values)}

    for beat in report["heartbeats"]:
        who = f"{beat['role']} {beat['instance']}"
        if beat["colour"] == "red":
            yield need("heartbeat_red", who=who, age=age_text(beat["age"]))
        if beat["ahead"] > 30:
            yield need("clock_ahead", who=who, seconds=round(beat["ahead"]))
        if beat["colour"] == "green" and beat["state"] in READ_ONLY:
            yield need("read_only", who=who, state=state_text(beat["state"]))
        if beat["halt_since"] is not None and beat["colour"] != "replaced":
            yield need("halted", who=who, since=clock_text(beat["halt_since"]))
    for halt in report["halts"]:
        if halt["halt"]:
            yield need("halt_file", file=halt["file"], reason=halt["reason"] or "-")
    standing = {halt["file"] for halt in report["halts"] if halt["halt"]}
    for own in (*report["ledgers"], *report["books"]):
        names = [name for name in own["halted_by"] if name not in standing]
        if names:
            yield need("latched", file=own["file"], names=", ".join(names))
    for books in report["books"]:
        if books["ex_date"]:
            yield need("ex_date", strategy=books["strategy"], day=books["ex_date"])
    for identity in report["unknown_orders"]:
        yield need("unknown_order", signal_id=identity)
    if report["quarantine"]["recent"]:
        yield need("quarantine", count=report["quarantine"]["recent"])
    for problem in report["problems"]:
        yield need("unreadable", file=problem["file"], problem=problem["problem"])
    if report["calendar"] and report["calendar"]["ends_soon"]:
        yield need("calendar", days=report["calendar"]["days_left"])
