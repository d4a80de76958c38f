"""Results of long ago, whoever sent their signals: put away though nobody says he has applied them.

A script writes no heartbeat, so nothing tells what it has applied. A month after its end, as the ledger
knows it, a result goes into the archive all the same; whoever asks for it later, by publishing his signal
again, is answered from the ledger. What is open, and what the ledger does not know, stays where it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.archive import archive_place
from shared_schema.drop_folder.names import RESULTS_FOLDER, result_name
from shared_schema.errors import FolderError, MessageError
from shared_schema.ids import SignalId
from shared_schema.messages import decode_result
from shared_schema.sessions import state_at
from shared_schema.trading_calendar import TradingCalendar
from windows_side.execution.ledger import Ledger
from windows_side.pruning import CLOSED, PRUNE_EVERY, Move, keeps_everything, left_alone, perform

KEPT_FOR = 30 * 86_400.0
"""Seconds after its end for which a result stays: as long as ``executed_signals.json`` lists it."""
LOOK_EVERY = 3600.0
"""Seconds between two listings."""
AT_A_TURN = 50
"""Results asked for, and moved at most, in one turn."""
_HASHED = "x-"


class AgedResults:
    """``due`` is asked every turn: it asks the ledger, and the work it returns is for the folder's worker."""

    def __init__(
        self,
        folder: DropFolder,
        ledger: Ledger,
        calendar: TradingCalendar,
        monotonic: Callable[[], float],
        said: Callable[[int], object],
    ) -> None:
        self._folder = folder
        self._ledger = ledger
        self._calendar = calendar
        self._monotonic = monotonic
        self._said = said
        self._at = monotonic() + PRUNE_EVERY
        self._standing: deque[SignalId] = deque()
        """Listed, and not asked for yet."""
        self._is_working = False
        self._moved = 0

    def due(self, now: Moment) -> Callable[[], object] | None:
        """The next piece of work, None where there is none now or the last one is not done yet.

        Raises StateError of the ledger.
        """
        if self._is_working or not (self._standing or self._monotonic() >= self._at):
            return None
        if state_at(now.market, self._calendar) not in CLOSED:
            self._standing.clear()
            return None
        if not self._standing:
            self._at = self._monotonic() + LOOK_EVERY
            return None if keeps_everything(self._folder) else self._as_work(lambda: self._list(now.wall))
        asked = [self._standing.popleft() for _ in range(min(AT_A_TURN, len(self._standing)))]
        ends = self._ledger.settled_at(asked)
        moves = [_move(one, ended) for one, ended in ends.items() if now.wall - ended > KEPT_FOR]
        last = not self._standing
        return self._as_work(lambda: self._put_away(moves, last)) if moves or last else None

    def _as_work(self, step: Callable[[], object]) -> Callable[[], object]:
        self._is_working = True

        def work() -> None:
            try:
                step()
            finally:
                self._is_working = False

        return work

    def _list(self, wall: float) -> None:
        entries = left_alone(self._folder, RESULTS_FOLDER, wall)
        found = (self._id_of(entry.name) for entry in entries)
        self._standing.extend(one for one in found if one is not None)

    def _put_away(self, moves: list[Move], last: bool) -> None:
        self._moved += perform(self._folder, moves)
        if last and self._moved:
            self._said(self._moved)
            self._moved = 0

    def _id_of(self, name: str) -> SignalId | None:
        """The signal the name stands for, None where it is no result's: what is not ours is left alone."""
        signal_id = name.removeprefix("order_result_").removesuffix(".json")
        if signal_id.startswith(_HASHED):
            signal_id = self._id_inside(name)
        found = SignalId(signal_id)
        return found if result_name(found) == name else None

    def _id_inside(self, name: str) -> str:
        """Of a name that holds a digest the payload tells the id; "" where it can't be read."""
        try:
            raw = self._folder.read(f"{RESULTS_FOLDER}/{name}")
            return decode_result(raw, name).body.signal_id if raw is not None else ""
        except (FolderError, MessageError):
            return ""


def _move(signal_id: SignalId, ended: float) -> Move:
    name = result_name(signal_id)
    return Move(f"{RESULTS_FOLDER}/{name}", archive_place(name, ended))
