"""Phase 5: state before signal, nothing twice after a restart, and the account is the truth."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

from mac_side.engine import Engine, Place
from mac_side.engine_memory import EngineConfig
from mac_side.offline_start import FRESH, lay_out_fresh_files
from mac_side.strategy.presets import preset
from shared_schema.clock import Moment, Stamper, new_epoch
from shared_schema.disk import LocalDisk
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import ACCOUNT_SIMULATE, DONE_FOLDER, EXECUTED
from shared_schema.ids import Code, InstanceId
from shared_schema.logs import Log
from shared_schema.messages import Account, AccountSnapshot, encode
from shared_schema.sessions import trading_day_of
from shared_schema.trading_calendar import calendar_of_this_host
from shared_schema.watch import FolderWatch
from test_offline.phases.checks import Check, check, equal
from test_offline.phases.dry_run import ANSWERED_WITHIN, Bench
from test_offline.phases.offline_folder import (
    ACCOUNT,
    STRATEGY,
    TEST_OFFLINE,
    WRITER,
    make_offline_folder,
    read_json,
    to_bytes,
    wait_until,
)
from test_offline.phases.phase_3_executor import good_signal

REPUBLISH_AFTER = 3.0
_TURNS = 3


class Killed(BaseException):
    """Stands for kill -9: nothing may catch it, nothing runs after it."""


class DiskKilledAtSignal(LocalDisk):
    """A disk whose process dies where it would put a signal into the folder."""

    def replace(self, source: Path, target: Path) -> None:
        """Rename, unless ``target`` is a signal."""
        if target.name.startswith("order_signal"):
            raise Killed
        super().replace(source, target)


class Turns(threading.Event):
    """Asks a loop to stop after so many rounds."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self._left = rounds

    def is_set(self) -> bool:
        """Whether the rounds are over."""
        self._left -= 1
        return self._left < 0


