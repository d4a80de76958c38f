"""One run of the ring: start both hosts, send signals through faults, heal, compare."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from commands.demo_room.actors import Actor
from commands.demo_room.summary import read_orders
from shared_schema.drop_folder.names import ACCOUNT_LIVE
from shared_schema.errors import StateError
from test_offline.syncthing_ring.faults import FAULTS, Fault, Scene, schedule
from test_offline.syncthing_ring.pair import SyncthingFault, SyncthingPair, syncthing_pair, wait_until
from test_offline.syncthing_ring.place import DELAY, Place
from test_offline.syncthing_ring.verdict import CONFLICT, Verdict, judge, script_state, unequal

HEALS_WITHIN = 300.0
"""Seconds after the last fault within which every signal must have ended and both folders be quiet.

The slowest is a signal that was overwritten by half a file: 5 s until that is given up, 10 s until it is
published again, 24 s until an order that rests is taken back, and the delays of the sync tool between."""
STANDS_STILL = 300.0
"""Seconds without a new signal that mean the script can't go on (a fault pauses it for about 20)."""
_NAMES_EVERY = 0.2

Progress = Callable[[str], None]


def run(
    root: Path,
    signals: int,
    seed: int,
    progress: Progress = lambda line: None,
    faults: Sequence[Fault] = FAULTS,
    every: int = 5,
) -> Verdict:
    """One run in the empty folder ``root``, a fault every few signals.

    Raises SyncthingFault where engines or processes fail to run.
    """
    place = Place(root)
    place.prepare()
    with syncthing_pair(root, place.a, place.b, DELAY) as pair:
        ring = _Ring(place, pair, signals, seed, progress, schedule(signals, seed, faults, every))
        try:
            ring.start()
            ring.send_through_faults()
            ring.heal()
        finally:
            ring.stop()
        return judge(place, signals, ring.done, ring.not_possible, ring.names.seen)


@dataclass
class _Names:
    """Watches both folders for conflict copies, which the executor moves away within moments."""

    place: Place
    seen: set[str] = field(default_factory=set)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(_NAMES_EVERY):
            self.look()

    def look(self) -> None:
        for side in (self.place.a, self.place.b):
            try:
                self.seen |= {
                    path.name.split(".", 1)[1] if path.parent.name == "quarantine" else path.name
                    for path in side.rglob(f"*{CONFLICT}*")
                    if not path.name.startswith((".", "~")) and not path.name.endswith(".reason.json")
                }
            except FileNotFoundError:
                continue  # a folder of ours moved under the listing: the next look

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(5)


class _Ring:
    def __init__(
        self,
        place: Place,
        pair: SyncthingPair,
        signals: int,
        seed: int,
        progress: Progress,
        schedule: list[tuple[int, Fault]],
    ) -> None:
        self._place, self._pair, self._signals, self._seed = place, pair, signals, seed
        self._progress, self._schedule = progress, schedule
        self._actors: dict[str, Actor] = {}
        self.done: Counter[str] = Counter()
        self.not_possible: Counter[str] = Counter()
        self.names = _Names(place)

    def start(self) -> None:
        self._actors["producer"] = self._place.start_producer()
        self._await(lambda: (self._place.b / ACCOUNT_LIVE).exists(), "account snapshot")
        self._actors["executor"] = self._place.start_executor()
        self._actors["trader"] = self._place.start_trader(self._signals, self._seed)
        self._await(self._place.state_file.exists, "the script's first signal")

    def _start_again(self, role: str) -> None:
        starts = {
            "executor": self._place.start_executor,
            "trader": lambda: self._place.start_trader(self._signals, self._seed),
        }
        self._actors[role] = starts[role]()

    def send_through_faults(self) -> None:
        scene = Scene(self._place, self._pair, self._actors, random.Random(self._seed + 2), self._start_again)
        for at, fault in self._schedule:
            self._await_signal(at, scene)
            possible = fault(scene)
            (self.done if possible else self.not_possible)[fault.__name__] += 1
            self._progress(f"{self._sent():4} {fault.__name__}{'' if possible else ': no moment'}")
        self._await_signal(self._signals, scene)

    def _await_signal(self, number: int, scene: Scene) -> None:
        last, since = self._sent(), time.monotonic()
        while last < number:
            self._check_alive()
            scene.remember_results()
            time.sleep(0.1)
            sent = self._sent()
            if sent != last:
                last, since = sent, time.monotonic()
            elif time.monotonic() - since > STANDS_STILL:
                raise SyncthingFault(f"no signal after {last} of {number}: {self._words('trader')}")

    def heal(self) -> None:
        """End every fault and wait until all has ended; what has not is in the verdict."""
        self._pair.heal()
        began = time.monotonic()
        wait_until(self._all_ended, HEALS_WITHIN, 0.2)
        self._progress(f"{self._sent():4} healed in {time.monotonic() - began:.1f} s")

    def _all_ended(self) -> bool:
        self._check_alive()
        try:
            outbox = script_state(self._place).outbox
            orders = read_orders(self._place.executor_files.ledger)
        except (StateError, sqlite3.Error):
            return False
        return (
            len(outbox.entries) >= self._signals
            and not outbox.open
            and all(order.is_terminal for order in orders)
        )

    def stop(self) -> None:
        for role in ("trader", "producer", "executor"):
            if role in self._actors:
                self._actors[role].stop()
        # What the last moments wrote still travels.
        wait_until(lambda: not unequal(self._place), HEALS_WITHIN, 0.5)
        self.names.stop()
        self.names.look()

    def _sent(self) -> int:
        try:
            return len(script_state(self._place).outbox.entries)
        except StateError:
            return 0

    def _await(self, condition: Callable[[], bool], what: str) -> None:
        def holds() -> bool:
            self._check_alive()
            return condition()

        if not wait_until(holds, HEALS_WITHIN):
            words = "\n".join(self._words(role) for role in self._actors)
            raise SyncthingFault(f"waited in vain for {what}\n{words}")

    def _check_alive(self) -> None:
        for role, actor in self._actors.items():
            if not actor.is_alive:
                raise SyncthingFault(f"{role} has ended: {actor.last_words()}")

    def _words(self, role: str) -> str:
        return f"{role}: {self._actors[role].last_words()}"
