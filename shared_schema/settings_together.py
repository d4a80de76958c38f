"""Settings that are right each by itself and contradict each other.

They trade, though hardly as it was meant, so they are only said: an installed host goes on as it did.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shared_schema.ids import Code
from shared_schema.instruments.codes import InstrumentError, board_of
from shared_schema.settings_sections import Limits
from shared_schema.words import say

if TYPE_CHECKING:
    from shared_schema.settings import Settings

STALE_ON_THE_SCREEN = 300.0
"""Seconds after which quotes are stale for the dashboard, whatever the settings say (strategy.md)."""


def doubtful(settings: Settings) -> tuple[str, ...]:
    """A sentence for each pair, and each allowed code, that hardly was meant so; each names what to do."""
    interval = settings.producer.interval
    pairs = (
        say(f"settings.doubtful.{word}", table=prefix, interval=f"{interval or 0:g}")
        for prefix, limits in _every_limits(settings)
        for word, holds in _pairs(limits, interval)
        if holds
    )
    return (*pairs, *_unlisted(settings))


def _unlisted(settings: Settings) -> Iterator[str]:
    """A sentence for each allowed code that no board lists: an index, or the other exchange's."""
    for prefix, limits in _every_limits(settings):
        for code in limits.allow_list:
            try:
                board_of(Code(code))
            except InstrumentError as problem:
                told = {"why": problem.why, "next": problem.next_step}
                yield say("settings.doubtful.not_listed", table=prefix, **told)


def _pairs(limits: Limits, interval: float | None) -> tuple[tuple[str, bool], ...]:
    stale_after = min(limits.max_quote_age_seconds, STALE_ON_THE_SCREEN)
    return (
        ("buffer_takes_all", limits.cash_buffer >= 1),
        ("quotes_often_stale", interval is not None and interval >= stale_after),
        ("sell_below_buy_yuan", limits.max_sell_yuan < limits.max_buy_yuan),
        ("sell_below_buy_shares", limits.max_sell_shares < limits.max_buy_shares),
        ("sell_below_code", limits.max_buy_yuan <= limits.max_sell_yuan < limits.pool_code_yuan),
        ("code_above_pool", 0 < limits.pool_yuan < limits.pool_code_yuan),
    )


def _every_limits(settings: Settings) -> list[tuple[str, Limits]]:
    """The host's limits and those of each further account that differ, with the name of their table."""
    further = [(f"accounts.{own.account.alias}.limits", own.limits) for own in settings.further_accounts]
    return [("limits", settings.limits), *(found for found in further if found[1] != settings.limits)]
