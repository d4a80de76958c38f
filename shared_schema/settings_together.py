"""Settings that are right each by itself and contradict each other.

What could trade nothing is refused at the start. What trades, though not as it was meant, is only said: an
installed host goes on as it did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared_schema.errors import SettingsError
from shared_schema.settings_sections import Limits
from shared_schema.words import say

if TYPE_CHECKING:
    from shared_schema.settings import Settings

STALE_ON_THE_SCREEN = 300.0
"""Seconds after which quotes are stale for the dashboard, whatever the settings say (strategy.md)."""


def refuse_contradictions(settings: Settings) -> None:
    """Raise SettingsError where no order could ever go out."""
    interval = settings.producer.interval
    for prefix, limits in _every_limits(settings):
        if limits.cash_buffer >= 1:
            raise SettingsError("settings.buffer_takes_all", f"{prefix}.cash_buffer")
        stale_after = min(limits.max_quote_age_seconds, STALE_ON_THE_SCREEN)
        if interval is not None and interval >= stale_after:
            place = settings.origin("producer.interval")
            values = {"interval": f"{interval:g}", "name": f"{prefix}.max_quote_age_seconds"}
            raise SettingsError("settings.quotes_always_stale", place, **values, seconds=f"{stale_after:g}")


def doubtful(settings: Settings) -> tuple[str, ...]:
    """A sentence for each pair of limits that hardly was meant so; each names what to do."""
    return tuple(
        say(f"settings.doubtful.{word}", table=prefix)
        for prefix, limits in _every_limits(settings)
        for word, holds in _pairs(limits)
        if holds
    )


def _pairs(limits: Limits) -> tuple[tuple[str, bool], ...]:
    return (
        ("sell_below_buy_yuan", limits.max_sell_yuan < limits.max_buy_yuan),
        ("sell_below_buy_shares", limits.max_sell_shares < limits.max_buy_shares),
        ("sell_below_code", limits.max_buy_yuan <= limits.max_sell_yuan < limits.pool_code_yuan),
        ("code_above_pool", 0 < limits.pool_yuan < limits.pool_code_yuan),
    )


def _every_limits(settings: Settings) -> list[tuple[str, Limits]]:
    """The host's limits and those of each further account that differ, with the name of their table."""
    further = [(f"accounts.{own.account.alias}.limits", own.limits) for own in settings.further_accounts]
    return [("limits", settings.limits), *(found for found in further if found[1] != settings.limits)]
