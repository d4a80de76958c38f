"""The day's files: nothing incomplete, nothing shrunk, readable by people and by ``miniqmt reconcile``."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared_schema.errors import DataError
from shared_schema.ids import Code, OrderId, TradeId
from shared_schema.messages import Account, AccountOrder, AccountTrade, Asset, Position
from windows_side.day_files import KEEP_INTERVAL, DayFiles

CODE = Code("159201.SZ")
DAY = "20261118"


def account(orders: int, **changes: object) -> Account:
    """An account with so many filled orders."""
    plain = Account(
        asset=Asset(cash=1000.5, total_asset=3000.25),
        positions={CODE: Position(volume=100 * orders, can_use_volume=0, open_price=1.2, market_value=120.0)},
        orders=tuple(
            AccountOrder(
                order_id=OrderId(f"{n}"), code=CODE, direction="BUY", price=1.2, shares=100,
                filled_shares=100, status=56, remark="委托, \"甲\"", time=1.5,
            )
            for n in range(orders)
        ),
        trades=tuple(
            AccountTrade(
                trade_id=TradeId(f"t{n}"), order_id=OrderId(f"{n}"), code=CODE, direction="BUY", price=1.199,
                shares=100, time=2.25,
            )
            for n in range(orders)
        ),
    )  # fmt: skip
    return plain.model_copy(update=changes)


def test_what_is_kept_reads_back_exactly(tmp_path: Path) -> None:
    """Orders, trades and positions come back as they were, remarks with commas and quotes too."""
    files = DayFiles(tmp_path)
    assert files.keep(DAY, account(3), 0.0)
    kept = DayFiles(tmp_path).read(DAY)
    assert kept is not None
    was = account(3)
    assert (kept.orders, kept.trades, kept.positions) == (was.orders, was.trades, was.positions)


def test_lines_kept_from_last_time_are_those_of_now(tmp_path: Path) -> None:
    """Rows that stayed the same objects are not written out again; one that moved, and new ones, are."""
    before, files = account(3), DayFiles(tmp_path / "kept")
    files.keep(DAY, before, 0.0)
    first, moved, last = before.orders
    grown = account(5)
    orders = (first, moved.model_copy(update={"filled_shares": 40, "status": 55}), last, *grown.orders[3:])
    now = before.model_copy(update={"orders": orders, "trades": (*before.trades, *grown.trades[3:])})
    assert files.keep(DAY, now, 1.0, last=True)
    DayFiles(tmp_path / "anew").keep(DAY, now, 1.0)
    for name in (f"orders_{DAY}.csv", f"trades_{DAY}.csv"):
        assert (tmp_path / "kept" / name).read_bytes() == (tmp_path / "anew" / name).read_bytes()
    kept = files.read(DAY)
    assert kept is not None and kept.orders == orders


def test_an_incomplete_or_shorter_answer_changes_nothing(tmp_path: Path) -> None:
    """A failed query and a list cleared at night leave the day as it was, after a restart too."""
    DayFiles(tmp_path).keep(DAY, account(3), 0.0)
    for files in (DayFiles(tmp_path), DayFiles(tmp_path)):
        assert not files.keep(DAY, account(9, complete=False), 1.0, last=True)
        assert not files.keep(DAY, account(0), 2.0, last=True)
    kept = DayFiles(tmp_path).read(DAY)
    assert kept is not None and len(kept.orders) == 3


def test_once_a_minute_and_at_the_end(tmp_path: Path) -> None:
    """Between two writings lies a minute; the last one goes out at once; unchanged lists are not written."""
    files = DayFiles(tmp_path)
    assert files.keep(DAY, account(1), 0.0)
    assert not files.keep(DAY, account(2), KEEP_INTERVAL - 1)
    assert files.keep(DAY, account(2), KEEP_INTERVAL - 1, last=True)
    assert not files.keep(DAY, account(2), 10 * KEEP_INTERVAL, last=True)


def test_the_account_has_a_line_for_each_look(tmp_path: Path) -> None:
    """Cash over the day can be followed in a spreadsheet."""
    files = DayFiles(tmp_path)
    for number in range(3):
        files.keep(DAY, account(number + 1), number * KEEP_INTERVAL)
    lines = (tmp_path / f"account_{DAY}.csv").read_text("utf-8-sig").splitlines()
    assert lines[0] == "queried_at,cash,frozen_cash,market_value,total_asset" and len(lines) == 4


def test_the_day_before_is_the_newest_one_kept(tmp_path: Path) -> None:
    """Over a weekend the day before is Friday; without any there is none."""
    files = DayFiles(tmp_path)
    assert files.positions_before(DAY) is None
    files.keep("20261113", account(1), 0.0)
    files.keep("20261116", account(2), KEEP_INTERVAL)
    before = files.positions_before("20261116")
    assert before is not None and before[CODE].volume == 100


HEAD = "time,trade_id,order_id,code,direction,price,shares"


@pytest.mark.parametrize("text", ["a,b\r\n1,2\r\n", f"{HEAD}\r\n1,2\r\n", ""])
def test_a_damaged_file_is_named_and_never_empty(tmp_path: Path, text: str) -> None:
    """A file cut by a full disk or edited by hand stops the reconciliation with its name."""
    files = DayFiles(tmp_path)
    files.keep(DAY, account(1), 0.0)
    (tmp_path / f"trades_{DAY}.csv").write_text(text)
    with pytest.raises(DataError) as problem:
        DayFiles(tmp_path).read(DAY)
    assert f"trades_{DAY}.csv" in str(problem.value)
