"""What this host keeps for itself: the executor's ledgers and the dashboards' books, for looking only."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from mac_side.bridge_client.signal_ids import FIRST_STRATEGY, is_first
from mac_side.single_engine import runtime_folder
from mac_side.state_file import LAST_GOOD, DashboardState, decode_state, new_state
from shared_schema.clock import Moment, host_name
from shared_schema.drop_folder.names import NameKind, classify, state_name
from shared_schema.errors import MessageError, StateError
from shared_schema.ids import AccountAlias, Code, SignalId, StrategyName
from shared_schema.settings import Settings
from windows_side.execution.halt_latch import HaltLatch
from windows_side.execution.ledger import BOUND_TO, HALT, INSTANCE, WRITERS, JournalEntry, order_from_json
from windows_side.execution.ledger_seal import SEAL
from windows_side.execution.order import Order
from windows_side.execution.sqlite_ledger import read_only


@dataclass(frozen=True)
class OwnLedger:
    """One executor's ledger on this host."""

    path: Path
    meta: dict[str, Any]

    @property
    def instance(self) -> str:
        """The executor it belongs to."""
        return str(self.meta[INSTANCE])

    @property
    def mode(self) -> str:
        """ "live" or "simulate"."""
        return str(self.meta[BOUND_TO]["mode"])

    @property
    def account(self) -> str:
        """Alias."""
        return str(self.meta[BOUND_TO]["account"])

    @property
    def halt(self) -> HaltLatch:
        """The halts in force there."""
        return HaltLatch.from_json(self.meta.get(HALT, {}))

    @property
    def writers(self) -> dict[str, str]:
        """Which writer each strategy name is bound to."""
        return dict(self.meta.get(WRITERS, {}))

    def states_of(self, trading_day: str) -> dict[str, int]:
        """Orders of a day by state."""
        with _opened(self.path) as database:
            rows = database.execute(
                "SELECT state, count(*) FROM orders WHERE trading_day = ? GROUP BY state ORDER BY state",
                (trading_day,),
            )
            return dict(rows.fetchall())

    def unknown(self) -> list[str]:
        """Ids whose outcome is unknown, of any day."""
        with _opened(self.path) as database:
            rows = database.execute("SELECT signal_id FROM orders WHERE state = 'unknown'").fetchall()
        return [identity for (identity,) in rows]

    def order(self, identity: SignalId) -> Order | None:
        """The row of a signal."""
        with _opened(self.path) as database:
            found = database.execute("SELECT row FROM orders WHERE signal_id = ?", (identity,)).fetchone()
        return order_from_json(found[0], self.path) if found else None

    def days(self) -> list[str]:
        """The trading days with rows, ``YYYY-MM-DD``, oldest first."""
        with _opened(self.path) as database:
            rows = database.execute("SELECT DISTINCT trading_day FROM orders ORDER BY trading_day").fetchall()
        return [day for (day,) in rows]

    def rows_of(self, trading_day: str) -> list[Order]:
        """The rows of one trading day in the order they came."""
        with _opened(self.path) as database:
            rows = database.execute(
                "SELECT row FROM orders WHERE trading_day = ? ORDER BY received_at", (trading_day,)
            ).fetchall()
        return [order_from_json(row, self.path) for (row,) in rows]

    def orders_since(self, trading_day: str) -> list[Order]:
        """The rows of a trading day and all after it."""
        with _opened(self.path) as database:
            rows = database.execute(
                "SELECT row FROM orders WHERE trading_day >= ?", (trading_day,)
            ).fetchall()
        return [order_from_json(row, self.path) for (row,) in rows]

    def journal(self, identity: SignalId) -> list[JournalEntry]:
        """Each step of a signal's life, oldest first."""
        with _opened(self.path) as database:
            rows = database.execute(
                "SELECT at, signal_id, action, detail FROM journal WHERE signal_id = ? ORDER BY number",
                (identity,),
            ).fetchall()
        return [JournalEntry(*row) for row in rows]

    def ids(self) -> list[str]:
        """Every id ever recorded."""
        with _opened(self.path) as database:
            return [identity for (identity,) in database.execute("SELECT signal_id FROM orders")]


