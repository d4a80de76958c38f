"""Conflict copies below the top folder: of results, archived signals and heartbeats (rule 7).

Nobody ever reads them, so they do no harm; but what is not said is not known, and they would stay for
ever. A name that its own payload has is ours, however much it looks like a copy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import (
    DONE_FOLDER,
    HEARTBEAT_FOLDER,
    RESULTS_FOLDER,
    done_name,
    heartbeat_name,
    is_conflict_pattern,
    result_name,
)
from shared_schema.errors import FolderError, MessageError
from shared_schema.logs import Log
from shared_schema.messages import decode_heartbeat, decode_result, decode_signal
from windows_side.execution.refusal_words import why_unusable

INTERVAL = 10.0
"""Seconds between two looks."""
COARSE = 3.0
"""Seconds to which some disks round a folder's time: changed as lately as that, it may change unseen."""


class ConflictCopies:
    """Moves them to quarantine and says so."""

    def __init__(
        self,
        folder: DropFolder,
        log: Log,
        wall: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._folder, self._log, self._wall, self._monotonic = folder, log, wall, monotonic
        self._look_at = float("-inf")
        self._judged: dict[str, int] = {}
        """Folders all of whose names were told, with the time they had then."""
        self._told: dict[str, set[str]] = {}
        """Names of each folder that are no copies, by their look or by their payload: told once."""

    def due(self) -> list[Callable[[], None]]:
        """The looks, one a folder, where it is time for them; they raise FolderError."""
        if self._monotonic() < self._look_at:
            return []
        self._look_at = self._monotonic() + INTERVAL
        return [partial(self._look, folder) for folder in (RESULTS_FOLDER, DONE_FOLDER, HEARTBEAT_FOLDER)]

    def _look(self, folder: str) -> None:
        changed_at = self._changed_at(folder)
        if changed_at is not None and self._judged.get(folder) == changed_at:
            return  # no name came since: ten thousand need not be listed again
        if self._judge(folder) and changed_at is not None:
            self._judged[folder] = changed_at

    def _changed_at(self, folder: str) -> int | None:
        """The time of the folder itself, which moves with every new name; None while that is too fresh."""
        entry = self._folder.stat(folder)
        if entry is None or self._wall() - entry.modified_ns / 1e9 < COARSE:
            return None
        return entry.modified_ns

    def _judge(self, folder: str) -> bool:
        """Move the copies away; False where one can't be told yet."""
        all_told, told = True, set()
        before = self._told.get(folder, set())
        for entry in self._folder.list_folder(folder):
            name = f"{folder}/{entry.name}"
            if entry.name in before or not is_conflict_pattern(entry.name):
                told.add(entry.name)
                continue
            own = self._own_name(folder, name)
            if own is None:
                all_told = False
            elif own == entry.name:
                told.add(entry.name)
            else:
                reason: dict[str, object] = {"reason": "conflict_copy", "at": self._wall(), "of": own}
                self._log.say("error", "quarantined", file=name, reason=why_unusable(None))
                self._folder.quarantine_move(name, reason)
        self._told[folder] = told
        return all_told

    def _own_name(self, folder: str, name: str) -> str | None:
        """The name the payload belongs under; None where it can't be told, now or at all: left alone."""
        try:
            raw = self._folder.read(name)
            if raw is None:
                return None
            if folder == RESULTS_FOLDER:
                return result_name(decode_result(raw, name).body.signal_id)
            if folder == DONE_FOLDER:
                return done_name(decode_signal(raw, name).body.signal_id)
            beat = decode_heartbeat(raw, name).body
            return heartbeat_name(beat.role, beat.instance)
        except (FolderError, MessageError):
            return None
