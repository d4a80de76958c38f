"""Before the first decision: which executor there is to trade with, and why there is none."""

from __future__ import annotations

from collections.abc import Callable

from mac_side.bridge_client.key_watch import KeyWatch, trouble_with
from mac_side.bridge_client.link import Beat, HeartbeatReader, executor_to_bind
from mac_side.engine_place import Place
from shared_schema.clock import Moment
from shared_schema.ids import AccountAlias, InstanceId, Mode
from shared_schema.logs import Log


class Meeting:
    """Looks for the executor until one is met."""

    def __init__(
        self, place: Place, keys: KeyWatch, log: Log, red_after: float, random_part: Callable[[], str]
    ) -> None:
        self._place = place
        self._keys = keys
        self._log = log
        self._red_after = red_after
        self._random_part = random_part
        self._heartbeats = HeartbeatReader(place.folder)
        self._told = ""

    def met(self, now: Moment) -> tuple[Mode, AccountAlias] | None:
        """Mode and account: those of the executor met, or in an OFFLINE folder simulate and our alias."""
        if self._place.offline:
            return "simulate", self._place.alias
        beats = self._heartbeats.read(now.wall)
        bound = self._bound_already(beats, now)
        beat = executor_to_bind(beats, now.wall, self._red_after, self._place.pinned, bound)
        return (beat.mode, beat.account) if beat is not None else None

    def trouble(self, now: Moment) -> str:
        """Why no executor can be met though one is there: the keys of both hosts differ; "" otherwise."""
        found = trouble_with(self._keys.look(), None, now.wall, self._red_after)
        sentence = found.sentence if found is not None else ""
        if sentence and sentence != self._told:
            self._log.say("warning", "signals_held", reason=sentence)
        self._told = sentence
        return sentence

    def _bound_already(self, beats: list[Beat], now: Moment) -> set[InstanceId]:
        """Of the executors alive, those that the books of their mode are bound to."""
        bound = set()
        for beat in beats:
            books = self._place.books(beat.mode)
            fresh = self._place.fresh_state(now, beat.mode, beat.account, self._random_part)
            if books.raw is not None and books.load(fresh).executor == beat.instance:
                bound.add(beat.instance)
        return bound
