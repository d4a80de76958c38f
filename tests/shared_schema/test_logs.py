"""The risk: a log that blocks trading, loses what trace needs, or lets a hostile id write to the screen."""

from __future__ import annotations

import io
import threading
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_schema import words
from shared_schema.log_lines import Line, parse_line
from shared_schema.logs import ConsoleOutput, FileOutput, Log, open_log, read_actions

TIME = 1_795_138_260.123  # 2026-11-20 09:31:00.123 in Shanghai


def test_the_line_is_a_sentence_and_an_action_with_fields(tmp_path: Path) -> None:
    """Shanghai time with milliseconds, level, action, sentence, fields; as it is written, so it is read."""
    log = open_log("bridge_producer", tmp_path, console=False, clock=lambda: TIME)
    log.say("info", "producer_stopped", quotes=12, clean=True, roles=("a", "b"), nothing=None)
    log.close()
    text = (tmp_path / "bridge_producer.log").read_text(encoding="utf-8")
    assert text == (
        "2026-11-20 09:31:00.123 INFO    producer_stopped  行情桥已停止，共写行情 12 次"
        " | quotes=12 clean=true roles=a,b\n"
    )
    (line,) = read_actions(tmp_path / "bridge_producer.log")
    assert (line.time, line.level, line.action) == (TIME, "info", "producer_stopped")
    assert line.fields == {"quotes": "12", "clean": "true", "roles": "a,b"}


def test_without_a_sentence_the_fields_speak(tmp_path: Path) -> None:
    """An action without words, or one whose words ask for a field that is missing, still says what it has."""
    log = open_log("x", tmp_path, console=False, clock=lambda: TIME)
    log.say("warning", "no_such_action_anywhere", price=1.5)
    log.say("info", "producer_stopped", other=1)
    log.say("error", "bare")
    first, second, third = read_actions(tmp_path / "x.log")
    assert (first.sentence, first.fields) == ("", {"price": "1.5"})
    assert (second.sentence, second.fields) == ("", {"other": "1"})
    assert (third.action, third.fields) == ("bare", {})


@given(
    sentence=st.text(max_size=40).map(lambda text: " ".join("".join(filter(str.isprintable, text)).split())),
    fields=st.dictionaries(st.sampled_from(["signal_id", "a", "b2"]), st.text(max_size=30)),
)
def test_any_value_comes_back_and_stays_on_its_line(sentence: str, fields: dict[str, str]) -> None:
    """Quotes, bars, blanks, newlines, escape codes and lone surrogates: one printable line, same values."""
    line = Line(TIME, "info", "some_action", sentence, fields)
    assert line.text.isprintable()
    back = parse_line(line.text)
    assert back is not None
    if "| " not in sentence and not sentence.startswith("|"):
        assert (back.sentence, dict(back.fields)) == (sentence, fields)
    for name, value in fields.items():
        assert f"{name}=" in line.text
        assert back.fields.get(name, value) == value


def test_trace_finds_every_line_of_a_signal_and_no_other(tmp_path: Path) -> None:
    """By any field, also one of several ids, over the rotated files, oldest first; not by a part of an id."""
    ticks = iter(range(1000))
    output = FileOutput(tmp_path / "x.log", file_bytes=400, files_kept=5)
    log = Log("x", [output], clock=lambda: TIME + next(ticks))
    for number in range(12):
        log.say("info", "step", signal_id="BUY_1" if number % 2 else "BUY_12", number=number)
    log.say("info", "applied", results=["A", "BUY_1"])
    log.close()
    assert (tmp_path / "x.log.2").exists()
    found = read_actions(tmp_path / "x.log", signal_id="BUY_1")
    assert [line.fields.get("number") for line in found] == ["1", "3", "5", "7", "9", "11", None]


def test_lines_that_are_not_ours_are_passed_over(tmp_path: Path) -> None:
    """A torn line, a foreign one or bytes that are no text end no trace; a missing log is an empty one."""
    path = tmp_path / "x.log"
    assert read_actions(path) == []
    good = Line(TIME, "info", "kept", "", {"a": "1"}).text
    path.write_bytes(b"2026-11-20 09:3\n\xff\xfe garbage\n\nTraceback:\n" + good.encode() + b"\r\n")
    assert [line.action for line in read_actions(path)] == ["kept"]


