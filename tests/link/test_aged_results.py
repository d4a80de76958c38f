"""A script says nothing of what it has applied: what ended a month ago goes, and can still be asked for."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from mac_side.bridge_client import Bridge
from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.archive import archive_place, put_away_as
from shared_schema.drop_folder.names import RESULTS_FOLDER, result_name
from shared_schema.ids import SignalId
from shared_schema.sessions import trading_day_of
from tests.execution.bench import CALENDAR
from tests.execution.ledger_contract import row
from tests.execution.shell import Shell
from tests.link.test_pruning_loses_nothing import Clock, everything
from tests.mac_side.world import at
from tests.shared_schema.faulty_disk import FaultyDisk
from windows_side.aged_results import AT_A_TURN, KEPT_FOR, LOOK_EVERY, AgedResults
from windows_side.execution.ledger import Change, new_meta
from windows_side.execution.memory_ledger import MemoryLedger
from windows_side.pruning import PRUNE_EVERY

NOW = at("17:30:00")
DAY = 86_400.0


@dataclass
class Host:
    """An executor's folder and ledger, and the results it has put there."""

    folder: DropFolder
    ledger: MemoryLedger
    clock: Clock
    aged: AgedResults
    said: list[int]

    def ended(self, signal_id: str, ago: float, state: str = "filled", **changes: object) -> str:
        """A row that ended ``ago`` seconds before NOW, with its result; where it lies."""
        order = row(signal_id, state, changed_at=NOW - ago, **changes)
        self.ledger.commit(Change((order,)))
        return self.put(order.signal_id)

    def put(self, signal_id: SignalId, when: float = NOW - 2 * DAY) -> str:
        """A result file, changed at ``when``."""
        place = f"{RESULTS_FOLDER}/{result_name(signal_id)}"
        (self.folder.path / place).write_bytes(signal_id.encode())
        os.utime(self.folder.path / place, (when, when))
        return place

    def turns(self, wall: float = NOW, at_most: int = 1000) -> list[int]:
        """Turns until there is nothing to do: how many files went in each."""
        self.clock.seconds += LOOK_EVERY
        went = []
        for _ in range(at_most):
            before = len(self.standing())
            step = self.aged.due(Moment(wall, wall))
            if step is not None:
                assert self.aged.due(Moment(wall, wall)) is None, "one piece of work at a time"
                step()
            went.append(before - len(self.standing()))
        return went

    def standing(self) -> set[str]:
        """Results still in their place."""
        return {name for name in everything(self.folder) if name.startswith(RESULTS_FOLDER)}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """After the close, nothing there yet."""
    folder = DropFolder(tmp_path / "exchange", FaultyDisk())
    folder.path.mkdir()
    folder.prepare()
    ledger, clock, said = MemoryLedger(new_meta("simulate", "main", "test", "x")), Clock(), []  # type: ignore[var-annotated]
    return Host(folder, ledger, clock, AgedResults(folder, ledger, CALENDAR, clock, said.append), said)


def test_what_ended_a_month_ago_goes_whoever_sent_it(host: Host) -> None:
    """By the ledger's own time, whatever the file's: a sync tool or a restore may have touched it."""
    old, young = host.ended("old", KEPT_FOR + 60), host.ended("young", KEPT_FOR - 60)
    touched = host.ended("touched", KEPT_FOR + DAY)
    os.utime(host.folder.path / touched, (NOW - 7200, NOW - 7200))
    os.utime(host.folder.path / young, (NOW - 90 * DAY, NOW - 90 * DAY))
    before = everything(host.folder)
    host.turns(at_most=4)
    assert host.standing() == {young}
    assert sorted(everything(host.folder).values()) == sorted(before.values()), "moves only"
    assert (host.folder.path / archive_place(Path(old).name, NOW - KEPT_FOR - 60)).exists()
    assert host.said == [2]


def test_what_is_open_or_unknown_to_the_ledger_stays(host: Host) -> None:
    """Pending, in doubt, of another ledger, a conflict copy, half a file, and one asked for just now."""
    for state in ("received", "submitted", "partly_filled", "unknown"):
        host.ended(state, 90 * DAY, state)
    host.put(SignalId("nobodys"))
    host.ledger.commit(Change(settled_ids=(SignalId("rebuilt"),)))
    host.put(SignalId("rebuilt"))
    host.ended("again", 90 * DAY)
    host.put(SignalId("again"), NOW - 60)
    for name in ("order_result_x.sync-conflict-20261120-101010-ABCDEFG.json", ".order_result_y.tmp", "x.txt"):
        (host.folder.path / RESULTS_FOLDER / name).write_bytes(b"{")
    before = host.standing()
    host.turns(at_most=4)
    assert host.standing() == before and host.said == []


def test_each_turn_moves_a_few_and_a_year_goes_in_one_night(host: Host) -> None:
    """Trading is never held up, and a folder of a year's results is put away without many listings."""
    for number in range(3 * AT_A_TURN + 7):
        host.ended(f"s{number}", 300 * DAY)
    went = host.turns(at_most=6)
    assert went == [0, AT_A_TURN, AT_A_TURN, AT_A_TURN, 7, 0]
    assert host.said == [3 * AT_A_TURN + 7]


