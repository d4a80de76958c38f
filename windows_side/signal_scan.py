"""The scan of the exchange folder for signals: the truth about what has arrived (rule 4)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder, Found, Name, NameKind
from shared_schema.drop_folder.names import (
    ACCOUNT_LIVE,
    ACCOUNT_SIMULATE,
    CONTROL_FOLDER,
    DONE_FOLDER,
    EXECUTED,
    HEARTBEAT_FOLDER,
    POOL,
    RESULT_SLOT,
    done_name,
)
from shared_schema.errors import FolderError
from shared_schema.ids import SignalId
from shared_schema.logs import Log
from shared_schema.messages import Received, Seen
from shared_schema.points import Reach, pass_by
from windows_side.execution.events import FileSeen
from windows_side.execution.intake import SignalFile, SignalIntake
from windows_side.execution.points import Point
from windows_side.executor_views import seen_of

FILES_A_TURN = 64
"""Signals taken in one turn, so that a backlog does not starve the broker's events."""
LISTING_COUNTS = 1.0
"""Seconds for which a backlog is taken from one listing: to list ten thousand names takes a turn."""
MANY_FILES = 256
LISTING_SHARE = 10
"""A listing of many files counts for this many times its own duration: they would be listed at every turn
while those that are recorded wait for their move."""
LOOK_AGAIN = 0.5
"""Seconds after which a file that was left alone is looked at again though it has not changed."""
RECORDED_LOOK_AGAIN = 30.0
"""The same for one that is in the ledger and waits for its move, which a backlog may keep for long."""
HELD_TOO_LONG = 10.0
"""Seconds after which a signal file that can't be read is an alarm."""
_WANTED = (NameKind.SIGNAL, NameKind.SIGNAL_SLOT, NameKind.CONFLICT)


_OWN_FILES = frozenset({RESULT_SLOT, EXECUTED, ACCOUNT_SIMULATE, ACCOUNT_LIVE, POOL})


def concerns_executor(path: str) -> bool:
    """Whether a change of ``path`` may be news for an executor: its own writings and temp names are not."""
    folder, _, name = path.rpartition("/")
    if folder:
        others_beat = folder == HEARTBEAT_FOLDER and not name.startswith((".", "executor-"))
        return folder == CONTROL_FOLDER or others_beat
    return name not in _OWN_FILES and not name.startswith(".")


@dataclass
class _LeftAlone:
    fingerprint: tuple[int, int, int]
    look_at: float


@dataclass
class _Held:
    since: float
    is_alarm: bool = False


class SignalScan:
    """Finds and reads signal files; remembers only what it left alone a moment ago."""

    def __init__(
        self,
        folder: DropFolder,
        log: Log,
        now: Callable[[], Moment],
        monotonic: Callable[[], float],
        reach: Reach = pass_by,
    ) -> None:
        self._reach = reach
        self._folder = folder
        self._log = log
        self._now = now
        self._monotonic = monotonic
        self._intake = SignalIntake(folder.key)
        self._left_alone: dict[str, _LeftAlone] = {}
        self._backlog: deque[Found] = deque()
        self._list_at = self._rests_until = float("-inf")
        self.has_many = False
        """Whether the last listing had so many names that it rests."""
        self._held: dict[str, _Held] = {}
        self.seen: dict[str, Seen] = {}
        """The newest file of each strategy's stream, for the heartbeat."""

    def events(self) -> list[FileSeen]:
        """What lies there now, at most FILES_A_TURN of it. Raises FolderError where it can't be listed."""
        if self._monotonic() >= (self._list_at if self._backlog else self._rests_until):
            self._list()
        taken = [self._backlog.popleft() for _ in range(min(FILES_A_TURN, len(self._backlog)))]
        looked = [self._look(file) for file in taken]
        return [event for event in looked if event is not None]

    @property
    def has_more(self) -> bool:
        """Whether a backlog waits: the next turn need not wait for a change."""
        return bool(self._backlog)

    def _list(self) -> None:
        began = self._monotonic()
        self._list_at = began + LISTING_COUNTS
        found = self._folder.scan()
        present = {file.name.text for file in found}
        self._intake.forget_missing(present)
        for name in self._left_alone.keys() - present:
            del self._left_alone[name]
            self._held.pop(name, None)
        self._backlog = deque(file for file in found if file.name.kind in _WANTED and self._is_due(file))
        self.has_many = len(found) > MANY_FILES
        if self.has_many:
            self._rests_until = began + LISTING_SHARE * (self._monotonic() - began)
            self._list_at = max(self._list_at, self._rests_until)

    def recorded(self, name: str) -> None:
        """The file is in the ledger and its move is asked for: unchanged it is no news for a while."""
        left = self._left_alone.get(name)
        if left is not None:
            left.look_at = self._monotonic() + RECORDED_LOOK_AGAIN

    def not_moved(self, name: str) -> None:
        """The move failed: look at the file again soon."""
        left = self._left_alone.get(name)
        if left is not None:
            left.look_at = self._monotonic() + LOOK_AGAIN

    def look_again(self) -> None:
        """What was left alone is due at the next scan: what stood in its way is gone."""
        for left in self._left_alone.values():
            left.look_at = float("-inf")
        self._list_at = self._rests_until = float("-inf")

    def _is_due(self, file: Found) -> bool:
        left = self._left_alone.get(file.name.text)
        return left is None or left.fingerprint != file.entry.fingerprint or self._monotonic() >= left.look_at

    def _look(self, file: Found) -> FileSeen | None:
        name = file.name.text
        self._left_alone[name] = _LeftAlone(file.entry.fingerprint, self._monotonic() + LOOK_AGAIN)
        try:
            raw = self._folder.read(name)
        except FolderError as problem:
            self._say_held(name, problem)
            return None
        held = self._held.pop(name, None)
        if held is not None and held.is_alarm:
            self._log.say("info", "file_readable_again", file=name)
        if raw is None:
            return None
        self._reach(Point.SIGNAL_READ)
        return self._seen(file.name, raw, file.entry.modified_ns / 1e9)

    def _say_held(self, name: str, problem: FolderError) -> None:
        """A file that can't be read: said at once, an alarm once when it lasts, and no more than that."""
        held = self._held.get(name)
        if held is None:
            self._held[name] = _Held(self._monotonic())
            self._log.say("warning", "file_unreadable", file=name, problem=problem)
        elif not held.is_alarm and self._monotonic() - held.since > HELD_TOO_LONG:
            held.is_alarm = True
            self._log.say("error", "file_held", file=name, seconds=HELD_TOO_LONG, problem=problem)

    def found_in_archive(self, signal_id: SignalId, raw: bytes) -> FileSeen:
        """A signal that lay under another's archived name: it has not been looked at yet."""
        name = Name(f"{DONE_FOLDER}/{done_name(signal_id)}", NameKind.SIGNAL_SLOT)
        return self._seen(name, raw, self._now().wall)

    def _seen(self, name: Name, raw: bytes, file_time: float) -> FileSeen:
        intake = self._intake.look(name, raw, self._now(), self._monotonic())
        if isinstance(intake, SignalFile):
            self._note(intake.received)
        return FileSeen(name, raw, intake, file_time)

    def _note(self, received: Received[Any]) -> None:
        envelope = received.envelope
        if envelope is None:
            return
        stream = f"signals.{received.body.strategy}"
        newest = self.seen.get(stream)
        if newest is None or (newest.epoch, newest.seq) < (envelope.epoch, envelope.seq):
            self.seen[stream] = seen_of(envelope, self._now().wall)
