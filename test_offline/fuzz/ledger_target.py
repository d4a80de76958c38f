"""The executor's ledger after its file or its write-ahead log was damaged: as written, or StateError."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from shared_schema.clock import Moment
from shared_schema.errors import StateError
from test_offline.fuzz.mutation import damaged
from test_offline.fuzz.trial import ACCEPTED, REFUSED, Trial, WronglyAccepted
from tests.execution.bench import Bench, signal_of
from windows_side.execution.ledger import Change, new_meta
from windows_side.execution.sqlite_ledger import SqliteLedger

NAME, LOG = "ledger.sqlite3", "ledger.sqlite3-wal"
Told = tuple[Any, ...]


def told(path: Path) -> Told:
    """Everything an executor learns from a ledger. Raises StateError."""
    ledger = SqliteLedger(path, _never)
    try:
        memory = ledger.load()
        rows = tuple(ledger.order(signal_id) for signal_id in sorted(memory.known))
        whole = sorted(memory.orders.items())
        settled = sorted(ledger.settled_since(0.0))
        meta = {name: memory.meta[name] for name in sorted(memory.meta)}
        return (
            whole,
            sorted(memory.known.items()),
            meta,
            memory.result_seq,
            sorted(memory.tags),
            rows,
            settled,
        )
    finally:
        ledger.close()


def _never() -> dict[str, Any]:
    raise AssertionError("a ledger was there, and a new one is made")


class Noting(SqliteLedger):
    """Says after each commit that one was made."""

    note: Callable[[], None] = staticmethod(lambda: None)

    def commit(self, change: Change) -> None:
        super().commit(change)
        self.note()


class Written:
    """A ledger as it went on: its two files, and what it told after each commit."""

    def __init__(self, orders: int, logged: bool) -> None:
        """``logged``: the second of its two days still stands in the write-ahead log."""
        self.steps: list[Told] = []
        self.sizes: list[int] = []
        """Bytes of the log after each commit: what is durable then."""
        with tempfile.TemporaryDirectory(prefix="miniqmt-ledger-") as folder:
            self._place = Path(folder)
            ledger = Noting(self._place / NAME, lambda: new_meta("simulate", "main", "test", "e0"))
            ledger.note = self._note  # type: ignore[method-assign]
            bench = Bench(ledger=ledger)
            for day in range(2):
                if day == 0 or not logged:
                    self._day(bench, day, orders // 2)
                    self._into_the_file(ledger)
                else:
                    self._day(bench, day, orders // 2)
            self.files = {name: (self._place / name).read_bytes() for name in (NAME, LOG)}
            ledger.close()

    def _day(self, bench: Bench, day: int, orders: int) -> None:
        for number in range(orders):
            self._order(bench, f"BUY_159201.SZ_L1_{day:04d}{number:04d}", number)
        bench.now = Moment(bench.now.wall + 86_400, bench.now.market + 86_400)
        bench.pass_time(1.0)

    def _order(self, bench: Bench, identity: str, number: int) -> None:
        bench.now = Moment(bench.now.wall + 20, bench.now.market + 20)
        bench.quote()
        bench.drop(signal_of(identity, timestamp=bench.now.wall, shares=100 * (number + 1)))
        if bench.submits and bench.submits[-1].request.signal_id == identity:
            bench.placed(identity, str(number + 1))
            if number % 2:
                bench.trade(bench.seen_trade(identity, f"t{identity}", 100 * (number + 1)))

    def _into_the_file(self, ledger: SqliteLedger) -> None:
        ledger._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.steps, self.sizes = [], []
        self._note()

    def _note(self) -> None:
        log = self._place / LOG
        with tempfile.TemporaryDirectory(prefix="miniqmt-ledger-") as copy:
            for file in (self._place / NAME, log):
                if file.exists():
                    shutil.copy(file, copy)
            self.steps.append(told(Path(copy) / NAME))
        self.sizes.append(log.stat().st_size if log.exists() else 0)


@cache
def written(logged: bool) -> Written:
    """The ledger all inputs start from."""
    return Written(12, logged)


def ledger(random: Random, place: Path) -> Trial:
    """One of the two files damaged; a shorter log is an earlier commit, which the second counter tells."""
    source = written(random.random() < 0.5)
    which = random.choice((NAME, LOG)) if source.files[LOG] else NAME
    raw = source.files[which]
    way = random.random()
    if way < 0.35:
        made, changed = "bits", bytearray(raw)
        for _ in range(random.choice((1, 1, 2, 8))):
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
        raw = bytes(changed)
    elif way < 0.5:
        start = random.randrange(len(raw) // 512) * 512
        block = random.choice((512, 4096))
        filling = random.choice((bytes(block), random.randbytes(block), raw[:block]))
        raw, made = raw[:start] + filling + raw[start + block :], "block"
    else:
        raw, made = damaged(random, raw, source.files[LOG if which == NAME else NAME])

    def judge() -> str:
        for left in place.glob(f"{NAME}*"):
            left.unlink()  # another inode: SQLite knows files of this process by it
        for name, content in source.files.items():
            (place / name).write_bytes(raw if name == which else content)
        try:
            found = told(place / NAME)
        except StateError as problem:
            str(problem)
            return REFUSED
        if found == source.steps[-1]:
            return ACCEPTED
        if which == LOG and found in source.steps:
            return "earlier commit"
        names = ("open rows", "known ids", "meta", "result_seq", "tags", "rows", "settled")
        wrong = [
            name for name, one, other in zip(names, found, source.steps[-1], strict=True) if one != other
        ]
        raise WronglyAccepted(f"read as sound, and differs in {', '.join(wrong)}")

    return Trial(raw, f"{which}: {made}", judge)
