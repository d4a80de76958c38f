"""Faults 28 to 37: what sync tools do."""

from __future__ import annotations

import random

from shared_schema.ids import InstanceId
from test_offline.world.fault_kinds import Begin, End, Fault
from test_offline.world.plan import Injection
from test_offline.world.sync import ROOT

DONE = f"{ROOT}/order_signal_done"


def _cut(*sides: str) -> Begin:
    def begin(world, injection: Injection, chance: random.Random) -> End:  # type: ignore[no-untyped-def]
        world.sync.cut.update(sides)
        world.seen(injection.fault)
        return lambda: world.sync.mend(sides)

    return begin


def _slow(most: float) -> Begin:
    def begin(world, injection: Injection, chance: random.Random) -> End:  # type: ignore[no-untyped-def]
        world.sync.slow = most
        world.seen(injection.fault)

        def end() -> None:
            world.sync.slow = 0.0

        return end

    return begin


def _partial(world, injection: Injection, chance: random.Random) -> End:  # type: ignore[no-untyped-def]
    world.sync.partial = chance.choice((0.5, 4.0, 20.0))
    before = world.sync.partials

    def end() -> None:
        world.sync.partial = 0.0
        world.fired[injection.fault] += world.sync.partials - before

    return end


def _zombie(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    """A consumed signal comes back, byte for byte, on either side."""
    disk = world.executor.disk
    done = disk.names(DONE)
    if not done:
        return
    name = chance.choice(done)
    inode = disk.peek(DONE, name)
    place = chance.choice(("order_signal.json", name.replace(".done", ".json")))
    world.seen(injection.fault)
    if chance.random() < 0.5:
        world.sync.send_again("S", place, (inode.data, inode.modified_ns))
    else:
        world.strategy.disk.put(ROOT, place, inode.data)


def _touched(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    """A mere change of a file's time beats its being consumed on the other side."""
    names = [name for name in world.strategy.disk.names(ROOT) if name.startswith("order_signal")]
    if names:
        world.seen(injection.fault)
        world.strategy.disk.touch(ROOT, chance.choice(names))


PATTERNS = (
    "{stem}.sync-conflict-20261118-100000-QFUOC7P.json",
    "{stem} (mac's conflicted copy 2026-11-18).json",
    "{stem}-WINPC.json",
    "{stem} 2.json",
    "{stem} (1).json",
    "{stem}.Conflict.json",
    "{stem}-NSConflict-mac.json",
)


def _conflict_copy(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    """A copy of a signal, waiting or consumed, under a conflict pattern."""
    disk = world.executor.disk
    sources = [(ROOT, name) for name in disk.names(ROOT) if name.startswith("order_signal")]
    sources += [(DONE, name) for name in disk.names(DONE)]
    if not sources:
        return
    folder, name = chance.choice(sources)
    stem = chance.choice(("order_signal", name.rpartition(".")[0]))
    world.seen(injection.fault)
    disk.put(ROOT, chance.choice(PATTERNS).format(stem=stem), disk.peek(folder, name).data)


def _both_edit(world, injection: Injection, chance: random.Random) -> End:  # type: ignore[no-untyped-def]
    """The slot is written on both sides while nothing is carried: a real conflict."""
    world.sync.cut.update(("S", "E"))
    done = world.executor.disk.names(DONE)
    raw = world.executor.disk.peek(DONE, chance.choice(done)).data if done else b"{}"
    world.executor.disk.put(ROOT, "order_signal.json", raw)
    before = world.sync.conflicts

    def end() -> None:
        world.sync.mend()
        world.timeline.after(
            3.0, lambda: world.fired.update({injection.fault: world.sync.conflicts - before})
        )

    return end


def _roll_back(world, injection: Injection, chance: random.Random) -> End:  # type: ignore[no-untyped-def]
    """The whole folder goes back to what it was a while ago."""
    disk = world.executor.disk
    kept = {
        (folder, name): (disk.peek(folder, name).data, disk.peek(folder, name).modified_ns)
        for folder in disk.folders() if folder.startswith(ROOT) for name in disk.names(folder)
        if not name.startswith(".")
    }  # fmt: skip

    def end() -> None:
        world.seen(injection.fault)
        world.say("!", "folder rolled back")
        for folder in disk.folders():
            if folder.startswith(ROOT):
                for name in disk.names(folder):
                    if (folder, name) not in kept and not name.startswith("."):
                        disk.drop(folder, name)
        for (folder, name), (data, modified) in kept.items():
            disk.put(folder, name, data, modified)

    return end


def _clone(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    """A second executor works in the same folder with a ledger of its own.

    It skips the look at heartbeats by which a real start is refused: that is all that keeps it from a signal
    in the seed's form, which names nobody, so it does not meet one.
    """
    if world.clones or world.has_unaddressed:
        return
    if world.strategy.core is None or world.strategy.core.state.executor is None:
        return
    world.seen(injection.fault)
    world.add_clone(InstanceId("sim-clone"))


SYNC = {
    "sync_slow": Fault(28, _slow(20.0)),
    "sync_very_slow": Fault(28, _slow(90.0), (20.0, 60.0)),
    "sync_reorders": Fault(29, _slow(2.0)),
    "zombie": Fault(30, _zombie),
    "touched": Fault(30, _touched),
    "conflict_copy": Fault(31, _conflict_copy),
    "both_edit": Fault(31, _both_edit, (2.0, 8.0)),
    "partial_file": Fault(33, _partial),
    "cut_to_executor": Fault(34, _cut("S"), (5.0, 90.0)),
    "cut_to_strategy": Fault(34, _cut("E"), (5.0, 90.0)),
    "cut_both": Fault(34, _cut("S", "E"), (5.0, 60.0)),
    "second_executor": Fault(35, _clone),
    "rolled_back": Fault(37, _roll_back, (5.0, 40.0)),
}
"""By name."""
