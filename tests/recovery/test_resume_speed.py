"""A long life starts fast: ledger, core and views over 100,000 rows."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from shared_schema.clock import Moment, Stamper
from shared_schema.drop_folder import DropFolder
from shared_schema.ids import AccountAlias, Epoch, SignalId
from shared_schema.messages import Heartbeat
from tests.execution.bench import CALENDAR, rules_of, signal_of
from tests.execution.ledger_contract import row
from windows_side.execution.core import ExecutorCore
from windows_side.execution.ledger import Change, new_meta
from windows_side.execution.sqlite_ledger import SqliteLedger
from windows_side.executor_views import ExecutorViews

ROWS = 100_000
AT_MOST = 2.0
"""Seconds (issue 3): from opening the file to the first views."""


@pytest.mark.slow
def test_a_hundred_thousand_rows_resume_in_two_seconds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every old id is known, the open order is whole, its result stands, the list is there; time printed."""
    path = tmp_path / "ledger.sqlite3"
    ledger = SqliteLedger(path, lambda: new_meta("simulate", "main", "test", "e0"))
    now = time.time()
    ledger.commit(Change((row("s0", "filled", "2026-11-16", changed_at=now),)))
    ledger._database.execute(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS - 1}) "
        "INSERT INTO orders SELECT 's' || i, digest, state, terminal, trading_day, received_at, changed_at, "
        "tag || i, order_id, result_seq, row FROM orders, n WHERE signal_id = 's0'"
    )
    # Rows that no commit wrote: without the sum it is a ledger from before there was one.
    ledger._database.execute("DELETE FROM meta WHERE name = 'seal'")
    ledger.close()
    ledger = SqliteLedger(path, dict)
    ledger.commit(Change((row("open", "submitted", signal=signal_of("open")),)))
    ledger.close()
    folder = DropFolder(tmp_path / "exchange")
    folder.disk.make_folder(folder.path)
    folder.prepare()
    began = time.process_time()
    ledger = SqliteLedger(path, dict)
    memory = ledger.load()
    rules = rules_of(calendar=CALENDAR)
    core = ExecutorCore(rules, memory)
    moment = Moment(now, now)
    core.start(moment)
    stamper = Stamper("executor@test", Epoch("x"), "simulate", AccountAlias("main"))
    views = ExecutorViews(folder, ledger, rules, stamper, Epoch("l"), 1.0, None)
    for order in core.book.everything():
        views.result_if_missing(order)
    beat = Heartbeat(role="executor", instance=rules.instance, ready=True, state="ready")
    for _, write in views.due(moment, 0.0, (None, True, "ready"), lambda: beat, core.book.everything):
        write()
    taken = time.process_time() - began
    with capsys.disabled():
        print(f" [{ROWS:,} rows: ledger, core and views in {taken:.2f} s of a core]", end="")
    assert core.book.digest_of(SignalId("s99999")) and core.book.knows_tag(f"mq{'s0':0>20}7")
    assert core.book.get(SignalId("open")) is not None
    assert (folder.path / "executed_signals.json").stat().st_size > ROWS * 8
    assert taken < AT_MOST
