"""The executor's eyes: heartbeats seldom and cheaply, results and slot only once a heartbeat went back."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shared_schema.clock import Moment, Stamper
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import RESULT_SLOT, RESULTS_FOLDER, result_name
from shared_schema.ids import AccountAlias, Epoch, InstanceId, SignalId
from shared_schema.link_health import beat_stream
from shared_schema.messages import Envelope, Heartbeat, OrderResult, encode
from tests.execution.bench import CALENDAR, OPEN_AT
from tests.execution.shell import Shell
from windows_side.execution.events import BeatsSeen, Event, FolderRolledBack
from windows_side.execution.order import Order
from windows_side.link_watch import LinkWatch

EPOCH = Epoch("ledger-1")
NIGHT = 10 * 3600.0


@dataclass
class Scene:
    """A folder with an executor that has published ten results, and its watch."""

    folder: DropFolder
    now: float = OPEN_AT
    beat_seq: int = 0
    orders: list[Order] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.prepare()
        self.watch = LinkWatch(
            self.folder, InstanceId("e"), EPOCH, CALENDAR, lambda: self.orders, lambda: self.now
        )
        for number in range(1, 11):
            order = Order(
                SignalId(f"s{number}"), "digest", None, "rejected", self.now, self.now, "2026-11-18",
                result_seq=number, changed_at=self.now,
            )  # fmt: skip
            self.orders.append(order)
            self.show(number)
        for _ in range(3):
            self.pass_time()

    def show(self, number: int, *, result: bool = True, slot: bool = True) -> None:
        """The folder shows a result, and the slot with it."""
        head = Envelope(
            writer="executor@win", epoch=EPOCH, seq=number, written_at=self.now, market_time=self.now,
            trading_day="2026-11-18", mode="simulate", account=AccountAlias("main"),
        )  # fmt: skip
        body = OrderResult(signal_id=SignalId(f"s{number}"), status="failed", state="rejected")
        for wanted, name in (
            (result, f"{RESULTS_FOLDER}/{result_name(SignalId(f's{number}'))}"),
            (slot, RESULT_SLOT),
        ):
            if wanted:
                self.folder.publish(name, encode(head, body))

    def beat(self, seq: int, role: str = "executor", instance: str = "e") -> None:
        """A heartbeat with this number lies there."""
        stamper = Stamper(f"{role}@h", Epoch("b"), "simulate", AccountAlias("main"), seq - 1)
        body = Heartbeat.model_validate({"role": role, "instance": instance})
        raw = encode(stamper.next(Moment(self.now, self.now), "2026-11-18"), body)
        self.folder.publish(f"heartbeat/{role}-{instance}.json", raw)

    def pass_time(self, seconds: float = 3.0) -> list[Event]:
        """Time goes on, our heartbeat is written again, and the watch looks."""
        self.now += seconds
        self.beat_seq += 1
        self.beat(self.beat_seq)
        return self.look()

    def look(self) -> list[Event]:
        """What the watch finds now."""
        return self.watch.events(Moment(self.now, self.now), urgent=True)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A calm folder."""
    return Scene(DropFolder(tmp_path / "exchange"))


def put_back(scene: Scene, *, beat: bool = True, results: bool = True, slot: bool = True) -> list[Event]:
    """Somebody restores what lay there at number 2; which parts of it arrive."""
    if beat:
        scene.beat(1)
    if results:
        scene.folder.remove(f"{RESULTS_FOLDER}/{result_name(SignalId('s10'))}")
    if slot:
        scene.show(2, result=False)
    return scene.look()


def test_a_folder_put_back_is_told_once(scene: Scene) -> None:
    """Heartbeat, newest result and slot together; when all is shown again there is nothing more to tell."""
    assert FolderRolledBack() in put_back(scene)
    scene.show(10)
    assert FolderRolledBack() not in scene.pass_time()


