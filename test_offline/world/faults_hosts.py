"""Faults of processes, disks and clocks: 1 to 13, 23 to 27, 38 to 41, 73."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable

from test_offline.world.fault_kinds import Begin, End, Fault
from test_offline.world.host import Doom, Host
from test_offline.world.plan import Injection
from test_offline.world.sync import ROOT
from windows_side.execution.points import Point

Matches = Callable[[str, str], bool]
MORNING = 2 * 3600
"""Ten o'clock in Shanghai, of the day in UTC: no edge is near."""


def _killed_at(side: str, matches: Matches, most: int = 3, *, power: bool = False) -> Begin:
    def begin(world, injection: Injection, chance: random.Random) -> End:  # type: ignore[no-untyped-def]
        host: Host = world.hosts[side]
        doom = Doom(matches, chance.randint(1, most), injection.fault, power)
        host.dooms.append(doom)
        return lambda: host.dooms.remove(doom) if doom in host.dooms else None

    return begin


def _point(*points: str, path: str = "") -> Matches:
    return lambda point, where: point in points and path in where


def _after_return() -> Begin:
    """Dies between the broker's return and its being recorded."""

    def begin(world, injection: Injection, chance: random.Random) -> End:  # type: ignore[no-untyped-def]
        returned = []

        def matches(point: str, where: str) -> bool:
            if point == "native.after":
                returned.append(True)
            return bool(returned) and point == "ledger.before"

        host: Host = world.hosts["E"]
        doom = Doom(matches, 1, injection.fault)
        host.dooms.append(doom)
        return lambda: host.dooms.remove(doom) if doom in host.dooms else None

    return begin


def _refuses(side: str, error: int, points: tuple[str, ...], probability: float, path: str = "") -> Begin:
    def begin(world, injection: Injection, chance: random.Random) -> End:  # type: ignore[no-untyped-def]
        host: Host = world.hosts[side]

        def refusal(point: str, where: str) -> OSError | None:
            if point not in points or path not in where or chance.random() >= probability:
                return None
            world.oracle.may_stop.add(side)
            return OSError(error, "injected", where)

        host.refusals[injection.fault] = refusal
        return lambda: host.refusals.pop(injection.fault, None)

    return begin


def dies_at_point(name: str) -> Fault:
    """The executor dies when its own code reaches this point for the first or second time."""
    return Fault(5, _killed_at("E", _point(f"point {name}"), 2), (60.0, 60.0))


def _named_point(world, injection: Injection, chance: random.Random) -> End:  # type: ignore[no-untyped-def]
    """Dies at one of the executor's own named points."""
    chosen = f"point {chance.choice(list(Point)).value}"
    end = _killed_at("E", _point(chosen))(world, injection, chance)
    return end or (lambda: None)


_EVERY_STEP = ("create", "tear", "fsync", "rename", "sync", "read", "list", "stat", "remove")


def _odd_listing(world, injection: Injection, chance: random.Random) -> End:  # type: ignore[no-untyped-def]
    host: Host = world.hosts[chance.choice(("S", "E"))]

    def twist(folder: str, entries: list) -> list:  # type: ignore[type-arg]
        if not folder.startswith(ROOT):
            return entries
        world.fired[injection.fault] += 1
        kept = [entry for entry in entries if chance.random() < 0.7]
        return kept + kept[:2]

    host.disk.twist = twist

    def end() -> None:
        host.disk.twist = None

    return end


def _watcher_dies(world, injection: Injection, chance: random.Random) -> End:  # type: ignore[no-untyped-def]
    host: Host = world.hosts[chance.choice(("S", "E"))]
    host.watcher_dead = True
    world.seen(injection.fault)

    def end() -> None:
        host.watcher_dead = False

    return end


