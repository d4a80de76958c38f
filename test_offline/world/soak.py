"""Weeks in one simulated world: trading days with their faults, nights, weekends, restarts, the archive.

Each day ends with every invariant checked. What could grow is measured then: memory and descriptors of
this process, and the files, books and lists of the product.

Even seeds play the simulated broker, odd ones a terminal, whose day does not end at midnight: its lists
show the day before until it restarts in the morning, and then it counts its order ids anew.
"""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import psutil

from shared_schema.sessions import SHANGHAI
from test_offline.world.broker_link import QMT, SIMULATED
from test_offline.world.day_end import DayEnds
from test_offline.world.host import RUNTIME
from test_offline.world.plan import Injection, Plan, Step
from test_offline.world.schedule import KINDS
from test_offline.world.strategy_host import CALENDAR
from test_offline.world.sync import ROOT, TOOLS
from test_offline.world.violation import Violation
from test_offline.world.world import SETTLE, World

FIRST_DAY = date(2026, 7, 13)
"""A Monday."""
DAYS_A_WEEK = 5
PACE = 15.0
NIGHT_PACE = 40.0
"""Slow enough to be cheap, and quick enough that nobody takes the other side for dead."""
EPISODES = 6
"""Times a day at which the strategy acts, each with a fault."""
CLOSING_TICK = "15:00:03"
"""The day's last quote, of the closing auction."""
WRITE_BACK = 60.0
LINES_KEPT = 2000
LIGHT = (
    *("s_dies_anywhere", "s_dies_after_state", "s_loses_power", "e_dies_anywhere", "e_dies_in_call"),
    *("e_dies_after_return", "e_dies_at_named_point", "e_loses_power", "locked_e", "locked_s"),
    *("folder_gone_e", "folder_gone_s", "listing_odd", "torn_signal", "watcher_dies", "machine_pauses"),
    *("sync_slow", "sync_reorders", "zombie", "touched", "conflict_copy", "both_edit", "temp_names"),
    *("partial_file", "cut_to_executor", "cut_to_strategy", "cut_both", "times_out_placed"),
    *("times_out_not_placed", "bad_return", "refused_for_sure", "return_lost", "push_doubled"),
    *("push_out_of_order", "push_lost", "old_connection", "disconnect", "query_fails", "call_hangs"),
    *("fills_during_cancel", "cancel_refused", "order_rests", "rejected_after_accept", "hand_cancel"),
    *("quotes_stop", "quotes_odd", "halted", "not_allowed", "foreign_order"),
)
"""What an ordinary bad day brings: no fault after which an account stays halted."""
OF_A_TERMINAL = ("terminal_restarts", "empty_lists", "partial_list", "stale_list", "snapshot_incomplete")
RESTARTS = ("08:30", "09:10")
"""When a terminal's day begins; an executor that was shut down starts in between."""


@dataclass(frozen=True)
class DayEnd:
    """How things stood at the end of one day."""

    day: date
    signals: int
    """Of this day."""
    calls: int
    starts: int
    """Of either process, since the beginning."""
    memory: float
    """MB of this process, the world's own records included."""
    descriptors: int
    objects: int
    """Python objects alive."""
    files: int
    """In the exchange folder, without its archive."""
    archived: int
    books: int
    """Bytes of the strategy's state file."""
    reconciled: tuple[int, int, int]
    """Orders, fills and foreign orders of all days so far, matched with the counter's to the cent."""


def soak(seed: int, days: int) -> Iterator[DayEnd]:
    """Play ``days`` trading days of one world, telling of each as it ends. Raises Violation."""
    chance = random.Random(f"soak:{seed}")
    dates = _trading_days(days)
    plan = _plan(seed, dates, chance)
    world = World(plan)
    world.begin()
    _write_back(world)
    signals = calls = 0
    ends = DayEnds(world)
    _morning(world, dates[0], chance)
    for day, following in zip(dates, [*dates[1:], None], strict=True):
        _trade(world, day)
        for found in ends.reconcile(day).differences:
            raise Violation(f"I9: {day}: {found}")
        oracle = world.oracle
        so_far = len(oracle.rows), sum(oracle.calls.values())
        matched = (ends.orders, ends.fills, ends.foreign)
        yield _measured(world, day, so_far[0] - signals, so_far[1] - calls, matched)
        signals, calls = so_far
        if following is not None:
            _morning(world, following, chance)
            _sleep(world, day, following, chance)


def _plan(seed: int, dates: list[date], chance: random.Random) -> Plan:
    start = _at(dates[0], "08:50")
    script: list[Step] = []
    injections: list[Injection] = []
    personality = QMT if seed % 2 else SIMULATED
    faults = (*LIGHT, *OF_A_TERMINAL) if personality is QMT else LIGHT
    for day in dates:
        for begin in sorted(_episode(day, chance) - start for _ in range(EPISODES)):
            for _ in range(chance.randint(3, 7)):
                at = begin + chance.uniform(0.0, 90.0)
                script.append(Step(at, chance.choice(KINDS), chance.randint(1, 30), chance.randint(-4, 3)))  # type: ignore[arg-type]
            seconds = chance.uniform(5.0, 40.0) * PACE / 4
            at = begin + chance.uniform(-20.0, 60.0)
            injections.append(Injection(chance.choice(faults), at, seconds, chance.randrange(1 << 32)))
    return Plan(
        seed=seed,
        personality=personality,
        tool=chance.choice(TOOLS),
        strategy="script",
        start=start,
        seconds=0.0,
        enforce_sessions=True,
        orders_per_second=2,
        orders_per_day=200,
        script=tuple(sorted(script, key=lambda step: step.at)),
        injections=tuple(sorted(injections, key=lambda injection: injection.at)),
        expires=30.0 * PACE,
        cancel_after=12.0 * PACE,
        red_after=12.0 * PACE,
        republish_after=5.0 * PACE,
        pace=PACE,
    )