@pytest.mark.parametrize("missing", ["beat", "results", "slot"])
def test_two_of_three_are_zombies(scene: Scene, missing: str) -> None:
    """A single file of ours that is missing or old is written again and holds nothing."""
    assert FolderRolledBack() not in put_back(scene, **{missing: False})
    assert FolderRolledBack() not in scene.pass_time()


def test_a_dashboards_heartbeat_going_back_counts_too(scene: Scene) -> None:
    """Ours may be overwritten before anybody looks."""
    scene.beat(7, "dashboard", "d")
    scene.pass_time()
    scene.beat(3, "dashboard", "d")
    assert FolderRolledBack() in put_back(scene, beat=False)


def test_a_result_still_on_its_way_is_none_that_went_back(scene: Scene) -> None:
    """The newest order was recorded a second ago: the folder's worker writes it just now."""
    put_back(scene, results=False, slot=False)
    scene.orders.append(
        Order(
            SignalId("s11"), "digest", None, "rejected", scene.now, scene.now, "2026-11-18",
            result_seq=11, changed_at=scene.now - 1,
        )
    )  # fmt: skip
    assert FolderRolledBack() not in scene.look()


def test_after_the_close_nothing_is_held(scene: Scene) -> None:
    """Results are put away then, and nothing trades."""
    scene.now += NIGHT
    assert FolderRolledBack() not in put_back(scene)


def test_heartbeats_are_looked_at_seldom(scene: Scene) -> None:
    """Not in every turn: 0.3 s between two looks, unless a silent writer's signal asks for one."""
    moment = Moment(scene.now, scene.now)
    scene.beat(1, "dashboard", "d")
    assert scene.watch.events(moment) == []
    assert any(isinstance(event, BeatsSeen) for event in scene.watch.events(moment, urgent=True))
    scene.now += 0.31
    assert scene.watch.events(Moment(scene.now, scene.now)) == [], "nothing changed: nothing to tell"


def test_the_executors_heartbeat_echoes_the_dashboards(tmp_path: Path) -> None:
    """Over real files: what the other side measures skew and direction with, and not itself."""
    shell = Shell(tmp_path).ready()
    stamper = Stamper("dashboard@mac", Epoch("b"), "simulate", AccountAlias("main"))
    wall = time.time()
    body = Heartbeat(role="dashboard", instance=InstanceId("d"))
    shell.put("heartbeat/dashboard-d.json", encode(stamper.next(Moment(wall, wall), "2026-11-18"), body))
    own = shell.folder.path / "heartbeat" / f"executor-{shell.instance}.json"
    stream = beat_stream("dashboard", "d")

    def echoed() -> bool:
        shell.skip += 0.5
        return own.exists() and stream.encode() in own.read_bytes()

    shell.until(echoed)
    assert beat_stream("executor", shell.instance).encode() not in own.read_bytes()
    shell.kill()


@pytest.mark.slow
def test_a_silent_writers_signal_meets_its_newest_heartbeat(tmp_path: Path) -> None:
    """Both come together after a silence: the heartbeat is read before the signal is judged."""
    shell = Shell(tmp_path, red_after=60.0).ready()  # a busy machine must not make it red
    stamper = Stamper("dashboard@mac", Epoch("b"), "simulate", AccountAlias("main"))

    def beat(age: float) -> None:
        wall = time.time() - age
        body = Heartbeat(role="dashboard", instance=InstanceId("d"))
        shell.put("heartbeat/dashboard-d.json", encode(stamper.next(Moment(wall, wall), "2026-11-18"), body))

    beat(600)
    shell.until(lambda: shell.core.is_silent("dashboard@mac"))
    shell.drop(shell.signal("s1"))
    assert shell.settled("s1").error_code == "link_down"
    beat(0)
    shell.drop(shell.signal("s2", shares=2000, layer_index=1))
    assert shell.settled("s2").state == "filled"
    shell.kill()
