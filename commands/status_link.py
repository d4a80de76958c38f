"""What ``miniqmt status`` says of the link: per dashboard and executor skew, delays, and what is lost."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from commands.folder_view import STOPPED, Beat
from commands.time_text import age_text, clock_text
from shared_schema.link_health import beat_stream, skew_between
from shared_schema.messages import OrderResult, Received
from shared_schema.sessions import date_of
from shared_schema.words import say

LINK_DOWN = "link_down"
REFUSED_IN_A_ROW = 2
"""One refusal is a moment's silence; the next one says that it lasts."""


def link_report(beats: list[Beat], now: float, red_after: float) -> list[dict[str, Any]]:
    """Each living pair of executor and dashboard of one mode and account, as plain values in seconds.

    ``skew`` is the dashboard's clock minus the executor's. A direction's age is measured on one clock
    alone: since its receiver last saw a heartbeat, as its own newest heartbeat says.
    """
    alive = [beat for beat in beats if beat.body.state != STOPPED]
    executors = [beat for beat in alive if beat.body.role == "executor"]
    dashboards = [beat for beat in alive if beat.body.role == "dashboard"]
    return [
        _pair(executor, dashboard, red_after)
        for executor in executors
        for dashboard in dashboards
        if (executor.envelope.mode, executor.envelope.account)
        == (dashboard.envelope.mode, dashboard.envelope.account)
        and min(executor.age(now), dashboard.age(now)) <= red_after
    ]


def _pair(executor: Beat, dashboard: Beat, red_after: float) -> dict[str, Any]:
    there = beat_stream("executor", executor.body.instance)
    here = beat_stream("dashboard", dashboard.body.instance)
    skew = skew_between(executor.body, there, dashboard.body, here)
    offset = skew.proven if skew is not None else 0.0
    out, back = _way(executor, here, offset), _way(dashboard, there, -offset)
    lost = [name for name, way in (("to_executor", out), ("to_dashboard", back)) if _is_lost(way, red_after)]
    return {
        "executor": executor.body.instance,
        "dashboard": dashboard.body.instance,
        "skew": round(skew.offset, 3) if skew is not None else None,
        "skew_within": round(skew.blind, 3) if skew is not None else None,
        "skew_proven": round(offset, 3),
        "to_executor": out,
        "to_dashboard": back,
        "lost": lost,
    }


def _way(receiver: Beat, stream: str, sender_ahead: float) -> dict[str, float] | None:
    """``travel``: how long the newest heartbeat took; ``age``: since it came. None: none came yet."""
    echo = receiver.body.seen.get(stream)
    if echo is None:
        return None
    travel = echo.received_at + sender_ahead - echo.written_at
    age = receiver.envelope.written_at - echo.received_at
    return {"travel": round(max(0.0, travel), 3), "age": round(max(0.0, age), 3)}


def _is_lost(way: dict[str, float] | None, red_after: float) -> bool:
    return way is not None and way["age"] > red_after


def link_line(link: dict[str, Any]) -> str:
    """One pair in a line for people."""
    skew = "-" if link["skew"] is None else f"{link['skew']:+.3f} s ± {link['skew_within']:.3f} s"
    words = {name: _way_text(link[name], name in link["lost"]) for name in ("to_executor", "to_dashboard")}
    return say("link.status", dashboard=link["dashboard"], executor=link["executor"], skew=skew, **words)


def _way_text(way: dict[str, float] | None, lost: bool) -> str:
    if way is None:
        return "-"
    return say("link.lost_for", age=age_text(way["age"])) if lost else age_text(way["travel"])


def link_needs(links: list[dict[str, Any]], skew_limit: float) -> list[dict[str, str]]:
    """What of the link needs a person: a stable word and its sentence."""
    found = []
    for link in links:
        who = {"dashboard": link["dashboard"], "executor": link["executor"]}
        for name in link["lost"]:
            age = age_text(link[name]["age"])
            found.append({"what": "link_lost", "text": say(f"link.attention_{name}", age=age, **who)})
        if abs(link["skew_proven"]) > skew_limit:
            text = say("link.attention_skew", seconds=round(link["skew_proven"]), limit=skew_limit, **who)
            found.append({"what": "clock_skew", "text": text})
    return found


def refused_report(results: list[Received[OrderResult]], now: float) -> list[dict[str, Any]]:
    """Of each strategy whose newest results of today are a row of refusals for a silent link, that row.

    ``results`` newest first, ``now`` wall seconds. Heartbeats may look well all the same: those of another
    writer than the one the signals bear.
    """
    todays: dict[str, list[OrderResult]] = {}
    for received in results:
        if date_of(received.body.timestamp) == date_of(now):
            todays.setdefault(received.body.strategy or "-", []).append(received.body)
    rows = {
        strategy: list(takewhile(lambda body: body.error_code == LINK_DOWN, bodies))
        for strategy, bodies in sorted(todays.items())
    }
    return [
        {"strategy": strategy, "count": len(row), "at": row[0].timestamp, "message": row[0].message}
        for strategy, row in rows.items()
        if len(row) >= REFUSED_IN_A_ROW
    ]


def refused_needs(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """What of ``refused_report`` needs a person: a stable word and its sentence."""
    shown = [{**row, "at": clock_text(row["at"])} for row in rows]
    return [{"what": LINK_DOWN, "text": say("link.attention_refused", **row)} for row in shown]
