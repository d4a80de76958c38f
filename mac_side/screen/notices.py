"""What a person must know now, gravest first, each with what to do.

The header shows the first, the messages panel all of them, and without a terminal they are
printed when they come and go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mac_side.screen.look import age, clock
from mac_side.view import View
from shared_schema.words import say

SILENT_AFTER = 5.0
"""Seconds without a new view after which the engine counts as silent."""

Level = Literal["red", "yellow"]


@dataclass(frozen=True)
class Notice:
    """One thing that stands between the person and calm."""

    level: Level
    text: str
    what_to_do: str = ""
    kind: str = "alarm"
    """One word that stays the same while the text (an age) changes."""


def notices(view: View, silence: float = 0.0) -> list[Notice]:
    """All that stands now; ``silence`` is how long (seconds) the engine has written nothing."""
    found = [*_engine(view, silence), *_halt(view), *_link(view)]
    if view.counts.unknown_orders and not any("unknown" in n.kind for n in found):
        text = say("screen.notice.unknown", count=view.counts.unknown_orders)
        found.append(Notice("red", text, say("screen.notice.unknown_next"), "unknown"))
    found += [Notice("red", alarm.text, alarm.what_to_do, f"alarm {alarm.text}") for alarm in view.alarms]
    # Halted or paused, the engine's own sentence would only say it twice.
    if view.trading_held and not view.halt.halted and not view.grid.paused_by_hand:
        next_step = say("screen.notice.stale_next") if _is_stale(view) else ""
        found.append(Notice("yellow", view.trading_held, next_step, f"held {view.trading_held}"))
    found += [
        Notice("yellow", say("screen.notice.waiting", what=w), kind=f"waiting {w}") for w in view.waiting_for
    ]
    if view.grid.paused_by_hand:
        text, what_to_do = say("screen.notice.paused_by_hand"), say("screen.notice.paused_next")
        found.append(Notice("yellow", text, what_to_do, "paused_by_hand"))
    return _without_repeats(found)


def _engine(view: View, silence: float) -> list[Notice]:
    if view.ended:
        return [Notice("yellow", say("screen.notice.ended", at=clock(view.market)), kind="ended")]
    if silence <= SILENT_AFTER:
        return []
    text = say("screen.notice.silent", age=age(silence))
    return [Notice("red", text, say("screen.notice.silent_next"), "silent")]


def _halt(view: View) -> list[Notice]:
    halt = view.halt
    if not halt.halted:
        return []
    if halt.confirmed_at is not None:
        confirmed = say("screen.notice.confirmed", at=clock(halt.confirmed_at))
    else:
        confirmed = say("screen.notice.only_here" if halt.only_here else "screen.notice.unconfirmed")
    text = say("screen.notice.halted", since=clock(halt.since), confirmed=confirmed)
    if halt.reason:
        text += say("screen.notice.halt_reason", reason=halt.reason)
    lift = "screen.notice.halt_next_own" if halt.own else "screen.notice.halt_next"
    told = halt.confirmed_at is not None or halt.only_here
    next_step = say(lift if told else "screen.notice.unconfirmed_next")
    return [Notice("red", text, next_step, f"halt {told}")]


def _link(view: View) -> list[Notice]:
    link, found = view.link, []
    if link.executor_age is not None and link.executor_age > link.red_after:
        text = say("screen.notice.executor_gone", age=age(link.executor_age))
        found.append(Notice("red", text, say("screen.notice.executor_gone_next"), "executor_gone"))
    if link.lost_out and not link.lost_in:
        text = say("screen.notice.lost_out", age=age(link.sent_age))
        found.append(Notice("red", text, say("screen.notice.lost_out_next"), "lost_out"))
    if _is_stale(view) and not view.trading_held:
        found.append(Notice("red", say("screen.notice.stale"), say("screen.notice.stale_next"), "stale"))
    return found


def _is_stale(view: View) -> bool:
    age_now = view.link.quote_age
    return age_now is not None and age_now > view.link.quote_stale_after and view.session == "continuous"


def _without_repeats(found: list[Notice]) -> list[Notice]:
    return list({notice.text: notice for notice in reversed(found)}.values())[::-1]