def own_ledgers(runtime_dir: Path) -> list[OwnLedger]:
    """The ledgers in RUNTIME_DIR. Raises StateError for one that can't be read."""
    found = []
    for path in sorted(runtime_dir.glob("ledger_*.sqlite3")):
        with _opened(path) as database:
            rows = database.execute("SELECT name, value FROM meta").fetchall()
            ledger = OwnLedger(path, {name: orjson.loads(value) for name, value in rows if name != SEAL})
            if INSTANCE not in ledger.meta or BOUND_TO not in ledger.meta:
                raise StateError("executor.ledger_damaged", path, detail="meta")
        found.append(ledger)
    return found


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with contextlib.closing(read_only(path)) as database:
            yield database
    except (sqlite3.Error, orjson.JSONDecodeError) as problem:
        raise StateError("executor.ledger_damaged", path, detail=str(problem)) from problem


@dataclass(frozen=True)
class OwnBooks:
    """A dashboard's state file on this host."""

    path: Path
    state: DashboardState

    def code(self, settings: Settings) -> Code:
        """What they trade: as they say, else (the seed's file) as the settings have it for their strategy."""
        known = {strategy.name: strategy.symbol for strategy in settings.all_strategies}
        return self.state.code or Code(known.get(self.state.strategy, settings.strategy.symbol))


def own_books(settings: Settings, folder: Path, now: float) -> list[OwnBooks]:
    """The dashboards' states in RUNTIME_DIR (of an OFFLINE folder its own one) and in the folder itself.

    Books stand under the name of their own strategy and mode: a copy a person keeps beside them is none.
    Raises StateError for damaged ones.
    """
    found = []
    for place in dict.fromkeys((runtime_folder(settings, folder), folder)):
        for path in sorted(place.glob("dashboard_state*.json")):
            if classify(path.name).kind is not NameKind.VIEW:
                continue
            try:
                state = _state(path, settings, now)
            except StateError:
                if not _must_be_books(path, settings):
                    continue
                raise
            names = _names_of(state.strategy, state.mode, in_folder=place == folder, seed=state.is_seed)
            if path.name in names:
                found.append(OwnBooks(path, state))
    return found


def _names_of(strategy: StrategyName, mode: str, *, in_folder: bool, seed: bool) -> set[str]:
    """What the books of ``strategy`` and ``mode`` may be called: simulated ones in OFFLINE go plain.

    A seed's file says no mode: its name alone does.
    """
    middle = None if is_first(strategy) else strategy
    names = {state_name(middle, mode)}
    if seed or (in_folder and mode == "simulate"):
        names |= {state_name(middle, "simulate"), state_name(middle, "live")}
    return names


def _strategy_of(path: Path, settings: Settings) -> StrategyName | None:
    """Of this host's strategies the one whose books bear this name."""
    known = (FIRST_STRATEGY, *(StrategyName(strategy.name) for strategy in settings.all_strategies))
    fitting = (name for name in known if path.name in _names_of(name, "live", in_folder=True, seed=True))
    return next(fitting, None)


def _must_be_books(path: Path, settings: Settings) -> bool:
    """Whether a file nobody can read is books, not a copy: a strategy's name, or saved here once before."""
    last_good = path.with_name(path.name + LAST_GOOD)
    return _strategy_of(path, settings) is not None or last_good.exists()


def _state(path: Path, settings: Settings, now: float) -> DashboardState:
    mode = "simulate" if path.name.endswith(".simulate.json") else settings.mode or "live"
    writer = f"dashboard@{host_name()}"
    strategy = _strategy_of(path, settings) or FIRST_STRATEGY
    seed = new_state(Moment(now, now), mode, AccountAlias(settings.account.alias), strategy, writer)
    try:
        return decode_state(path.read_bytes(), seed)
    except MessageError as problem:
        # Its next step is a signal's ("correct and send again"), which is no advice for books.
        detail = f"{problem.what}: {problem.why.rstrip('。.')}"
        raise StateError("operate.books_damaged", path, detail=detail) from problem
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as problem:
        detail = f"{type(problem).__name__}: {problem}"
        raise StateError("operate.books_damaged", path, detail=detail) from problem
