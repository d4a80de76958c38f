"""``miniqmt resolve``: what a person types at the executor's host reaches it, and is checked twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from commands.main import app_for
from shared_schema.ids import OrderId, SignalId, Tag
from tests.execution.shell import Shell
from windows_side.brokers.port import OrderRequest, PlaceAnswer, Unclear


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A ready executor at a broker where absence proves nothing and answers get lost."""
    config = tmp_path / "miniqmt.toml"
    config.write_text("[executor]\nsimulate = true\ncounter_dir = 'elsewhere'\n")
    monkeypatch.setenv("MINIQMT_CONFIG", str(config))
    monkeypatch.setenv("MINIQMT_SHARED_DIR", str(tmp_path / "exchange"))
    monkeypatch.setenv("RUNTIME_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    shell = Shell(tmp_path, instant=False, absence_is_proof=False).ready()
    yield shell
    shell.kill()


def lose_the_answer(shell: Shell, *, remark: str | None, **signal: object) -> None:
    """The order s1 is placed with ``remark`` (None: not at all) and no usable answer comes."""
    place = shell.broker.place

    def unclear(request: OrderRequest) -> PlaceAnswer:
        if remark is not None:
            place(OrderRequest(**{**request.__dict__, "tag": Tag(remark)}))
        return Unclear("no answer")

    shell.broker.place = unclear  # type: ignore[method-assign]
    shell.drop(shell.signal("s1", **signal))
    shell.until(lambda: (result := shell.result("s1")) is not None and result.state == "unknown")
    shell.broker.place = place  # type: ignore[method-assign]
    shell.skip += 6
    shell.until(lambda: "account_snapshot.simulate.json" in shell.names())
    shell.executor.turn()


@contextmanager
def running(shell: Shell) -> Iterator[None]:
    """The executor works in a thread of its own, as a process would beside the command."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            shell.executor.turn()
            shell.watch.wait(0.02)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def run(*typed: str, text: str = "RESOLVE\n") -> Any:
    """The command line as a person types it."""
    return CliRunner().invoke(app_for(typed), list(typed), input=text)


def test_without_options_it_shows_the_candidates(shell: Shell) -> None:
    """The row in words, the order it could be with id, shares and price, and how to go on; no change."""
    lose_the_answer(shell, remark="")
    shell.skip += 6
    shell.executor.turn()
    (order,) = shell.broker.orders()
    ended = run("resolve", "s1")
    assert ended.exit_code == 0
    assert f"委托 {order.order_id}：" in ended.output and "1000 股 @1.200" in ended.output
    assert "--not-placed" in ended.output and "no answer" in ended.output, "what the broker said is shown"
    assert "no answer" in run("trace", "s1").output
    assert shell.core.book.get(SignalId("s1")).state == "unknown"  # type: ignore[union-attr]


def test_placed_adopts_the_order_and_the_result_follows(shell: Shell) -> None:
    """Typed, taken by the running executor, told; later fills reach the result."""
    lose_the_answer(shell, remark="")
    (order,) = shell.broker.orders()
    with running(shell):
        ended = run("resolve", "s1", "--placed", order.order_id)
    assert ended.exit_code == 0, ended.output
    assert shell.core.book.get(SignalId("s1")).order_id == order.order_id  # type: ignore[union-attr]
    shell.broker.cancel(OrderId(order.order_id))
    assert shell.settled("s1").state == "cancelled" and shell.orders == 1


def test_not_placed_needs_a_reason_and_ends_it(shell: Shell) -> None:
    """A person's proof is signed with its reason."""
    lose_the_answer(shell, remark=None)
    with running(shell):
        assert run("resolve", "s1", "--not-placed").exit_code == 1
        ended = run("resolve", "s1", "--not-placed", "--reason", "looked at QMT")
    assert ended.exit_code == 0, ended.output
    result = shell.settled("s1")
    assert result.state == "not_placed" and "looked at QMT" in result.message and shell.orders == 0


def test_an_order_that_can_not_be_it_is_refused_and_said(shell: Shell) -> None:
    """Another's order: exit 1, the reason on the screen, the row still unknown."""
    lose_the_answer(shell, remark=None)
    shell.broker.place(OrderRequest(SignalId("x"), Tag("by hand"), shell.signal().code, "BUY", 900, 1.2))
    (order,) = shell.broker.orders()
    with running(shell):
        ended = run("resolve", "s1", "--placed", order.order_id)
    assert isinstance(ended.exception, Exception) and "代码、方向或数量" in str(ended.exception)
    assert shell.core.book.get(SignalId("s1")).state == "unknown"  # type: ignore[union-attr]


def test_it_needs_the_word_an_unknown_order_and_a_running_executor(shell: Shell) -> None:
    """Each missing: exit 1, nothing typed."""
    lose_the_answer(shell, remark=None)
    assert run("resolve", "s1", "--not-placed", "--reason", "r", text="no\n").exit_code == 1
    assert run("resolve", "never").exit_code == 1
    shell.executor.end()
    assert run("resolve", "s1", "--not-placed", "--reason", "r").exit_code == 1
    assert not list((shell.place / "executor_commands").glob("*.json"))


def test_filled_books_what_an_earlier_days_order_filled(shell: Shell) -> None:
    """Typed with its average price and the reason; the result is final with these shares."""
    shell.ahead = -86_400.0
    lose_the_answer(shell, remark=None, timestamp=time.time() - 86_400.0)
    shell.ahead = 0.0
    shell.restart()
    shell.ready()
    with running(shell):
        priced = ["--price", "1.2"]
        for lacking in ([], priced, [*priced, "-r", "history", "--placed", "1"]):
            assert run("resolve", "s1", "--filled", "600", *lacking).exit_code == 1
        none = run("resolve", "s1", "--filled", "0", "--price", "1.2", "-r", "history")
        assert none.exit_code == 1 and "--not-placed" in str(none.exception)
        ended = run("resolve", "s1", "--filled", "600", "--price", "1.199", "-r", "history")
    assert ended.exit_code == 0, ended.output
    assert "600" in ended.output and "1.199" in ended.output
    result = shell.settled("s1")
    assert (result.state, result.filled_shares, result.average_price) == ("partly_cancelled", 600, 1.199)


def test_filled_is_refused_of_todays_order(shell: Shell) -> None:
    """Its list is there: the refusal names --placed and --not-placed."""
    lose_the_answer(shell, remark=None)
    with running(shell):
        ended = run("resolve", "s1", "--filled", "600", "--price", "1.2", "-r", "history")
    assert ended.exit_code == 1 and "--placed" in str(ended.exception)
    assert shell.core.book.get(SignalId("s1")).state == "unknown"  # type: ignore[union-attr]
