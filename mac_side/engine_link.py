"""The link as the engine judges it: which holds follow from its health, and a folder that was put back."""

from __future__ import annotations

from dataclasses import dataclass, field

from mac_side.engine_events import StampsSeen
from mac_side.engine_rules import Hold
from shared_schema.link_health import LinkHealth
from shared_schema.rollback import RollbackWatch
from shared_schema.sessions import SessionState, state_at
from shared_schema.trading_calendar import TradingCalendar
from shared_schema.words import say

_OVER = (SessionState.CLOSED, SessionState.HOLIDAY, SessionState.UNKNOWN_DATE)


def link_holds(health: LinkHealth, skew_limit: float) -> tuple[Hold | None, ...]:
    """Clocks too far apart (``skew_limit`` seconds), and a direction that takes nothing there.

    The direction that brings nothing here shows as a red heartbeat: ``executor_hold``.
    """
    skew = lost = None
    if health.skew_beyond(skew_limit):
        skew = Hold("clock_skew", say("link.clock_skew", limit=f"{skew_limit:g}"), lenient=True)
    if health.outward.lost and not health.inward.lost:
        lost = Hold("link_out", say("link.out_lost"), lenient=True)
    return skew, lost


@dataclass
class RollbackEye:
    """Watches what the other side's files show for a folder that was put back (rule 14)."""

    calendar: TradingCalendar
    watch: RollbackWatch = field(default_factory=RollbackWatch)

    def sees(self, event: StampsSeen, wall: float, market: float) -> bool:
        """Whether this look completes a rollback; told once."""
        if event.beat_went_back:
            self.watch.fell("heartbeat", wall)
        if state_at(market, self.calendar) in _OVER:
            # After the close the executor puts applied results away: that is no going back.
            self.watch.forget("results")
        self.watch.look("results", event.results, wall)
        self.watch.look("slot", event.slot, wall)
        if not self.watch.is_rolled_back(wall):
            return False
        self.watch.said()
        return True
