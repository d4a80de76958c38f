"""The risk: another account number under the same alias, served by the old account's ledger (I4)."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from shared_schema.errors import StateError
from shared_schema.ids import OrderId
from shared_schema.settings import load_settings
from tests.commands.hosts import IDENTITY, Host, signal
from tests.commands.test_arm_is_typed import NUMBER, RIGHT, ledger_of, live_host
from windows_side.account_number import NUMBER as KEPT
from windows_side.account_number import bind_number
from windows_side.arming import arming_path
from windows_side.execution.ledger import BOUND_TO, Change
from windows_side.execution.order import Order
from windows_side.execution.sqlite_ledger import SqliteLedger
from windows_side.order_executor import run
from windows_side.venue import LIVE

__all__ = ["live_host"]

OTHER = "99990000"


def traded(host: Host) -> None:
    """An order of the armed account is open in its ledger."""
    order = Order(IDENTITY, "digest", signal(host.now), "submitted", host.now, host.now, "2026-11-20")
    with closing(SqliteLedger(ledger_of(host), dict)) as ledger:
        ledger.commit(Change((replace(order, order_id=OrderId("7")),)))


def without_number(host: Host) -> None:
    """The ledger as it was made before the number was kept."""
    with closing(SqliteLedger(ledger_of(host), dict)) as ledger:
        bound = ledger.load().meta[BOUND_TO]
        ledger.commit(Change(meta={BOUND_TO: {name: bound[name] for name in bound if name != KEPT}}))


def bound_number(host: Host) -> str | None:
    """What the ledger keeps of the number."""
    with closing(SqliteLedger(ledger_of(host), dict)) as ledger:
        kept: str | None = ledger.load().meta[BOUND_TO].get(KEPT)
        return kept


@pytest.fixture
def armed(live_host: Host) -> Host:
    """A host armed for NUMBER."""
    assert live_host.run("arm", text=RIGHT).exit_code == 0
    return live_host


@pytest.mark.parametrize("kept", [True, False], ids=["number kept", "ledger from before"])
def test_another_number_is_never_served_by_the_old_ledger(
    armed: Host, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    """``arm`` ends in a sentence that names the way (another alias), before anything is typed or written."""
    traded(armed)
    if not kept:
        without_number(armed)
    agreement, before = arming_path(load_settings()), bound_number(armed)
    agreed = agreement.read_bytes()
    monkeypatch.setenv("QMT_ACCOUNT_ID", OTHER)
    problem = armed.run("arm", text=f"{OTHER}\n60000\nLIVE\n").exception
    assert isinstance(problem, StateError) and problem.key == "arming.other_account"
    assert "alias" in str(problem) and OTHER not in str(problem)
    assert agreement.read_bytes() == agreed and bound_number(armed) == before
    monkeypatch.setenv("QMT_ACCOUNT_ID", NUMBER)
    assert armed.run("arm", text="").exit_code == 0


def test_the_start_refuses_too(armed: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the agreement was made away with: no order is asked for at the other account's broker."""
    traded(armed)
    monkeypatch.setenv("QMT_ACCOUNT_ID", OTHER)
    with pytest.raises(StateError) as problem:
        run(load_settings(), threading.Event(), LIVE, console=False)
    assert problem.value.key == "arming.other_account"


def test_a_ledger_that_knows_no_order_goes_to_a_corrected_number(
    armed: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slip of the first arming is mended by arming again; the first start binds the ledger to it."""
    first = bound_number(armed)
    monkeypatch.setenv("QMT_ACCOUNT_ID", OTHER)
    assert armed.run("arm", text=f"{OTHER}\n60000\nLIVE\n").exit_code == 0
    with closing(SqliteLedger(ledger_of(armed), dict)) as ledger:
        alias = load_settings().account.alias
        assert bind_number(ledger, ledger.load(), alias, OTHER, "")  # type: ignore[arg-type]
        assert not bind_number(ledger, ledger.load(), alias, OTHER, "")  # type: ignore[arg-type]
    assert first is not None and bound_number(armed) not in (None, first)


def test_an_old_ledger_takes_the_present_number(armed: Host) -> None:
    """Made before the number was kept: the first start binds it, rows and all; itself it is nowhere."""
    traded(armed)
    before = bound_number(armed)
    without_number(armed)
    with closing(SqliteLedger(ledger_of(armed), dict)) as ledger:
        assert bind_number(ledger, ledger.load(), load_settings().account.alias, NUMBER, "")  # type: ignore[arg-type]
    assert bound_number(armed) == before
    files = [path for path in Path(armed.runtime).rglob("*") if path.is_file()]
    assert files and not any(NUMBER.encode() in path.read_bytes() for path in files)
