"""What a script was told of the market and of its account: never replaced by anything older."""

from __future__ import annotations

from dataclasses import dataclass, field

from mac_side.engine_account import account_of
from mac_side.engine_events import AccountSeen, QuoteSeen
from mac_side.state_file import DashboardState
from shared_schema.clock import ReplayFollower
from shared_schema.ids import Code
from shared_schema.messages import Account, QuoteSnapshot
from shared_schema.messages.quote import Quote
from shared_schema.newest_stamp import NewestStamp


@dataclass
class SeenFacts:
    """The newest quotes and the newest account. A folder that was put back shows older ones again."""

    follower: ReplayFollower
    account: Account | None = None
    _snapshot: QuoteSnapshot | None = None
    _newest_quote: NewestStamp = field(default_factory=NewestStamp)
    _newest_account: NewestStamp = field(default_factory=NewestStamp)

    def take_quote(self, seen: QuoteSeen, state: DashboardState) -> None:
        """Keep it where it is newer, as the engine judges it; live takes live quotes only."""
        envelope = seen.received.envelope
        if state.mode == "live" and (envelope is None or envelope.mode != "live"):
            return
        if envelope is not None:
            if not self._newest_quote.takes((envelope.epoch, envelope.seq), seen.name):
                return
            if state.mode == "simulate":
                self.follower.quote_seen(envelope.written_at, envelope.market_time)
        self._snapshot = seen.received.body

    def take_account(self, seen: AccountSeen, state: DashboardState) -> None:
        """Keep it where it is newer, and that of the mode and account of ``state``."""
        found = account_of(seen.received, state)
        if found is not None and self._newest_account.takes((found.envelope.epoch, found.envelope.seq)):
            self.account = found.account

    def quotes(self) -> dict[Code, Quote]:
        """By code; empty while none was seen."""
        seen = self._snapshot
        if seen is None:
            return {}
        return dict(seen.quotes) or {seen.code: Quote(price=seen.price, pre_close=seen.preClose)}