def _trade(world: World, day: date) -> None:
    """From the opening to the evening, with the invariants checked when the day is done."""
    timeline = world.timeline
    world.pace, world.market_open = PACE, False
    timeline.run_until(_at(day, "09:15"))
    world.oracle.new_day()
    for opens, closes in (("09:30", "11:30"), ("13:00", "15:00")):
        timeline.run_until(_at(day, opens))
        world.market_open = True
        timeline.run_until(_at(day, closes))
        world.market_open = False
    world.counter.close()
    world.end_faults()
    timeline.run_until(_at(day, CLOSING_TICK))
    world.write_quote()
    timeline.run_until(_at(day, "15:06"))
    _settle(world)


def _morning(world: World, day: date, chance: random.Random) -> None:
    """The broker's day will begin: at a quarter past nine, or when its terminal restarts."""
    counter, timeline = world.counter, world.timeline
    counter.market_time = lambda: timeline.now
    if not world.plan.personality.restarts_daily:
        timeline.after(_at(day, "09:15") - timeline.now, lambda: counter.new_day(day.isoformat()))
        return
    counter.ids_repeat = True
    opens, latest = (_at(day, clock) for clock in RESTARTS)
    at, seconds = chance.uniform(max(opens, timeline.now), latest), chance.uniform(5.0, 120.0)

    def restarts() -> None:
        link = world.executor.link
        world.say("B", f"terminal restarts, {'seen' if link and link.ready else 'unseen'} by the executor")
        counter.new_day(day.isoformat())
        if link is not None:
            link.disconnect(seconds)

    timeline.after(at - timeline.now, restarts)


def _settle(world: World) -> None:
    timeline, quiet = world.timeline, 0
    end = timeline.now + SETTLE * PACE
    while timeline.now < end and quiet < 2:
        timeline.run_until(timeline.now + 4.0 * PACE)
        world.oracle.strategy.check()
        quiet = quiet + 1 if world.oracle.is_settled() else 0
        world.operator_resumes()
    world.oracle.check_end()
    del world.trace[:-LINES_KEPT]


def _sleep(world: World, day: date, following: date, chance: random.Random) -> None:
    """The night: the folder is tidied; then both hosts go on, or are shut down until the next morning."""
    world.pace = NIGHT_PACE
    world.timeline.run_until(_at(day, "17:30"))
    weekend = (following - day).days > 1
    for host in world.hosts.values():
        if weekend or chance.random() < 0.6:
            host.kill("shut down", restart_after=_at(following, "08:50") - world.timeline.now)
    world.timeline.run_until(_at(following, "08:55"))


def _write_back(world: World) -> None:
    for host in world.hosts.values():
        host.disk.write_back()
    world.timeline.after(WRITE_BACK * world.pace, lambda: _write_back(world))


def _measured(
    world: World, day: date, signals: int, calls: int, reconciled: tuple[int, int, int]
) -> DayEnd:
    process = psutil.Process()
    disk = world.executor.disk
    folders = [folder for folder in disk.folders() if folder.startswith(ROOT)]
    counts = {folder: len(disk.names(folder)) for folder in folders}
    archived = sum(count for folder, count in counts.items() if folder.startswith(f"{ROOT}/archive"))
    books = [
        inode
        for name in world.strategy.disk.names(RUNTIME)
        if name.startswith("dashboard_state") and name.endswith(".json")
        if (inode := world.strategy.disk.peek(RUNTIME, name)) is not None
    ]
    gc.collect()
    return DayEnd(
        day=day,
        signals=signals,
        calls=calls,
        starts=sum(host.life for host in world.hosts.values()),
        memory=process.memory_info().rss / 1e6,
        descriptors=process.num_fds() if sys.platform != "win32" else process.num_handles(),
        objects=len(gc.get_objects()),
        files=sum(counts.values()) - archived,
        archived=archived,
        books=sum(len(inode.data) for inode in books),
        reconciled=reconciled,
    )


def _trading_days(count: int) -> list[date]:
    found: list[date] = []
    day = FIRST_DAY
    while len(found) < count:
        if CALENDAR.is_trading_day(day):
            found.append(day)
        day += timedelta(days=1)
    return found


def _episode(day: date, chance: random.Random) -> float:
    begin, end = chance.choice((("09:31", "11:26"), ("13:00", "14:52")))
    return chance.uniform(_at(day, begin), _at(day, end))


def _at(day: date, clock: str) -> float:
    return datetime.combine(day, time.fromisoformat(clock), SHANGHAI).timestamp()
