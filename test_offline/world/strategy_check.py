"""The strategy's books held against the executor's rows (I12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mac_side.bridge_client.outbox import KEPT_SETTLED, Outbox
from test_offline.world.violation import fail

if TYPE_CHECKING:
    from test_offline.world.world import World


class StrategyCheck:
    """Whether the lots are the net of what the results say; remembers what the strategy may forget."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._checked_state: object = None
        self._forgotten_shares = 0
        self._settled: set[str] = set()
        self._effects: dict[str, int] = {}
        """What each signal of the strategy's outbox did to its shares, at the last look."""
        self.forgotten: set[str] = set()
        """Signals that ended so long ago that the strategy no longer keeps them."""

    def check(self, *, again: bool = False) -> None:
        """I12: the lots are the net of what the results say, pending intentions included.

        A state that was looked at is not looked at twice, but ``again``."""
        world, core = self._world, self._world.strategy.core
        if core is None or (core.state is self._checked_state and not again):
            return
        self._checked_state = core.state
        books, rows = core.state.books, world.oracle.rows
        effects: dict[str, int] = {}
        for entry in core.state.outbox.entries:
            intention = entry.intention
            if entry.settled:
                row = rows.get(entry.signal_id)
                if row is None or not row.is_terminal:
                    fail("I12", f"{entry.signal_id} settled, the ledger says {row and row.state}")
                    return
                if intention.applied_shares > row.filled_shares:
                    fail(
                        "I12", f"{entry.signal_id}: {intention.applied_shares} applied of {row.filled_shares}"
                    )
            shares = intention.applied_shares if entry.settled else intention.shares
            if intention.kind == "buy" or (intention.kind == "top_up" and entry.settled):
                effects[entry.signal_id] = shares
            elif intention.kind == "sell":
                effects[entry.signal_id] = -shares
        expected = sum(effects.values()) + self._long_ago(core.state.outbox, effects)
        # The world starts with nothing fixed: what is fixed is the odd rest of a lot sold in hundreds.
        held = books.shares + books.fixed_volume
        if held - books.shortfall != expected and not world.oracle.expects_halt:
            fail("I12", f"lots hold {held} less {books.shortfall}, the results say {expected}")

    def _long_ago(self, outbox: Outbox, effects: dict[str, int]) -> int:
        """The net of what ended so long ago that the outbox keeps it no more, and may do so."""
        full = sum(entry.settled for entry in outbox.entries) >= KEPT_SETTLED
        if full:
            standing = {entry.signal_id for entry in outbox.entries}
            gone = {identity for identity in self._settled if identity not in standing}
            self._forgotten_shares += sum(self._effects.get(identity, 0) for identity in gone)
            self.forgotten |= gone
        self._settled = {entry.signal_id for entry in outbox.entries if entry.settled}
        self._effects = effects
        return self._forgotten_shares

    def check_memory(self) -> None:
        """I2 the other way: whatever of our strategy reached the executor, the strategy still knows."""
        core, oracle = self._world.strategy.core, self._world.oracle
        known = {entry.signal_id for entry in core.state.outbox.entries} if core is not None else set()
        for row in oracle.rows.values():
            ours = row.signal is not None and row.writer == self._world.strategy.writer
            if ours and row.signal_id not in known | self.forgotten and row.signal_id not in oracle.forbidden:
                fail("I12", f"{row.signal_id} is {row.state}, and the strategy does not know it")
