"""The executor as a script's bridge sees it: which one is met, and why nothing may be sent to it now."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from mac_side.bridge_client.handle import BridgeError
from mac_side.bridge_client.key_watch import KeyTrouble, trouble_with
from mac_side.bridge_client.link import Beat, Link, executor_to_bind, link_of
from mac_side.engine_files import EngineFiles
from mac_side.engine_rules import executor_hold
from mac_side.state_file import DashboardState
from shared_schema.clock import Moment, ReplayFollower
from shared_schema.ids import AccountAlias, InstanceId, Mode
from shared_schema.words import say

_LOOK_EVERY = 0.1


@dataclass
class OtherSide:
    """Reads the executors' heartbeats. ``red_after``: seconds after which a silent one counts as gone."""

    files: EngineFiles
    follower: ReplayFollower
    red_after: float
    offline: bool
    link: Link = field(default_factory=Link)

    def look(self) -> Link:
        """Read the heartbeats. Raises FolderError."""
        self.link = link_of(self._beats())
        return self.link

    def trouble(self, bound: InstanceId | None) -> KeyTrouble | None:
        """Where the executor ``bound`` (None: any that is alive) signs otherwise than this host."""
        return trouble_with(self.files.keys.look(), bound, self._wall(), self.red_after)

    def to_bind(self, mode: Mode | None) -> Beat | None:
        """The executor alive to work with; with ``mode`` only one of that mode."""
        return executor_to_bind(self._beats(), self._wall(), self.red_after, mode)

    def meet(
        self, wanted: str | None, patience: float, pause: Callable[[float], None]
    ) -> tuple[Mode, AccountAlias]:
        """Mode and account of the executor that is alive; an OFFLINE folder needs none.

        Waits ``patience`` seconds. Raises BridgeError: none by then, or of another account than ``wanted``.
        """
        deadline = time.monotonic() + patience
        while True:
            met = self.to_bind(None)
            if met is not None and wanted in (None, met.account):
                # One that has just started gets its time too: its first heartbeats say that it is not ready.
                if met.body.ready or met.body.halt_since is not None or time.monotonic() >= deadline:
                    return met.mode, met.account
                pause(_LOOK_EVERY)
                continue
            if self.offline and met is None:
                return "simulate", AccountAlias(wanted or "main")
            if time.monotonic() >= deadline:
                trouble = self.trouble(None)
                reason = trouble.sentence if trouble is not None else say("dashboard.no_executor")
                if met is not None:
                    reason = f"account: {met.account} != {wanted}"
                raise BridgeError("dashboard.bridge_no_executor", self.files.folder.path, reason=reason)
            pause(_LOOK_EVERY)

    def check_open(self, state: DashboardState, now: Moment) -> None:
        """Raise BridgeError where its key, its silence, its mode or its halt forbid a new order."""
        path = self.files.folder.path
        trouble = self.trouble(state.executor)
        if trouble is not None:
            raise BridgeError("dashboard.bridge_refused", path, reason=trouble.sentence)
        strangers = len(self.link.strangers(state.executor, now.wall, self.red_after))
        hold = executor_hold(state, self.link.executor(state.executor), strangers, now, self.red_after)
        if hold is not None and not (self.offline and hold.lenient):
            raise BridgeError("dashboard.bridge_no_executor", path, reason=hold.sentence)

    def _wall(self) -> float:
        return self.follower.now().wall

    def _beats(self) -> list[Beat]:
        return list(self.files.beats(self._wall()).beats)
