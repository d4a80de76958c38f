"""The executor's eyes on the link: other processes' heartbeats, and a folder that was put back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import RESULT_SLOT, RESULTS_FOLDER, result_name
from shared_schema.errors import FolderError, MessageError
from shared_schema.heartbeats import HeartbeatReader
from shared_schema.ids import Epoch, InstanceId, SignalId
from shared_schema.link_health import Beat, beat_stream, echoes_of
from shared_schema.messages import Seen, decode_result
from shared_schema.rollback import RollbackWatch, Stamp
from shared_schema.sessions import SessionState, state_at
from shared_schema.trading_calendar import TradingCalendar
from windows_side.execution.events import BeatsSeen, Event, FolderRolledBack
from windows_side.execution.order import Order

LOOK_EVERY = 0.3
"""Seconds between two looks at ``heartbeat/``."""
SETTLED = 5.0
"""Seconds after its last change for which a result may still be on its way into the folder."""
OVER = (SessionState.CLOSED, SessionState.HOLIDAY, SessionState.UNKNOWN_DATE)
"""When nothing trades: results are put away then, and nothing is held for a folder put back."""


class Orders(Protocol):
    """Every order the core has in memory."""

    def __call__(self) -> Iterable[Order]:
        """Open ones and those of today."""


class LinkWatch:
    """Looks at heartbeats now and then; at results and slot only once a heartbeat went back."""

    def __init__(
        self,
        folder: DropFolder,
        instance: InstanceId,
        ledger_epoch: Epoch,
        calendar: TradingCalendar,
        orders: Orders,
        monotonic: Callable[[], float],
    ) -> None:
        self._folder = folder
        self._own = beat_stream("executor", instance)
        self._epoch = ledger_epoch
        self._calendar = calendar
        self._orders = orders
        self._monotonic = monotonic
        # Our own as well: it is the one that shows a restored folder first.
        self._reader = HeartbeatReader(folder, self._own, ("dashboard", "producer", "executor"))
        self._rollback = RollbackWatch()
        self._beats: tuple[Beat, ...] = ()
        self._looked_at = float("-inf")

    @property
    def seen(self) -> dict[str, Seen]:
        """What our heartbeat echoes of the others'."""
        return echoes_of(beat for beat in self._beats if beat_stream("executor", beat.instance) != self._own)

    def applied(self, wall: float, red_after: float) -> frozenset[SignalId]:
        """Signals whose terminal result every living dashboard that names them has applied."""
        alive = (b for b in self._beats if b.body.role == "dashboard" and b.age(wall) <= red_after)
        return frozenset(signal_id for beat in alive for signal_id in beat.body.applied_results)

    def events(self, now: Moment, *, urgent: bool = False) -> list[Event]:
        """What is new since the last look; nothing where that was a moment ago, unless ``urgent``.

        Raises FolderError where the heartbeats can't be listed.
        """
        monotonic = self._monotonic()
        if not urgent and monotonic - self._looked_at < LOOK_EVERY:
            return []
        self._looked_at = monotonic
        beats = tuple(self._reader.read(now.wall))
        events: list[Event] = []
        if any(new is not old for new, old in zip(beats, self._beats, strict=False)) or len(beats) != len(
            self._beats
        ):
            self._beats = beats
            events.append(BeatsSeen(beats))
        if self._is_rolled_back(now, monotonic):
            events.append(FolderRolledBack())
        return events

    def _is_rolled_back(self, now: Moment, monotonic: float) -> bool:
        if self._reader.went_back:
            self._reader.went_back.clear()
            self._rollback.fell("heartbeat", monotonic)
        if not self._rollback.fell_lately("heartbeat", monotonic):
            return False
        if state_at(now.market, self._calendar) in OVER:
            return False
        settled = [order for order in self._orders() if now.wall - order.changed_at >= SETTLED]
        newest = max(settled, key=lambda order: order.result_seq, default=None)
        ended = max((o for o in settled if o.is_terminal), key=lambda o: o.result_seq, default=None)
        if newest is not None:
            name = f"{RESULTS_FOLDER}/{result_name(newest.signal_id)}"
            self._compare("results", name, newest.result_seq, monotonic)
        if ended is not None:
            self._compare("slot", RESULT_SLOT, ended.result_seq, monotonic)
        if not self._rollback.is_rolled_back(monotonic):
            return False
        self._rollback.said()
        return True

    def _compare(self, group: str, name: str, least: int, monotonic: float) -> None:
        """Whether ``name`` stands below what the ledger has long said to the folder."""
        try:
            raw = self._folder.read(name)
            envelope = decode_result(raw, name).envelope if raw is not None else None
        except (FolderError, MessageError):
            return  # held or half written just now: the next look tells
        stamp: Stamp | None = (envelope.epoch, envelope.seq) if envelope is not None else None
        if stamp is None or stamp < (self._epoch, least):
            self._rollback.fell("results" if group == "results" else "slot", monotonic)
