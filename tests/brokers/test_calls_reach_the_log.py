"""What goes wrong in the broker's threads stands in the executor's log, not only in nobody's ear."""

from __future__ import annotations

from pathlib import Path

from shared_schema.log_bridge import lines_of
from shared_schema.logs import open_log, read_actions
from shared_schema.words import say
from windows_side.brokers.safe_calls import SafeCalls, stopped_by


class _Broken:
    """A broker that can't be asked."""

    def asset(self) -> object:
        raise OSError("asset is gone")


def test_a_call_that_raised_is_a_line_with_its_trace(tmp_path: Path) -> None:
    """A place that raised becomes an unclear answer; why it raised is found in order_executor.log."""
    log = open_log("order_executor", tmp_path, console=False)
    with lines_of("windows_side", log):
        SafeCalls(_Broken(), lambda: 0.0).account()  # type: ignore[arg-type]
    SafeCalls(_Broken(), lambda: 0.0).account()  # type: ignore[arg-type]
    log.close()
    (line,) = read_actions(tmp_path / "order_executor.log")
    assert (line.level, line.action) == ("warning", "broker_call_raised")
    assert "asset is gone" in line.fields["detail"] and "Traceback" in line.fields["trace"]


def test_a_guard_that_raised_is_an_error(tmp_path: Path) -> None:
    """It counts as a halt; a person must learn why nothing is placed."""

    def guard() -> str | None:
        raise OSError("no folder")

    log = open_log("order_executor", tmp_path, console=False)
    with lines_of("windows_side", log):
        assert stopped_by(guard) == "halt"
    log.close()
    (line,) = read_actions(tmp_path / "order_executor.log")
    assert (line.level, line.action) == ("error", "broker_guard_failed")
    assert line.sentence == say("broker.guard_failed"), "people read the sentence, not the word for machines"
    assert line.short.endswith(line.sentence)
