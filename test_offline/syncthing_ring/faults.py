"""What is done to the pair while signals run: each waits for its moment, happens, and is ended again."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from commands.demo_room.actors import Actor
from shared_schema.drop_folder.names import (
    DONE_FOLDER,
    EXECUTED,
    HEARTBEAT_FOLDER,
    QUOTE,
    RESULT_SLOT,
    RESULTS_FOLDER,
    SIGNAL_SLOT,
)
from test_offline.syncthing_ring.pair import SyncthingPair, wait_until
from test_offline.syncthing_ring.place import Place

BIG = 3_000_000
"""Bytes: enough that a small file written after it arrives first."""
MOMENT = 6.0
"""Seconds a fault waits for its moment; a script that is done sending brings none."""
SCANNED = 2.2
"""Seconds after which both engines have looked at what was changed: one and a half delays, and some."""


@dataclass
class Scene:
    """What faults are done to."""

    place: Place
    pair: SyncthingPair
    actors: dict[str, Actor]
    dice: random.Random
    start_again: Callable[[str], None]
    old_results: dict[str, bytes] = field(default_factory=dict)
    """The first revision of each result as side a saw it, to be put back later."""

    def remember_results(self) -> None:
        """Keep the first bytes of results not seen before."""
        for path in _files(self.place.a / RESULTS_FOLDER):
            if path.name not in self.old_results:
                raw = _read(path)
                if raw is not None:
                    self.old_results[path.name] = raw


Fault = Callable[[Scene], bool]
"""Does the fault and ends it; False where its moment did not come."""


def pause_both(scene: Scene) -> bool:
    """The two engines lose each other for some seconds; both hosts go on."""
    scene.pair.disconnect()
    time.sleep(scene.dice.uniform(1.0, 7.0))
    scene.pair.connect()
    return True


def freeze_one(scene: Scene) -> bool:
    """One engine stands still; the connection stays."""
    engine = scene.dice.choice((scene.pair.a, scene.pair.b))
    engine.freeze()
    time.sleep(scene.dice.uniform(1.0, 5.0))
    engine.thaw()
    return True


def touch_consumed(scene: Scene) -> bool:
    """Side a touches a signal that side b has consumed while they were apart: it comes back unchanged."""
    found = _await(lambda: _consumed_but_still_on_a(scene.place))
    if found is None:
        return False
    scene.pair.disconnect()
    touched = _touch(found)
    time.sleep(SCANNED)
    scene.pair.connect()
    return touched


def half_signal_against_whole(scene: Scene) -> bool:
    """Both sides write one signal's name while apart: side b half a file. Either may win the name."""
    scene.pair.disconnect()
    path = _await(lambda: _only_on_a(scene.place))
    raw = _read(path) if path is not None else None
    if path is not None and raw is not None:
        other = scene.place.b / path.name
        _put(other, raw[: len(raw) // 2])
        if scene.dice.random() < 0.5:
            _set_time(other, time.time() - 60)  # then the whole one keeps the name
        time.sleep(SCANNED)
    scene.pair.connect()
    return raw is not None


def old_result_against_new(scene: Scene) -> bool:
    """Side a writes a pending result again, side b wrote the last word on it before: a's keeps the name."""
    pending = _await(lambda: _pending_on_a_final_on_b(scene.place))
    if pending is None:
        return False
    scene.pair.disconnect()
    raw = _read(pending)
    done = raw is not None
    if raw is not None:
        _put(pending, raw)
    time.sleep(SCANNED)
    scene.pair.connect()
    return done


def view_on_both_sides(scene: Scene) -> bool:
    """A file that is overwritten often (quotes, heartbeat, result slot) is edited on the wrong side too."""
    beats = [f"{HEARTBEAT_FOLDER}/{path.name}" for path in _files(scene.place.a / HEARTBEAT_FOLDER)]
    name = scene.dice.choice([QUOTE, RESULT_SLOT, EXECUTED, *beats])
    raw = _read(scene.place.a / name)
    if raw is None:
        return False
    scene.pair.disconnect()
    _put(scene.place.a / name, raw)
    time.sleep(SCANNED)
    scene.pair.connect()
    return True


def delete_a_view(scene: Scene) -> bool:
    """A file of the executor or the producer vanishes, on either side."""
    side = scene.dice.choice((scene.place.a, scene.place.b))
    choice = [
        *_files(side / RESULTS_FOLDER)[-3:],
        *_files(side / DONE_FOLDER)[-2:],
        *_files(side / HEARTBEAT_FOLDER),
        side / RESULT_SLOT,
        side / EXECUTED,
        side / QUOTE,
    ]
    return _remove(scene.dice.choice(choice))


def delete_unread_signal(scene: Scene) -> bool:
    """A signal vanishes from the folder before it has reached the executor."""
    path = _await(lambda: _only_on_a(scene.place))
    return path is not None and _remove(path)


def delete_result_of_open_order(scene: Scene) -> bool:
    """The last word on an order vanishes on side b before it has reached side a."""
    pending = _await(lambda: _pending_on_a_final_on_b(scene.place))
    return pending is not None and _remove(scene.place.b / RESULTS_FOLDER / pending.name)


def big_before_small(scene: Scene) -> bool:
    """A big file is on its way: the signals that follow overtake it."""
    path = scene.place.a / f"notes-{scene.dice.randrange(10**6)}.bin"
    _put(path, scene.dice.randbytes(BIG))
    time.sleep(SCANNED)
    return _remove(path)


def zombie(scene: Scene) -> bool:
    """A consumed signal stands in the folder again, on either side, under its name or in the slot."""
    archived = _files(scene.place.b / DONE_FOLDER)
    if not archived:
        return False
    chosen = scene.dice.choice(archived)
    raw = _read(chosen)
    if raw is None:
        return False
    name = scene.dice.choice((f"{chosen.stem}.json", SIGNAL_SLOT))
    side = scene.dice.choice((scene.place.a, scene.place.b))
    _put(side / name, raw)
    return True


def old_result_put_back(scene: Scene) -> bool:
    """An earlier revision of a result stands in the folder again, on either side."""
    changed = [
        name
        for name, raw in scene.old_results.items()
        if _read(scene.place.b / RESULTS_FOLDER / name) not in (None, raw)
    ]
    if not changed:
        return False
    name = scene.dice.choice(changed[-5:])
    side = scene.dice.choice((scene.place.a, scene.place.b))
    _put(side / RESULTS_FOLDER / name, scene.old_results[name])
    return True


def kill_executor(scene: Scene) -> bool:
    """kill -9 of the executor, started again after a while."""
    return _kill(scene, "executor")


def kill_trader(scene: Scene) -> bool:
    """kill -9 of the script, started again after a while."""
    return _kill(scene, "trader")


FAULTS: tuple[Fault, ...] = (
    pause_both,
    freeze_one,
    touch_consumed,
    half_signal_against_whole,
    old_result_against_new,
    view_on_both_sides,
    delete_a_view,
    delete_unread_signal,
    delete_result_of_open_order,
    big_before_small,
    zombie,
    old_result_put_back,
    kill_executor,
    kill_trader,
)


def schedule(
    signals: int, seed: int, faults: Sequence[Fault] = FAULTS, every: int = 5
) -> list[tuple[int, Fault]]:
    """After which signal which fault comes: all kinds in turn, shuffled anew each round."""
    dice = random.Random(seed + 1)
    chosen: list[tuple[int, Fault]] = []
    round_: list[Fault] = []
    at = 2
    while at < signals:
        if not round_:
            round_ = list(faults)
            dice.shuffle(round_)
        chosen.append((at, round_.pop()))
        at += dice.randint(max(1, every // 2), every + every // 2)
    return chosen


# Moments


def _await(look: Callable[[], Path | None]) -> Path | None:
    found: list[Path] = []

    def seen() -> bool:
        path = look()
        if path is not None:
            found.append(path)
        return path is not None

    return found[0] if wait_until(seen, MOMENT, 0.02) else None


def _signals(folder: Path) -> list[Path]:
    return [path for path in _files(folder) if path.match("order_signal_*.json")]


def _archived(place: Place, path: Path) -> Path:
    return place.b / DONE_FOLDER / f"{path.stem}.done"


def _consumed_but_still_on_a(place: Place) -> Path | None:
    return next((path for path in _signals(place.a) if _archived(place, path).exists()), None)


def _only_on_a(place: Place) -> Path | None:
    return next(
        (
            path
            for path in _signals(place.a)
            if not (place.b / path.name).exists() and not _archived(place, path).exists()
        ),
        None,
    )


def _pending_on_a_final_on_b(place: Place) -> Path | None:
    for path in _files(place.a / RESULTS_FOLDER):
        ours, theirs = _read(path), _read(place.b / RESULTS_FOLDER / path.name)
        if ours and theirs and b'"pending"' in ours and b'"pending"' not in theirs:
            return path
    return None


# Hands: none of them fails where the sync tool was quicker


def _files(folder: Path) -> list[Path]:
    """Oldest first."""
    dated: list[tuple[float, Path]] = []
    for path in folder.iterdir():
        try:
            if path.is_file() and not path.name.startswith("."):
                dated.append((path.stat().st_mtime, path))
        except FileNotFoundError:
            continue  # gone between listing and looking
    return [path for _, path in sorted(dated)]


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _put(path: Path, raw: bytes) -> None:
    # Made outside the synced folder, on the same disk: the engine never sees a temp name.
    outside = path.parents[1 if path.parent.name.startswith("folder_") else 2] / f"put-{path.name}"
    outside.write_bytes(raw)
    os.replace(outside, path)


def _touch(path: Path) -> bool:
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _set_time(path: Path, modified: float) -> None:
    try:
        os.utime(path, (modified, modified))
    except FileNotFoundError:
        return  # the executor was quicker


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _kill(scene: Scene, role: str) -> bool:
    scene.actors[role].kill()
    time.sleep(scene.dice.uniform(0.0, 3.0))
    scene.start_again(role)
    return True
