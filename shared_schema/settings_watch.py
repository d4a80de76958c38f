"""Settings that change while a process runs: what it started with stays, the change is said (fault 71).

Nothing is taken over half-way: limits, accounts and folders of one run are those of its start. A file that
became wrong is said at once, so that it is not found at the next morning's start.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared_schema.errors import SettingsError
from shared_schema.logs import Log
from shared_schema.settings import Settings, known_settings, load_settings
from shared_schema.settings_sources import FILE_NAME, user_config_file

LOOK_EVERY = 5.0
"""Seconds between two looks at the files' times."""


@dataclass(frozen=True)
class SettingsNews:
    """What the files say now: ``word`` is settings_broken, settings_changed or settings_as_started."""

    word: str
    detail: str = ""
    """What is wrong, or the keys that changed."""


class SettingsWatch:
    """Compares the settings files with what this process was started with. Used by one thread."""

    def __init__(
        self,
        started: Settings,
        environment: Mapping[str, str],
        working_folder: Path | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._started = started
        self._environment = environment
        self._folder = (working_folder or Path.cwd()).absolute()
        self._monotonic = monotonic
        host = started.host or started
        self._typed = {
            key: host.value(key) for key, origin in host.origins.items() if origin.kind == "override"
        }
        self._looked_at = monotonic()
        self._marks = self._look()
        self._told = SettingsNews("settings_as_started")
        self._doubts = started.doubts

    def look_after(self, log: Log) -> SettingsNews | None:
        """What changed since the last look, said in ``log``; None mostly. Doubts of the start first."""
        doubts, self._doubts = self._doubts, ()
        for doubt in doubts:
            log.say("warning", "settings_doubtful", detail=doubt)
        if self._monotonic() - self._looked_at < LOOK_EVERY:
            return None
        self._looked_at = self._monotonic()
        marks = self._look()
        if marks == self._marks:
            return None
        self._marks = marks
        news = self._read()
        if news == self._told:
            return None
        self._told = news
        log.say("error" if news.word == "settings_broken" else "info", news.word, detail=news.detail)
        return news

    def _read(self) -> SettingsNews:
        try:
            fresh = load_settings(
                environment=self._environment, working_folder=self._folder, overrides=self._typed
            )
        except SettingsError as problem:
            return SettingsNews("settings_broken", str(problem))
        if self._started.host is not None and self._started.account.alias in fresh.accounts:
            fresh = fresh.for_account(self._started.account.alias)
        if not self._started.strategies:
            fresh = fresh.alone(self._started.strategy.name)
        keys = [key for key, _ in known_settings() if fresh.value(key) != self._started.value(key)]
        if keys:
            return SettingsNews("settings_changed", ", ".join(keys))
        return SettingsNews("settings_as_started")

    def _look(self) -> tuple[tuple[str, int, int], ...]:
        named = self._environment.get("MINIQMT_CONFIG", "").strip()
        paths = [self._folder / ".env", self._folder / FILE_NAME, user_config_file()]
        if named:
            paths.append(self._folder / Path(named).expanduser())
        return tuple(mark for path in paths if (mark := _mark(path)) is not None)


def _mark(path: Path) -> tuple[str, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None  # absent or out of reach: if it mattered, reading it says so
    return str(path), found.st_mtime_ns, found.st_size
