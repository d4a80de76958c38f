"""Fault 34: a split longer than a result is looked after leaves no older answer standing for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared_schema.drop_folder.names import RESULTS_FOLDER
from shared_schema.settings_sections import Sync
from shared_schema.words import pair
from tests.execution.bench import Bench, of_kind, rules_of, signal_of
from tests.execution.shell import Shell
from windows_side.execution.actions import CancelAtBroker
from windows_side.executor_views import RESTORE_FOR
from windows_side.lost_results import AT_MOST, LOOK_EVERY, LostResults
from windows_side.pruning import Pruner

FIRST = "BUY_159201.SZ_L1_00000001"


class Views:
    """Stands for the folder's writer: remembers which rows it was asked to compare."""

    def __init__(self) -> None:
        self.compared: list[str] = []

    def result_if_missing(self, order) -> None:  # type: ignore[no-untyped-def]
        """Take note."""
        self.compared.append(order.signal_id)


def test_an_old_pending_result_put_back_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long after the end the folder shows "pending" again: within a minute it shows the end."""
    for module in ("executor_views", "lost_results"):
        monkeypatch.setattr(f"windows_side.{module}.RESTORE_FOR", 0.0)
    shell = Shell(tmp_path)
    shell.ready()
    shell.drop(shell.signal())
    shell.settled()
    path = shell.folder.path / RESULTS_FOLDER / "order_result_s1.json"
    ended = path.read_bytes()
    path.write_bytes(b"an earlier revision")
    shell.skip += LOOK_EVERY / 2
    shell.executor.turn()
    assert path.read_bytes() != ended, "the newest rows alone are compared every few seconds"
    shell.skip += LOOK_EVERY
    shell.executor.turn()
    assert path.read_bytes() == ended
    shell.kill()


def test_rows_are_gone_round_a_hundred_at_a_time_but_for_those_applied(tmp_path: Path) -> None:
    """250 rows: three looks see each once, those applied never, and between looks nothing is done."""
    shell = Shell(tmp_path)
    bench = Bench()
    rows = []
    for number in range(250):
        bench.drop(signal_of(f"s{number}", code="600000.SH"))
        rows.append(bench.row(f"s{number}"))
    views, clock = Views(), [0.0]
    pruner = Pruner(shell.folder, bench.rules.calendar, lambda: clock[0], lambda count: None)
    lost = LostResults(views, pruner, lambda: rows, lambda: clock[0])  # type: ignore[arg-type]
    bench.pass_time(RESTORE_FOR + 1)
    applied = frozenset(row.signal_id for row in rows[:50])
    for look in range(2):
        clock[0] += LOOK_EVERY
        for step in lost.due(bench.now, lambda: applied):
            step()
        assert lost.due(bench.now, lambda: applied) == []
        assert len(views.compared) == AT_MOST * (look + 1)
    assert sorted(views.compared) == sorted(row.signal_id for row in rows[50:])
    shell.kill()


@pytest.mark.parametrize(
    ("tool", "permitted", "code"), [("cloud", False, "too_slow"), ("cloud", True, ""), ("smb", False, "")]
)
def test_the_executor_takes_no_order_over_a_cloud_drive(tool: str, permitted: bool, code: str) -> None:
    """By its own setting, whatever the sender's says; the sentence names it."""
    sync = Sync(tool=tool, allow_orders=permitted)
    bench = Bench(rules_of(orders_allowed=sync.orders_allowed))
    bench.drop(signal_of())
    assert bench.row().error_code == code and len(bench.submits) == (not code)
    if code:
        assert bench.result().message in pair("refusals.too_slow.what")


def test_a_cancel_goes_over_a_cloud_drive_all_the_same() -> None:
    """The order was placed before the setting; taking it back is never refused."""
    bench = Bench()
    bench.drop(signal_of())
    bench.placed(FIRST)
    bench.rules = rules_of(orders_allowed=False)
    bench.restart(ready=False)
    bench.make_ready(bench.seen_order())
    bench.drop(signal_of("C_1", action="cancel", target_signal_id=FIRST))
    assert of_kind(bench.actions, CancelAtBroker)
