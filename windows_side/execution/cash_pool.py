"""The cash pool's books: what open buys have frozen and what the lots they brought use.

Frozen money follows from the open rows and is never stored; used money is stored in the same commit as
the row that moved it, so that a crash at any point leaves both or neither. A buy runs under its
``client_order_id`` (its lot); a sell frees the lots it names, oldest first, by the shares it sold.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared_schema.cash_pool import PoolTerms, PoolUse, steps_widened
from shared_schema.ids import Code, SignalId
from shared_schema.messages import SharedPool
from windows_side.brokers.port import AccountState
from windows_side.execution.ledger import Memory
from windows_side.execution.order import Order
from windows_side.execution.order_book import OrderBook

GONE_APART = 30.0
"""Seconds between the two answers of the account that must agree on zero shares (strategy.md, Live)."""
GONE_AFTER = 60.0
"""Seconds both must be younger than the last change of the code."""
_PARTS = 10_000
"""Frozen money is summed in whole parts of a yuan: exact, and no row is summed twice."""


@dataclass(frozen=True)
class PoolLot:
    """What one buy, with its top-ups, still has in the pool. Yuan are of fills, without fees."""

    code: Code
    strategy: str
    shares: int
    yuan: float
    named: bool
    """Whether its sender gave it a name to free it by."""


class CashPool:
    """One account's pool. ``follow`` is told of every change of a row, in order."""

    def __init__(self, terms: PoolTerms, stored: Mapping[str, Any] | None, book: OrderBook) -> None:
        self.terms = terms
        self._lots: dict[str, PoolLot] = {}
        self._profit: dict[Code, float] = {}
        self._frozen: dict[SignalId, tuple[Code, int]] = {}
        self._frozen_sum: dict[Code, int] = {}
        self._used: dict[Code, float] | None = None
        self._wide = False
        self._changed_at: dict[Code, float] = {}
        self._zero_at: dict[Code, float] = {}
        self.is_new = stored is None
        if stored is not None:
            self._lots = {name: PoolLot(**lot) for name, lot in stored["lots"].items()}
            self._profit = {Code(code): yuan for code, yuan in stored["profit"].items()}
            self._wide = bool(stored["wide"])
        if not self.counts:
            return
        for order in book.everything():
            if self.is_new:
                self._take_fills(None, order)
            self._freeze(order)
        self._judge()

    @property
    def counts(self) -> bool:
        """Whether there is a pool at all."""
        return self.terms.total > 0

    @property
    def is_wide(self) -> bool:
        """Whether buy steps are widened."""
        return self._wide

    def to_json(self) -> dict[str, Any]:
        """What the ledger keeps."""
        lots = {name: vars(lot) for name, lot in self._lots.items()}
        return {"lots": lots, "profit": dict(self._profit), "wide": self._wide}

    def use(self, but: SignalId | None = None) -> PoolUse:
        """What is taken now; without what the row ``but`` has frozen itself."""
        if self._used is None:
            used: dict[Code, list[float]] = {}
            for lot in self._lots.values():
                used.setdefault(lot.code, []).append(lot.yuan)
            self._used = {code: math.fsum(parts) for code, parts in used.items()}
        frozen = {code: total / _PARTS for code, total in self._frozen_sum.items() if total}
        code, own = self._frozen.get(but, (None, 0)) if but is not None else (None, 0)
        if code is not None and own:
            frozen[code] -= own / _PARTS
        return PoolUse(self._used, frozen)

    def view(self, wall: float) -> SharedPool:
        """What ``shared_pool.json`` shows; ``wall`` in Unix seconds."""
        use = self.use()
        fields: dict[str, float] = {}
        for code in sorted({*use.used, *use.frozen, *self._profit}):
            six = code[:6]
            fields[f"used_{six}"] = round(use.used.get(code, 0.0), 4)
            fields[f"frozen_{six}"] = round(use.frozen.get(code, 0.0), 4)
            fields[f"acc_alpha_{six}"] = round(self._profit.get(code, 0.0), 4)
        return SharedPool(
            updated_at=wall,
            pool_total=self.terms.total,
            pool_code_cap=self.terms.code_cap,
            steps_widened=self._wide,
            **fields,
        )

    # What moves it

    def follow(self, before: Order | None, after: Order) -> bool:
        """Take a row's next revision; whether what the ledger keeps has changed."""
        if not self.counts or after.signal is None or after.is_cancel:
            return False
        self._freeze(after)
        moved = self._take_fills(before, after)
        if moved or not after.is_terminal:
            self._changed_at[after.signal.code] = after.changed_at
            self._zero_at.pop(after.signal.code, None)
        return self._judge() or moved

    def _judge(self) -> bool:
        before, self._wide = self._wide, steps_widened(self._wide, self.terms, self.use().total)
        return before != self._wide

    def _freeze(self, order: Order) -> None:
        signal = order.signal
        if signal is None or order.is_cancel or signal.direction != "BUY":
            return
        code, parts = signal.code, 0
        if not order.is_terminal and order.intent_at:
            # Unknown rows stay frozen too: they may have bought (I4).
            amount = max(signal.notional, signal.amount or 0.0)
            parts = round(amount * max(0, order.open_shares) / signal.shares * _PARTS)
        before = self._frozen.pop(order.signal_id, (code, 0))[1]
        self._frozen_sum[code] = self._frozen_sum.get(code, 0) + parts - before
        if parts:
            self._frozen[order.signal_id] = (code, parts)

    def _take_fills(self, before: Order | None, after: Order) -> bool:
        known = {trade.trade_id for trade in before.trades} if before is not None else set()
        fresh = [trade for trade in after.trades if trade.trade_id not in known]
        shares = sum(trade.shares for trade in fresh)
        yuan = math.fsum(trade.price * trade.shares for trade in fresh)
        signal = after.signal
        if signal is None or shares <= 0:
            return False
        self._used = None
        if signal.direction == "BUY":
            name = signal.client_order_id or after.signal_id
            lot = self._lots.get(name) or PoolLot(
                signal.code, signal.strategy or "", 0, 0.0, signal.client_order_id is not None
            )
            self._lots[name] = replace(lot, shares=lot.shares + shares, yuan=lot.yuan + yuan)
        else:
            self._free(after, shares, yuan / shares)
        return True

    def _free(self, sell: Order, shares: int, price: float) -> None:
        for name in self._freed_by(sell):
            lot = self._lots[name]
            sold = min(shares, lot.shares)
            cost = lot.yuan * sold / lot.shares
            self._profit[lot.code] = self._profit.get(lot.code, 0.0) + sold * price - cost
            shares -= sold
            if sold == lot.shares:
                del self._lots[name]
            else:
                self._lots[name] = replace(lot, shares=lot.shares - sold, yuan=lot.yuan - cost)
            if shares == 0:
                return

    def _freed_by(self, sell: Order) -> list[str]:
        """The lots a sell frees, in turn: those it names; of a sender without names its own, oldest first."""
        signal = sell.signal
        if signal is None:
            return []
        if signal.release_client_order_ids:
            names = signal.release_client_order_ids
            return [n for n in names if n in self._lots and self._lots[n].code == signal.code]
        whose = (signal.code, signal.strategy or "")
        return [n for n, lot in self._lots.items() if not lot.named and (lot.code, lot.strategy) == whose]

    # What a person or the account proves

    def free(self, code: Code) -> float:
        """Free what the lots of ``code`` use; yuan freed. Open buys keep what they have frozen."""
        freed = self.use().used.get(code, 0.0)
        self._lots = {name: lot for name, lot in self._lots.items() if lot.code != code}
        self._used = None
        self._zero_at.pop(code, None)
        self._judge()
        return freed

    def gone(self, account: AccountState, asked_at: float, trading: Iterable[Code]) -> list[Code]:
        """Free the codes the account proves not to hold (sold by hand): the account is the truth.

        Two answers that agree, far enough apart and from the last change; a code with an open order
        (``trading``) is never judged.
        """
        if not self._lots:
            return []
        held = {position.code for position in account.positions if position.volume > 0}
        if account.lacks_positions:
            self._zero_at.clear()
            return []
        busy = {*held, *trading}
        freed = []
        for code in {lot.code for lot in self._lots.values()}:
            quiet = asked_at - self._changed_at.setdefault(code, asked_at) > GONE_AFTER
            if code in busy or not quiet:
                self._zero_at.pop(code, None)
            elif asked_at - self._zero_at.setdefault(code, asked_at) >= GONE_APART:
                self.free(code)
                freed.append(code)
        return freed


def stored_of(orders: Iterable[Order]) -> dict[str, Any]:
    """What the ledger would keep of a pool that had seen only these rows, oldest first (``recover``)."""
    memory = Memory({order.signal_id: order for order in orders}, {}, {})
    return CashPool(PoolTerms(math.inf, 0.0), None, OrderBook(memory)).to_json()
