"""Fault 74: a log that can't be written changes nothing for a trade."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared_schema.logs import open_log
from tests.execution.shell import Shell


@pytest.mark.slow
def test_an_order_is_placed_and_answered_while_the_log_folder_is_gone(tmp_path: Path) -> None:
    """The folder of the log is a file: every line is lost, the signal is filled, its result stands."""
    shell = Shell(tmp_path).ready()
    (tmp_path / "no folder").write_bytes(b"")
    log = open_log("order_executor", tmp_path / "no folder", console=False)
    executor = shell.executor
    executor._log = executor._outgoing._log = executor._work._log = log
    shell.drop(shell.signal())
    assert shell.settled().filled_shares == 1000
    assert shell.orders == 1
    log.close()
    shell.kill()
