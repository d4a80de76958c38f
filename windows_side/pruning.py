"""After the close: what is done with goes out of the way, so that the folder stays quick to list.

Consumed signals and quarantine go as they are; a result goes once the dashboard that sent its signal
says it was applied, the others by age (``aged_results``). Each step is one rename within the exchange
folder, so a crash anywhere leaves every file in exactly one of the two places, and the next run does the
rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shared_schema.clock import Moment
from shared_schema.disk import FileEntry
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.archive import archive_place
from shared_schema.drop_folder.names import (
    DONE_FOLDER,
    QUARANTINE_FOLDER,
    RESULTS_FOLDER,
    result_name,
)
from shared_schema.errors import FolderError
from shared_schema.ids import SignalId
from shared_schema.sessions import SessionState, state_at
from shared_schema.trading_calendar import TradingCalendar
from windows_side.execution.order import Order

PRUNE_EVERY = 600.0
"""Seconds between two runs."""
LEFT_ALONE_FOR = 3600.0
"""Seconds a file must have been unchanged: whoever still reads today's files finds them."""
MOVES_A_RUN = 1000
CLOSED = (SessionState.CLOSED, SessionState.HOLIDAY, SessionState.UNKNOWN_DATE)


@dataclass(frozen=True)
class Move:
    """One rename within the exchange folder."""

    source: str
    target: str


def moves_due(folder: DropFolder, applied: Iterable[SignalId], wall: float) -> list[Move]:
    """What to put away at ``wall`` (Unix seconds). Raises FolderError where a folder can't be listed."""
    results = {result_name(signal_id) for signal_id in applied}
    found = [(DONE_FOLDER, e) for e in left_alone(folder, DONE_FOLDER, wall) if e.name.endswith(".done")]
    found += [(QUARANTINE_FOLDER, entry) for entry in left_alone(folder, QUARANTINE_FOLDER, wall)]
    found += [(RESULTS_FOLDER, e) for e in left_alone(folder, RESULTS_FOLDER, wall) if e.name in results]
    return [
        Move(f"{place}/{entry.name}", archive_place(entry.name, entry.modified_ns / 1e9))
        for place, entry in found[:MOVES_A_RUN]
    ]


def left_alone(folder: DropFolder, place: str, wall: float) -> list[FileEntry]:
    """The files of ``place`` nobody changed within the last hour. Raises FolderError."""
    entries = folder.list_folder(place)
    return [e for e in entries if wall - e.modified_ns / 1e9 > LEFT_ALONE_FOR and not _is_private(e.name)]


def keeps_everything(folder: DropFolder) -> bool:
    """Whether nothing is put away here: it is OFFLINE, or can't be asked just now."""
    try:
        return folder.is_offline()
    except FolderError:
        return True  # the listing says that the folder is away; the next run comes by itself


def perform(folder: DropFolder, moves: Iterable[Move]) -> int:
    """Do the moves; how many. One whose file is gone by now is done. Raises FolderError."""
    count = 0
    for move in moves:
        target = folder.path / move.target
        try:
            folder.disk.make_folder(target.parent)
            folder.disk.replace(folder.path / move.source, target)
        except FileNotFoundError:
            continue
        except OSError as problem:
            raise FolderError(
                "folder.archive_failed", folder.path / move.source, detail=str(problem)
            ) from problem
        count += 1
    return count


def _is_private(name: str) -> bool:
    return name.startswith((".", "~"))


class Pruner:
    """Knows when it is time. ``due`` is asked every turn; the work it returns is for the folder's worker."""

    def __init__(
        self,
        folder: DropFolder,
        calendar: TradingCalendar,
        monotonic: Callable[[], float],
        said: Callable[[int], object],
    ) -> None:
        self._folder = folder
        self._calendar = calendar
        self._monotonic = monotonic
        self.said = said
        """Told how many files went."""
        self._at = monotonic() + PRUNE_EVERY
        self._applied: frozenset[SignalId] = frozenset()

    def due(self, now: Moment, applied: frozenset[SignalId]) -> Callable[[], object] | None:
        """The work that is due now, None while there is none.

        ``applied``: what living dashboards say they have applied. A result goes only when they said so
        at the last run as well: one that only just came back must find revisions it has missed.
        """
        if self._monotonic() < self._at:
            return None
        self._at = self._monotonic() + PRUNE_EVERY
        before, self._applied = self._applied, applied
        if state_at(now.market, self._calendar) not in CLOSED or keeps_everything(self._folder):
            return None
        chosen = before & applied
        return lambda: self._prune(chosen, now.wall)

    def has_put_away(self, order: Order) -> bool:
        """Whether the row's result lies in the archive: it was applied, and is not shown again."""
        place = archive_place(result_name(order.signal_id), order.changed_at)
        return order.is_terminal and self._folder.stat(place) is not None

    def _prune(self, applied: frozenset[SignalId], wall: float) -> None:
        count = perform(self._folder, moves_due(self._folder, applied, wall))
        if count:
            self.said(count)