def _clock(side: str, most: float) -> Begin:
    def begin(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
        world.hosts[side].clock.offset += chance.uniform(-most, most)
        world.oracle.a_clock_was_set = True
        if side == "E":
            world.oracle.clock_jumped()
        world.seen(injection.fault)

    return begin


def _pause(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    host: Host = world.hosts[chance.choice(("S", "E"))]
    host.frozen_until = world.timeline.now + injection.seconds
    world.seen(injection.fault)


def _session_edge(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    """Nothing but a schedule that runs into lunch or the close, with a signal sent across its end."""
    if not world.plan.enforce_sessions or world.plan.start % 86_400 == MORNING:
        return
    world.seen(injection.fault)


HOSTS = {
    "s_dies_before_temp": Fault(
        1, _killed_at("S", _point("create", "tear", "fsync", path="order_signal"), 4)
    ),
    "s_dies_after_rename": Fault(2, _killed_at("S", lambda point, path: point == "sync" and path == ROOT)),
    "s_dies_after_state": Fault(3, _killed_at("S", _point("create", path="order_signal"))),
    "s_dies_anywhere": Fault(2, _killed_at("S", lambda point, path: True, 150)),
    "e_dies_before_intent": Fault(4, _killed_at("E", _point("ledger.before"), 6)),
    "e_dies_after_intent": Fault(5, _killed_at("E", _point("ledger.after", "port.submit"), 6)),
    "e_dies_in_call": Fault(6, _killed_at("E", _point("native.before", "native.after"))),
    "e_dies_after_return": Fault(7, _after_return()),
    "e_dies_before_result": Fault(
        8, _killed_at("E", _point("create", "tear", "fsync", path="order_result"), 6)
    ),
    "e_dies_renaming": Fault(9, _killed_at("E", _point("rename", "sync", path="order_"), 6)),
    "e_dies_reconciling": Fault(10, _killed_at("E", _point("day.answered"), 3)),
    "e_dies_anywhere": Fault(5, _killed_at("E", lambda point, path: True, 200)),
    "e_dies_at_named_point": Fault(5, _named_point),
    "e_loses_power": Fault(11, _killed_at("E", lambda point, path: True, 200, power=True)),
    "s_loses_power": Fault(11, _killed_at("S", lambda point, path: True, 150, power=True)),
    "fsync_fails_e": Fault(12, _refuses("E", errno.EIO, ("fsync", "ledger.before"), 0.4), (1.0, 10.0)),
    "fsync_fails_s": Fault(12, _refuses("S", errno.EIO, ("fsync",), 0.4), (1.0, 10.0)),
    "listing_odd": Fault(23, _odd_listing),
    "locked_e": Fault(24, _refuses("E", errno.EACCES, ("read", "rename", "remove"), 0.4, ROOT)),
    "locked_s": Fault(24, _refuses("S", errno.EACCES, ("read", "rename", "remove"), 0.4, ROOT)),
    "folder_gone_e": Fault(25, _refuses("E", errno.EACCES, _EVERY_STEP, 1.0, ROOT), (2.0, 20.0)),
    "folder_gone_s": Fault(
        25, _refuses("S", errno.ENOENT, ("create", "rename", "list"), 1.0, ROOT), (2.0, 20.0)
    ),
    "disk_full_e": Fault(
        26, _refuses("E", errno.ENOSPC, ("create", "tear", "ledger.before"), 0.7), (2.0, 20.0)
    ),
    "disk_full_s": Fault(26, _refuses("S", errno.ENOSPC, ("create", "tear"), 0.7), (2.0, 20.0)),
    "watcher_dies": Fault(38, _watcher_dies),
    "skew_s": Fault(39, _clock("S", 300.0)),
    "skew_e": Fault(39, _clock("E", 300.0)),
    "clock_jumps_s": Fault(40, _clock("S", 4000.0)),
    "clock_jumps_e": Fault(40, _clock("E", 4000.0)),
    "session_edge": Fault(41, _session_edge),
    "machine_pauses": Fault(73, _pause, (5.0, 35.0)),
}
"""By name; ``s_`` is the strategy's host, ``e_`` the executor's."""