def test_the_opening_ends_it_at_once(host: Host) -> None:
    """Nothing is moved, and nobody asked, once the market works; the next evening begins anew."""
    for number in range(2 * AT_A_TURN):
        host.ended(f"s{number}", 300 * DAY)
    host.turns(at_most=2)
    assert len(host.standing()) == AT_A_TURN
    host.turns(at("09:30:00") + 3 * DAY, at_most=5)
    assert len(host.standing()) == AT_A_TURN
    host.turns(NOW + 3 * DAY, at_most=4)
    assert host.standing() == set()


def test_between_two_looks_the_folder_is_not_listed(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked every turn; and an OFFLINE folder keeps everything."""
    host.clock.seconds += PRUNE_EVERY - 1
    assert host.aged.due(Moment(NOW, NOW)) is None
    host.ended("old", 90 * DAY)
    (host.folder.path / "OFFLINE").write_bytes(b"")
    host.turns(at_most=4)
    assert len(host.standing()) == 1
    (host.folder.path / "OFFLINE").unlink()
    host.turns(at_most=4)
    assert host.standing() == set()
    assert host.aged.due(Moment(NOW, NOW)) is None


# A client that comes back


def closed_after(days: float) -> float:
    """Seconds from now to ten in the evening, Shanghai, of the day that many days on."""
    day = trading_day_of(time.time() + days * DAY)
    return at("22:00:00", day) - time.time()


class Scene:
    """A script's bridge over an executor whose clock can be set ahead."""

    def __init__(self, tmp_path: Path) -> None:
        self.place = tmp_path
        self.shell = Shell(tmp_path / "windows").ready()
        self.shell.folder.disk.make_folder(tmp_path / "mac")

    def bridge(self) -> Bridge:
        """Opened, or opened again, by a new process."""
        self.shell.skip += 2.0
        self.shell.executor.turn()  # its heartbeat
        return Bridge(
            self.shell.folder.path,
            "myscript",
            runtime_dir=self.place / "mac",
            wait_for_executor=0,
            wall_clock=lambda: time.time() + self.shell.ahead,
            pause=lambda _: self.shell.executor.turn(),
        )

    def a_month_later(self) -> None:
        """The executor has been started anew, and has put away what is old."""
        self.shell.ahead = closed_after(75)
        self.shell.restart()
        self.shell.ready()
        self.shell.skip += PRUNE_EVERY
        for _ in range(4):
            self.shell.executor.turn()
        self.shell.skip += PRUNE_EVERY
        self.shell.executor.turn()

    def somebody_elses(self) -> None:
        """Another order ends: the slot holds its result, and tells ours no more."""
        self.shell.instant = True
        self.shell.drop(self.shell.signal("other", timestamp=self.shell.clock.now().wall))
        self.shell.settled("other")

    def lies_in_archive_only(self, signal_id: SignalId) -> bool:
        """Whether the result was put away."""
        put_away = put_away_as(self.shell.folder, result_name(signal_id))
        return self.shell.result(signal_id) is None and len(put_away) == 1


@pytest.fixture
def scene(tmp_path: Path):  # type: ignore[no-untyped-def]
    """An executor that is ready."""
    made = Scene(tmp_path)
    yield made
    made.shell.kill()


def test_a_script_that_never_saw_an_answer_learns_it_a_month_later(scene: Scene) -> None:
    """Its signal is offered again, known, and answered from the ledger: filled once, and no second order."""
    with scene.bridge() as bridge:
        signal_id = bridge.buy("159201.SZ", price=1.2, shares=1000).signal_id
    scene.shell.settled(signal_id)
    scene.somebody_elses()
    scene.a_month_later()
    assert scene.lies_in_archive_only(signal_id)
    with scene.bridge() as bridge:
        assert [handle.signal_id for handle in bridge.open] == [signal_id]
        outcome = bridge.wait(signal_id, 10.0)
    assert (outcome.answer, outcome.state, outcome.filled_shares) == ("done", "filled", 1000)
    assert scene.shell.orders <= 1


def test_a_script_that_saw_only_pending_learns_the_end_a_month_later(scene: Scene) -> None:
    """An answer it has seen no longer stands: it asks for the end, as if it had seen none."""
    scene.shell.instant = False
    with scene.bridge() as bridge:
        signal_id = bridge.buy("159201.SZ", price=1.2, shares=1000).signal_id
        scene.shell.until(lambda: (shown := scene.shell.result(signal_id)) and shown.state == "submitted")
        assert bridge.outcome(signal_id).answer == "unknown"
        bridge.look()
        assert bridge.outcome(signal_id).state == "submitted"
        bridge.buy("159201.SZ", price=1.1, shares=100)  # saves what was seen
    scene.shell.ahead = closed_after(5)
    scene.shell.restart()
    scene.shell.ready()
    ended = scene.shell.settled(signal_id)
    scene.somebody_elses()
    scene.a_month_later()
    assert scene.lies_in_archive_only(signal_id)
    with scene.bridge() as bridge:
        scene.shell.ahead += 10.0
        outcome = bridge.wait(signal_id, 10.0)
    assert (outcome.answer, outcome.state) == ("refused", ended.state)
    assert scene.shell.orders <= 1


def test_a_result_put_away_by_age_is_not_shown_again_at_start(scene: Scene) -> None:
    """It lies where the start looks for it: the rows of the last day may be of long ago."""
    scene.shell.drop(scene.shell.signal("only"))
    scene.shell.settled("only")
    scene.a_month_later()
    assert scene.lies_in_archive_only(SignalId("only"))
    scene.shell.restart()
    scene.shell.ready()
    assert scene.lies_in_archive_only(SignalId("only"))
