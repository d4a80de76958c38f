"""When the engine shows what it knows: a view file for the screens, which nothing waits for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mac_side.engine_core import EngineCore
from mac_side.engine_events import AccountSeen, EngineCommand, EngineEvent, PoolSeen, Tick
from mac_side.engine_view import make_view
from mac_side.view import View
from shared_schema.clock import Moment
from shared_schema.errors import FolderError
from shared_schema.logs import Log


@dataclass
class Showing:
    """Writes the view at most every ``interval`` seconds, and half as often while there is no news."""

    path: Path
    log: Log
    write: Callable[[Path, View], object]
    interval: float
    _shown: float = field(default=0.0)
    _news: bool = field(default=False)

    def note(self, event: EngineEvent, commands: list[EngineCommand]) -> None:
        """Ages are the screen's to count, and a tick alone tells it nothing new."""
        if isinstance(event, AccountSeen | PoolSeen) or (commands and not isinstance(event, Tick)):
            self._news = True

    def show_when_due(self, core: EngineCore, now: Moment) -> None:
        """The view of this moment, where it is time for one."""
        if 0 <= now.wall - self._shown < self.interval * (1 if self._news else 2):
            return
        core.judge(now)
        self.show(make_view(core, now), now)

    def show(self, view: View, now: Moment) -> None:
        """``view`` at once; a folder that refuses it is said and stops nothing."""
        self._shown, self._news = now.wall, False
        try:
            self.write(self.path, view)
        except FolderError as problem:
            self.log.say("warning", "view_not_written", problem=problem)

    def show_last(self, view: View, now: Moment) -> None:
        """``view``, marked as the last one of this process."""
        self.show(view.model_copy(update={"ended": True}), now)
