"""The ports of the bridge producer: where quotes come from, and where the account comes from.

A source may raise at any call: the producer says so, publishes what it last had as incomplete,
backs off and asks again. A source that has to reconnect does that inside ``poll``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from shared_schema.clock import Moment
from shared_schema.ids import Code, Mode
from shared_schema.messages import Account, MinuteBars, Position, Quote
from shared_schema.messages.account import Asset


@dataclass(frozen=True)
class QuoteData:
    """What a source shows at one moment, for all its codes."""

    quotes: Mapping[Code, Quote]
    bars: Mapping[Code, MinuteBars]
    """Complete minutes only, oldest first: 80 and more where they are known."""
    market_time: float
    """Unix seconds."""
    complete: bool = True
    """False when a query failed: then nothing in here means "none"."""
    finished: bool = False
    """Nothing will follow (the end of a replay)."""


class QuoteSource(Protocol):
    """Where quotes come from. ``start``, ``poll`` and ``stop`` may raise; the other two must not."""

    mode: Mode
    """"live" for real quotes, "simulate" for replayed ones."""
    codes: tuple[Code, ...]
    """The first one fills the seed fields of the quote file."""

    def start(self) -> None:
        """Connect or read what is to be replayed."""

    def poll(self, now: float) -> QuoteData | None:
        """What is new at the wall time ``now`` (Unix seconds); None where nothing is.

        Called again at once while it returns data, so that nothing shown is skipped.
        """

    def next_due(self, now: float) -> float | None:
        """Seconds from ``now`` until ``poll`` can have something new; None where the source can't tell."""

    def market_now(self) -> float | None:
        """Market time as of the last poll, Unix seconds; None where it is wall time."""

    def stop(self) -> None:
        """Disconnect."""


class AccountSource(Protocol):
    """Where the account comes from. Any call may raise."""

    def account(self, now: Moment, prices: Mapping[Code, float]) -> Account | None:
        """Asset and positions; None where a query failed. ``prices`` (yuan) value a made-up account."""

    def stop(self) -> None:
        """Disconnect."""


@dataclass(frozen=True)
class FixedAccount:
    """An account somebody gave: cash in yuan and a base position that may be sold today.

    It never changes by orders: what a simulated broker does with it stands in that broker's books.
    """

    cash: float
    positions: Mapping[Code, Position] = field(default_factory=dict)

    def account(self, now: Moment, prices: Mapping[Code, float]) -> Account:
        """The account, its positions valued at ``prices``, at cost where a code has none."""
        valued = {code: _valued(held, prices.get(code)) for code, held in self.positions.items()}
        market_value = round(sum(held.market_value for held in valued.values()), 2)
        asset = Asset(
            cash=self.cash, market_value=market_value, total_asset=round(self.cash + market_value, 2)
        )
        return Account(asset=asset, positions=valued, queried_at=now.wall)

    def stop(self) -> None:
        """Nothing to close."""


def _valued(held: Position, price: float | None) -> Position:
    value = held.volume * (price if price else held.open_price)
    return held.model_copy(update={"market_value": round(value, 2)})
