"""What the broker showed of each day, kept for ever in plain CSV beside the ledger.

``orders_``, ``trades_``, ``positions_`` and ``account_YYYYMMDD.csv``: the first three hold the newest
complete answer of the day, the account one line for each look. A spreadsheet opens them, ``miniqmt
reconcile`` reads them.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from shared_schema.disk import Disk, LocalDisk
from shared_schema.errors import DataError
from shared_schema.ids import AccountAlias, Code, Mode
from shared_schema.messages import Account, AccountOrder, AccountTrade, Position

KEEP_INTERVAL = 60.0
"""Seconds between two writings at least: the files are for the day's end."""
_LARGEST = 64 * 1024 * 1024

ORDERS = ("time", "order_id", "code", "direction", "price", "shares", "filled_shares", "status", "remark")
TRADES = ("time", "trade_id", "order_id", "code", "direction", "price", "shares")
POSITIONS = ("code", "volume", "can_use_volume", "open_price", "market_value")
ACCOUNT = ("queried_at", "cash", "frozen_cash", "market_value", "total_asset")


@dataclass(frozen=True)
class BrokerDay:
    """The day as the broker last showed it. Money in yuan, times in Unix seconds."""

    orders: tuple[AccountOrder, ...]
    trades: tuple[AccountTrade, ...]
    positions: dict[Code, Position]


def day_folder(runtime_dir: Path, mode: Mode, account: AccountAlias) -> Path:
    """Where the files of one account and mode lie."""
    return runtime_dir / "days" / f"{mode}_{account}"


class _Lines:
    """Rows as lines of CSV; the same object as last time is not written out anew: nearly all of thousands."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._cells = attrgetter(*columns)
        self._made: dict[int, tuple[object, str]] = {}

    def text(self, rows: Sequence[object]) -> str:
        """All lines, in the order of ``rows``."""
        made = self._made
        self._made = {id(row): made.get(id(row)) or (row, _csv([self._cells(row)])) for row in rows}
        return "".join(self._made[id(row)][1] for row in rows)


class DayFiles:
    """Keeps the files of one account. ``keep`` raises OSError where the disk fails."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.folder = folder
        self._disk = disk or LocalDisk()
        self._order_lines, self._trade_lines = _Lines(ORDERS), _Lines(TRADES)
        self._kept: BrokerDay | None = None
        self._kept_day = ""
        self._kept_at = float("-inf")

    def keep(self, day: str, account: Account, wall: float, *, last: bool = False) -> bool:
        """Write what changed, at most once a minute; ``last``: at once. True where something was written.

        ``day`` as YYYYMMDD, ``wall`` in Unix seconds. An incomplete answer is never kept, and neither is
        one that lacks an order or a trade kept before: a day's list only grows, a shorter one is stale.
        """
        if not account.complete or (abs(wall - self._kept_at) < KEEP_INTERVAL and not last):
            return False
        before = self._kept if self._kept is not None and self._kept_day == day else self.read(day)
        self._kept, self._kept_day, self._kept_at = before, day, wall
        if before is not None and (_lists(before) == _lists(account) or not _grew(before, account)):
            return False
        self._disk.make_folder(self.folder)
        if before is None or before.orders != account.orders:
            self._write("orders", day, _csv([ORDERS]) + self._order_lines.text(account.orders))
        if before is None or before.trades != account.trades:
            self._write("trades", day, _csv([TRADES]) + self._trade_lines.text(account.trades))
        held = account.positions
        positions = [[code, *_cells(held[code], POSITIONS[1:])] for code in sorted(held)]
        self._write("positions", day, _csv([POSITIONS, *positions]))
        asset = [account.queried_at, *_cells(account.asset, ACCOUNT[1:])]
        self._write("account", day, _csv([ACCOUNT, *self._rows("account", day, ACCOUNT), asset]))
        self._kept = BrokerDay(account.orders, account.trades, account.positions)
        return True

    def read(self, day: str) -> BrokerDay | None:
        """The day as it was kept; None where nothing was. Raises DataError where a file is damaged."""
        if self._disk.stat(self._path("trades", day)) is None:
            return None
        return BrokerDay(self._orders(day), self._trades(day), self._positions(day))

    def positions_before(self, day: str) -> dict[Code, Position] | None:
        """What was held at the end of the newest kept day before ``day``; None without one."""
        if not self.folder.is_dir():
            return None
        days = sorted(
            entry.name[10:18] for entry in self._disk.list(self.folder) if entry.name.startswith("positions_")
        )
        earlier = [known for known in days if known < day]
        return self._positions(earlier[-1]) if earlier else None

    def _orders(self, day: str) -> tuple[AccountOrder, ...]:
        with self._guarded("orders", day):
            return tuple(
                AccountOrder.model_validate(row, strict=False) for row in self._records("orders", day, ORDERS)
            )

    def _trades(self, day: str) -> tuple[AccountTrade, ...]:
        with self._guarded("trades", day):
            return tuple(
                AccountTrade.model_validate(row, strict=False) for row in self._records("trades", day, TRADES)
            )

    def _positions(self, day: str) -> dict[Code, Position]:
        with self._guarded("positions", day):
            rows = self._records("positions", day, POSITIONS)
            return {Code(row.pop("code")): Position.model_validate(row, strict=False) for row in rows}

    @contextlib.contextmanager
    def _guarded(self, kind: str, day: str) -> Iterator[None]:
        try:
            yield
        except ValueError as problem:
            raise DataError(
                "reconcile.day_file_damaged", self._path(kind, day), detail=str(problem)
            ) from problem

    def _path(self, kind: str, day: str) -> Path:
        return self.folder / f"{kind}_{day}.csv"

    def _records(self, kind: str, day: str, columns: Sequence[str]) -> list[dict[str, str]]:
        return [dict(zip(columns, row, strict=True)) for row in self._rows(kind, day, columns)]

    def _rows(self, kind: str, day: str, columns: Sequence[str]) -> list[list[str]]:
        raw = self._disk.read(self._path(kind, day), _LARGEST)
        if raw is None:
            return []
        rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig", "replace"))))
        if not rows or rows[0] != list(columns):
            raise DataError("reconcile.day_file_damaged", self._path(kind, day), detail=str(rows[:1]))
        return rows[1:]

    def _write(self, kind: str, day: str, text: str) -> None:
        path = self._path(kind, day)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self._disk.remove(temporary)
        # The mark at the front lets a Chinese Excel read it as UTF-8.
        self._disk.create(temporary, text.encode("utf-8-sig"))
        self._disk.replace(temporary, path)


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _cells(record: object, names: Sequence[str]) -> list[object]:
    return [getattr(record, name) for name in names]


def _lists(day: BrokerDay | Account) -> tuple[object, ...]:
    return day.orders, day.trades, day.positions


def _grew(before: BrokerDay, account: Account) -> bool:
    orders = {order.order_id for order in before.orders} <= {order.order_id for order in account.orders}
    return orders and {trade.trade_id for trade in before.trades} <= {
        trade.trade_id for trade in account.trades
    }
