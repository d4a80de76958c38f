"""Where an engine works, and as whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mac_side.state_file import DashboardState, StateFile, new_state, state_path
from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.ids import AccountAlias, Mode, StrategyName


@dataclass(frozen=True)
class Place:
    """The folders of one engine, its name, and the pace of its writing (seconds)."""

    folder: DropFolder
    runtime_dir: Path
    view: Path
    commands: Path
    strategy: StrategyName
    writer: str
    offline: bool
    in_folder: bool
    """Whether the books stand in the exchange folder (DASHBOARD_WORK_DIR)."""
    alias: AccountAlias
    """The account of an OFFLINE folder; elsewhere the executor's counts."""
    pinned: Mode | None
    republish_after: float
    heartbeat_interval: float

    def books(self, mode: Mode) -> StateFile:
        """The books of ``mode``, whether they exist or not."""
        path = state_path(
            self.folder.path,
            self.runtime_dir,
            mode,
            self.strategy,
            offline=self.offline,
            in_folder=self.in_folder,
            disk=self.folder.disk,
        )
        return StateFile(path, self.folder.disk, self.folder.random_part)

    def fresh_state(
        self, now: Moment, mode: Mode, account: AccountAlias, random_part: Callable[[], str]
    ) -> DashboardState:
        """The books of a strategy that never ran here."""
        return new_state(now, mode, account, self.strategy, self.writer, random_part)
