"""What an executor is bound to for its whole run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared_schema.ids import AccountAlias, InstanceId, Mode
from shared_schema.settings_sections import Limits
from shared_schema.trading_calendar import TradingCalendar


@dataclass(frozen=True)
class Rules:
    """Who this executor is, and what it lets through."""

    mode: Mode
    account: AccountAlias
    instance: InstanceId
    calendar: TradingCalendar
    limits: Limits = field(default_factory=Limits)
    rooms: Mapping[AccountAlias, str] = field(default_factory=dict)
    """Every account of this host, and where in the exchange folder its room is; for a refusal's sentence."""
    offline: bool = False
    """The folder carries OFFLINE: clock, quote age and a missing address only warn."""
    enforce_sessions: bool = True
    """False in simulate unless ``--sessions`` is given: outside the session it warns and goes on."""
    needs_quote: bool = True
    """False in simulate: without a fresh quote the simulated broker fills at the signal's price."""
    allow_version_1: bool = True
    """Whether the seed's format is taken; live only by a setting and without a key."""
    orders_allowed: bool = True
    """False over a sync tool too slow for orders, unless ``sync.allow_orders`` is set; cancels always go."""
    red_after: float = 5.0
    """Seconds after which a heartbeat is red, by sync tool."""
    final_read: float = 2.0
    """Seconds after which a final status is read once more; 0 where answers are declared complete."""
    absence_is_proof: bool = False
    poll_interval: float = 3.0
    """Seconds between two readings of the day's list while an order is open."""
    cancel_retry: float = 5.0
    """Seconds after which a cancel that changed nothing is asked for again."""
