"""The body of ``shared_quote.json`` out of what source and account gave."""

from __future__ import annotations

from collections.abc import Sequence

from shared_schema.ids import Code
from shared_schema.messages import Account, MinuteBars, Position, QuoteSnapshot
from windows_side.quotes.port import QuoteData


def quote_snapshot(
    codes: Sequence[Code], data: QuoteData, account: Account | None, clock_text: str, *, failing: bool
) -> QuoteSnapshot:
    """The quote file's body; the seed's fields speak of the first of ``codes``.

    ``clock_text`` is market time as HH:MM:SS. Complete only where the source is not ``failing``, the
    account answered and every code has a quote.
    """
    first = codes[0]
    quote = data.quotes.get(first)
    bars = data.bars.get(first, MinuteBars())
    positions = dict(account.positions) if account is not None else {}
    answered = account is not None and account.complete
    return QuoteSnapshot(
        code=first,
        price=quote.price if quote is not None else 0.0,
        preClose=quote.pre_close if quote is not None else 0.0,
        history=bars.close,
        position=positions.get(first, Position()),
        time=clock_text,
        quotes=dict(data.quotes),
        bars=dict(data.bars),
        positions=positions,
        complete=data.complete and answered and not failing and all(code in data.quotes for code in codes),
    )


def holdings(account: Account | None) -> object:
    """What of an account, when it changes, is worth a file at once: money and shares, not their value."""
    if account is None:
        return None
    shares = {code: (held.volume, held.can_use_volume) for code, held in account.positions.items()}
    money = (account.asset.cash, account.asset.frozen_cash)
    return money, shares, account.orders, account.trades, account.complete
