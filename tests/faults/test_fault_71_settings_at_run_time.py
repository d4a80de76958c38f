"""Fault 71: settings changed or broken while a process runs: the old ones stay and the change is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shared_schema.log_lines import Line
from shared_schema.logs import Log
from shared_schema.settings import Settings, load_settings
from shared_schema.settings_watch import LOOK_EVERY, SettingsNews, SettingsWatch
from shared_schema.watch import FolderWatch
from tests.execution.shell import Shell
from tests.mac_side.test_engine_over_a_folder import Desk


class Lines:
    """Keeps the log's lines."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def write(self, line: Line) -> None:
        """Take one line."""
        self.lines.append(line)

    def close(self) -> None:
        """Nothing to close."""


class Host:
    """Settings files, a process started with them, and its own clock."""

    def __init__(self, place: Path, **overrides: object) -> None:
        self.file = place / "miniqmt.toml"
        self.write("orders_per_day = 50")
        self.environment = {"RUNTIME_DIR": str(place / "runtime")}
        typed = {"executor.simulate": True}
        self.started: Settings = load_settings(
            environment=self.environment, working_folder=place, overrides=typed
        )
        self.now = 0.0
        self.watch = SettingsWatch(self.started, self.environment, place, lambda: self.now)
        self.said = Lines()

    def write(self, limits: str) -> None:
        """The person edits the file; its time moves on."""
        self.file.write_text(f"[limits]\n{limits}\n", encoding="utf-8")
        self.ticks = getattr(self, "ticks", 1_700_000_000) + 1
        os.utime(self.file, (self.ticks, self.ticks))

    def look(self) -> SettingsNews | None:
        """The next look that is due."""
        self.now += LOOK_EVERY
        return self.watch.look_after(Log("test", [self.said]))


def test_a_change_is_said_once_and_the_old_values_stay(tmp_path: Path) -> None:
    """Which keys changed; what was typed at the start is no change; put back, that is said too."""
    host = Host(tmp_path)
    assert host.look() is None
    host.write("orders_per_day = 99\nturnover_yuan = 5.0")
    news = host.look()
    assert news is not None and news.word == "settings_changed"
    assert news.detail == "limits.orders_per_day, limits.turnover_yuan"
    assert host.look() is None and host.started.limits.orders_per_day == 50
    host.write("orders_per_day = 50")
    assert host.look() == SettingsNews("settings_as_started")
    assert [line.action for line in host.said.lines] == ["settings_changed", "settings_as_started"]


@pytest.mark.parametrize("wrong", ["orders_per_dya = 3", "orders_per_day = -1", "orders_per_day = = 3"])
def test_a_mistake_is_an_error_in_the_log_at_once(tmp_path: Path, wrong: str) -> None:
    """With file and line, not at the next morning's start."""
    host = Host(tmp_path)
    host.write(wrong)
    news = host.look()
    assert news is not None and news.word == "settings_broken" and "miniqmt.toml:" in news.detail
    (line,) = host.said.lines
    assert line.level == "error" and "miniqmt.toml" in line.sentence


def test_a_dotenv_that_appears_is_a_change(tmp_path: Path) -> None:
    """The file that was not there at the start counts as well."""
    host = Host(tmp_path)
    (tmp_path / ".env").write_text("MINIQMT_LANGUAGE=en\n", encoding="utf-8")
    news = host.look()
    assert news is not None and news.detail == "language"


def test_between_two_looks_nothing_is_read(tmp_path: Path) -> None:
    """A look costs a few stats every five seconds, whatever the loop's pace."""
    host = Host(tmp_path)
    host.write("orders_per_day = 99")
    assert host.watch.look_after(Log("test", [host.said])) is None


class Turns:
    """A stop that comes after some turns, each of them seconds long."""

    def __init__(self, host: Host, turns: int) -> None:
        self.host, self.left = host, turns

    def is_set(self) -> bool:
        """Whether the turns are over."""
        self.left -= 1
        self.host.now += LOOK_EVERY
        return self.left < 0

    def wait(self, seconds: float) -> bool:
        """Nobody waits here."""
        return False


def test_the_executor_goes_on_with_the_old_limits_and_says_it(tmp_path: Path) -> None:
    """Its real loop looks: the line stands in its log, orders are placed by the limits of the start."""
    host, shell = Host(tmp_path), Shell(tmp_path)
    host.write("orders_per_day = nonsense")
    log = Log("order_executor", [shell.lines])
    shell.executor.run(Turns(host, 2), lambda: host.watch.look_after(log))  # type: ignore[arg-type]
    assert "settings_broken" in shell.lines.actions
    shell.restart()
    shell.ready()
    shell.drop(shell.signal())
    assert shell.settled().state == "filled"
    shell.kill()


def test_the_dashboard_shows_it_and_clears_it(tmp_path: Path) -> None:
    """An alarm with what to do while the file is broken; gone once it is right again."""
    (tmp_path / "settings").mkdir()
    host, desk = Host(tmp_path / "settings"), Desk(tmp_path)
    engine = desk.engine()
    engine.watch = FolderWatch(desk.path, 0.01, use_watcher=False)
    desk.executor.beat()
    engine.attempt()
    assert engine.core is not None
    host.write("orders_per_dya = 3")
    engine.run(Turns(host, 2), host.watch)  # type: ignore[arg-type]
    alarm = engine.core.alarms["settings_broken"]
    assert "orders_per_dya" in alarm.text and alarm.what_to_do
    host.write("orders_per_day = 50")
    engine.run(Turns(host, 2), host.watch)  # type: ignore[arg-type]
    assert not {"settings_broken", "settings_changed"} & set(engine.core.alarms)