class Clock:
    """Wall time that a check can move on."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def run(folder: Path) -> list[Check]:
    """The three recoveries, each in a folder of its own below ``folder``."""
    return [
        *killed_between(folder / "killed"),
        *executor_restarted(folder / "executor"),
        *zero_position(folder / "zero"),
    ]


def killed_between(folder: Path) -> list[Check]:
    """The dashboard dies between state and signal; its successor sends that signal, once, and no other."""
    bench = Bench(folder / "exchange", folder / "runtime")
    make_offline_folder(bench.path)
    shutil.copytree(TEST_OFFLINE / FRESH, bench.path / FRESH)
    lay_out_fresh_files(bench.path)
    clock = Clock()
    died = False
    try:
        _engine(bench, clock, DropFolder(bench.path, DiskKilledAtSignal())).run(Turns(_TURNS))
    except Killed:
        died = True
    state = read_json(bench.path / "dashboard_state.json") or {}
    decided = state.get("last_sent_signal_id")
    checks = [check("killed_state_first", died and decided and not _signals(bench), decided or "")]
    clock.ahead = REPUBLISH_AFTER + 1
    _engine(bench, clock, bench.folder).run(Turns(_TURNS))
    raw = str(state["outbox"][0]["raw"]).encode() if state.get("outbox") else b""
    checks.append(
        check("killed_sent_once", list(_signals(bench).values()) == [raw], ", ".join(_signals(bench)))
    )
    with bench.executor():
        wait_until(lambda: not _signals(bench) and bench.is_answered(str(decided)), ANSWERED_WITHIN)
    checks.append(equal("killed_executed_once", bench.orders_at_broker(), 1))
    clock.ahead += REPUBLISH_AFTER + 1
    _engine(bench, clock, bench.folder).run(Turns(_TURNS))
    after = read_json(bench.path / "dashboard_state.json") or {}
    sent = [entry["signal_id"] for entry in after.get("outbox", ())]
    checks.append(check("killed_nothing_more", sent == [decided] and not _signals(bench), ", ".join(sent)))
    return checks


def executor_restarted(folder: Path) -> list[Check]:
    """An executed id comes back after a restart, its views deleted: it is consumed and answered, no more."""
    bench = Bench(folder / "exchange", folder / "runtime")
    make_offline_folder(bench.path)
    signal = good_signal("restart-001")
    bench.drop(signal)
    with bench.executor():
        wait_until(lambda: bench.is_answered("restart-001"), ANSWERED_WITHIN)
    first, orders = bench.result("restart-001"), bench.orders_at_broker()
    bench.folder.remove(EXECUTED)
    shutil.rmtree(bench.path / DONE_FOLDER)
    bench.drop(signal)
    with bench.executor():
        consumed = wait_until(bench.is_gone, ANSWERED_WITHIN)
        listed = wait_until(lambda: bench.is_listed("restart-001"), ANSWERED_WITHIN)
    return [
        equal("restart_first", orders, 1),
        check("restart_consumed", consumed and bench.is_done("restart-001") and listed),
        check(
            "restart_not_executed",
            first is not None and bench.result("restart-001") == first and bench.orders_at_broker() == orders,
        ),
    ]


def zero_position(folder: Path) -> list[Check]:
    """Only two complete snapshots of zero, 30 s apart, clear the books, and a copy of them is kept."""
    bench = Bench(folder / "exchange", folder / "runtime")
    make_offline_folder(bench.path)
    lots = [{"shares": 2200, "cost": 2310, "buy_price": 1.05}]
    bench.folder.publish("dashboard_state.json", to_bytes({"last_buy_price": 1.05, "positions": lots}))
    clock = Clock()
    engine = _engine(bench, clock, bench.folder)
    stamper = Stamper("executor@phase5", new_epoch(clock()), "simulate", ACCOUNT)

    def reported(complete: bool) -> int:
        """Lots left in the books after a snapshot that shows nothing held."""
        moment = Moment(clock(), clock())
        body = AccountSnapshot(accounts={ACCOUNT: Account(complete=complete, queried_at=moment.wall)})
        envelope = stamper.next(moment, trading_day_of(moment.market))
        bench.folder.publish(ACCOUNT_SIMULATE, encode(envelope, body))
        engine.run(Turns(1))
        return len(engine.core.state.books.lots) if engine.core is not None else -1

    clock.ahead = 100.0
    incomplete = reported(complete=False)
    clock.ahead = 140.0
    still_incomplete, once = reported(complete=False), reported(complete=True)
    clock.ahead = 175.0
    cleared = reported(complete=True)
    state = read_json(bench.path / "dashboard_state.json") or {}
    copies = [path.name for path in bench.path.glob("dashboard_state.json.before-clear-*")]
    return [
        equal("zero_incomplete", (incomplete, still_incomplete), (1, 1)),
        equal("zero_once", once, 1),
        equal("zero_cleared", (cleared, state.get("positions"), state.get("hold_t0_volume")), (0, [], 0)),
        check("zero_copy", copies, ", ".join(copies)),
    ]


def _engine(bench: Bench, clock: Clock, folder: DropFolder) -> Engine:
    bench.runtime.mkdir(parents=True, exist_ok=True)
    place = Place(
        folder=folder,
        runtime_dir=bench.runtime,
        view=bench.runtime / "view.json",
        commands=bench.runtime / "commands",
        strategy=STRATEGY,
        writer=WRITER,
        offline=True,
        in_folder=True,
        alias=ACCOUNT,
        pinned=None,
        republish_after=REPUBLISH_AFTER,
        heartbeat_interval=1.0,
    )
    config = EngineConfig(
        code=Code("159201.SZ"),
        parameters=preset("159201"),
        instance=InstanceId("phase5"),
        calendar=calendar_of_this_host(),
        offline=True,
    )
    return Engine(
        place, config, Log("mac_dashboard", []), FolderWatch(bench.path, 0.02, use_watcher=False), clock
    )


def _signals(bench: Bench) -> dict[str, bytes]:
    """Every signal that waits in the folder."""
    raws = {found.name.text: bench.folder.read(found.name.text) for found in bench.folder.signals()}
    return {name: raw for name, raw in raws.items() if raw is not None}