def test_a_failing_log_disk_stops_nothing_and_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines are lost and counted, the failure is shown once, and a disk that comes back is used again."""
    blocked = tmp_path / "logs"
    blocked.write_text("a file where the folder should be")
    log = open_log("x", blocked, console=False, clock=lambda: TIME)
    for _ in range(3):
        log.say("info", "lost")
    assert log.errors == 3
    assert capsys.readouterr().err.count("x.log") == 1
    blocked.unlink()
    log.say("info", "kept")
    assert [line.action for line in read_actions(blocked / "x.log")] == ["kept"]


def test_a_log_somebody_holds_open_is_not_lost_when_it_should_rotate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file can't be renamed (Windows: a reader holds it) lines go on into it."""
    import os

    def refuse(*_: object) -> None:
        raise PermissionError(13, "held")

    monkeypatch.setattr(os, "rename", refuse)
    output = FileOutput(tmp_path / "x.log", file_bytes=200)
    log = Log("x", [output], clock=lambda: TIME)
    for number in range(12):
        log.say("info", "step", number=number)
    log.close()
    assert [line.fields["number"] for line in read_actions(tmp_path / "x.log")] == [str(n) for n in range(12)]


class Stuck(io.StringIO):
    """A console window somebody clicked into: writing waits."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.released = threading.Event()

    def write(self, text: str) -> int:
        self.entered.set()
        self.released.wait(60)
        return super().write(text)


def test_a_stuck_console_drops_lines_and_never_blocks() -> None:
    """While the window is stuck, lines beyond the queue are dropped at once; later it says how many."""
    stream = Stuck()
    console = ConsoleOutput(stream, waiting=3)
    line = Line(TIME, "info", "step", "句子", {"a": "1"})
    console.write(line)
    assert stream.entered.wait(60)
    for _ in range(10):
        console.write(line)
    assert console.dropped == 7
    stream.released.set()
    console.close()
    shown = "09:31:00 句子"
    assert stream.getvalue().splitlines() == [shown, f"{shown}  (+7 …)", shown, shown]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "gbk"])
def test_a_console_that_knows_no_chinese_or_is_gone_ends_nothing(encoding: str) -> None:
    """What the console can't show is replaced; a closed pipe is left alone."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = ConsoleOutput(stream)
    console.write(Line(TIME, "warning", "step", "价格 \u20ac 1", {}))
    console.close()
    assert b"WARNING" in stream.buffer.getvalue()  # type: ignore[attr-defined]
    gone = io.StringIO()
    gone.close()
    console = ConsoleOutput(gone, waiting=2)
    for _ in range(5):
        console.write(Line(TIME, "info", "step", "", {}))
    console.close()


def test_a_problem_brings_its_text_and_trace_on_one_line(tmp_path: Path) -> None:
    """An exception is logged with its traceback, which stays inside its field."""
    log = open_log("x", tmp_path, console=False, clock=lambda: TIME)
    try:
        raise ValueError("line 1\nline 2")
    except ValueError as problem:
        log.say("error", "source_failed", problem=problem)
    (line,) = read_actions(tmp_path / "x.log")
    assert line.fields["detail"] == "line 1\nline 2"
    assert "Traceback" in line.fields["trace"] and "ValueError" in line.fields["trace"]
    assert "\n" not in line.sentence


def test_quiet_levels_are_left_out(tmp_path: Path) -> None:
    """Below the least level nothing is written."""
    log = open_log("x", tmp_path, console=False, least="warning")
    log.say("info", "quiet")
    log.say("warning", "loud")
    assert [line.action for line in read_actions(tmp_path / "x.log")] == ["loud"]


def test_every_sentence_of_the_log_catalogue_is_a_pair() -> None:
    """All rooms share log.toml: one double key or broken line in it would silence every sentence."""
    catalogue = tomllib.loads((Path(words.__file__).parent / "log.toml").read_text(encoding="utf-8"))
    for action, sentences in catalogue.items():
        assert action.isidentifier() and action.islower()
        assert [type(text) for text in sentences] == [str, str]
