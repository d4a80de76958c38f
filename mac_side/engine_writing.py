"""What an engine writes into the exchange folder: signals, its heartbeat, its halt."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mac_side.bridge_client.entry import OutboxEntry
from mac_side.bridge_client.outbox import Outbox, Publication, first_publication, publications, since_when
from mac_side.engine_place import Place
from mac_side.points import Point
from mac_side.state_file import DashboardState
from shared_schema.clock import Moment, Stamper, new_epoch
from shared_schema.drop_folder.halt_file import publish_halt
from shared_schema.drop_folder.names import CONTROL_FOLDER, HEARTBEAT_FOLDER, heartbeat_name, is_halt_of
from shared_schema.ids import AccountAlias, Epoch, Mode, SignalId
from shared_schema.logs import Log
from shared_schema.messages import Halt, Heartbeat, encode
from shared_schema.points import Reach
from shared_schema.sessions import trading_day_of


class EngineWriting:
    """Remembers what was written when; every writing may raise FolderError."""

    def __init__(self, place: Place, log: Log, random_part: Callable[[], str], reach: Reach) -> None:
        self._place = place
        self._log = log
        self._random_part = random_part
        self._reach = reach
        self._stamper: Stamper | None = None
        self._published_at: dict[SignalId, float] = {}
        self._damaged_since: dict[SignalId, float] = {}
        self._beat_at = 0.0
        self._beat_state = ""

    def begin(self, now: Moment, state: DashboardState) -> None:
        """The books are known: heartbeats can be written, under the writer that their signals bear.

        This host may have another name today; the executor refuses signals of a writer it no longer hears.
        """
        self._stamper = self._new_stamper(now, state.writer, state.mode, state.account)

    @property
    def epoch(self) -> Epoch:
        """Of this process's heartbeats, once begun."""
        assert self._stamper is not None
        return self._stamper.epoch

    def publish(self, outbox: Outbox, entry: OutboxEntry, now: Moment) -> None:
        """Put a signal into the folder for the first time."""
        first = first_publication(outbox, entry, self._place.strategy, self._place.folder.read)
        self._publish(first, now)

    def republish(self, outbox: Outbox, damaged: Iterable[SignalId], now: Moment) -> None:
        """Put missing unanswered signals there again, a ``damaged`` answer being none (rule 13)."""
        place = self._place
        self._damaged_since = since_when(self._damaged_since, damaged, now.wall)
        due = publications(
            outbox,
            place.strategy,
            place.folder.read,
            now.wall,
            place.republish_after,
            self._published_at,
            self._damaged_since,
        )
        for publication in due:
            self._log.say(
                "info", "signal_republished", signal_id=publication.signal_id, file=publication.name
            )
            self._publish(publication, now)

    def heartbeat(self, body: Heartbeat, now: Moment, *, prompt: bool = False) -> None:
        """Every third of the red limit, at a change of state, and at once where it is ``prompt``."""
        due = now.wall - self._beat_at >= self._place.heartbeat_interval or now.wall < self._beat_at
        if not (due or prompt or body.state != self._beat_state):
            return
        self._beat_at, self._beat_state = now.wall, body.state
        assert self._stamper is not None
        raw = encode(self._stamper.next(now, trading_day_of(now.market)), body, self._place.folder.key)
        name = f"{HEARTBEAT_FOLDER}/{heartbeat_name('dashboard', body.instance)}"
        self._place.folder.publish(name, raw, durable=False)
        self._reach(Point.HEARTBEAT)

    def halt(self, body: Halt, name: str, now: Moment, *, last: bool = False) -> None:
        """Halt, or lift our own halt; possible before anything else is known.

        ``last``: nobody will try again, so any file that halts will do.
        """
        today = self._place.writer
        stamper = self._stamper or self._new_stamper(now, today, "simulate", self._place.alias)
        envelope = stamper.next(now, trading_day_of(now.market))
        if is_halt_of(name, today):
            # Written before the books were known: only what bears the name in the file's own name lifts it.
            envelope = envelope.model_copy(update={"writer": today})
        raw = encode(envelope, body, self._place.folder.key)
        if last:
            publish_halt(self._place.folder, envelope.writer, raw)
        else:
            self._place.folder.publish(f"{CONTROL_FOLDER}/{name}", raw)
        self._reach(Point.HALT_WRITTEN)

    def _new_stamper(self, now: Moment, writer: str, mode: Mode, account: AccountAlias) -> Stamper:
        return Stamper(writer, new_epoch(now.wall, self._random_part), mode, account)

    def _publish(self, publication: Publication, now: Moment) -> None:
        # Noted before the write: one that fails is tried again as a republication, not at once.
        self._published_at[publication.signal_id] = now.wall
        self._reach(Point.BEFORE_PUBLISH)
        self._place.folder.publish(publication.name, publication.raw)
        self._reach(Point.PUBLISHED)
