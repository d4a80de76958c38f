"""What a host learns from the heartbeat folder: who lives, whose clock is off, what went back."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands.folder_view import FolderView
from commands.status_link import link_needs, link_report
from shared_schema.clock import Moment, Stamper
from shared_schema.drop_folder import DropFolder
from shared_schema.heartbeats import HeartbeatReader
from shared_schema.ids import AccountAlias, Epoch, InstanceId
from shared_schema.link_health import ECHOED, beat_stream, echoes_of, health_of
from shared_schema.messages import Heartbeat, Seen, encode
from windows_side.quotes.readers import Readers

START = 1_795_140_000.0


class Host:
    """A process that writes heartbeats with its own clock and reads those of the other."""

    def __init__(self, folder: DropFolder, role: str, other: str, ahead: float = 0.0) -> None:
        self.folder, self.role, self.ahead = folder, role, ahead
        self.stream = beat_stream(role, "x")
        self.reader = HeartbeatReader(folder, self.stream, (other,))
        self.stamper = Stamper(f"{role}@h", Epoch("e1"), "simulate", AccountAlias("main"))

    def read(self, true_time: float):  # type: ignore[no-untyped-def]
        """Look at ``true_time``."""
        return self.reader.read(true_time + self.ahead)

    def write(self, true_time: float, **fields: object) -> None:
        """Put a heartbeat into the folder."""
        now = Moment(true_time + self.ahead, true_time + self.ahead)
        plain = {"role": self.role, "instance": InstanceId("x"), "seen": echoes_of(self.read(true_time))}
        body = Heartbeat.model_validate(plain | fields)
        raw = encode(self.stamper.next(now, "2026-11-20"), body)
        self.folder.publish(f"heartbeat/{self.role}-x.json", raw)


@pytest.fixture
def folder(tmp_path: Path) -> DropFolder:
    """An exchange folder."""
    found = DropFolder(tmp_path)
    found.prepare()
    return found


@pytest.mark.parametrize("ahead", [-300.0, -7.0, 0.0, 7.0, 300.0])
def test_two_hosts_learn_each_others_skew(folder: DropFolder, ahead: float) -> None:
    """After one echo each side knows it within half the round trip, with opposite signs; so does status."""
    here, there = Host(folder, "dashboard", "executor"), Host(folder, "executor", "dashboard", ahead)
    for turn in range(3):
        here.write(START + 4 * turn)
        there.read(START + 4 * turn + 1)
        there.write(START + 4 * turn + 2)
        here.read(START + 4 * turn + 3)
    (mine,), (theirs,) = here.read(START + 12), there.read(START + 12)
    assert mine.skew is not None and theirs.skew is not None
    assert abs(mine.skew.offset - ahead) <= mine.skew.blind
    assert abs(theirs.skew.offset + ahead) <= theirs.skew.blind
    assert mine.age(START + 12) <= 2 + mine.skew.round_trip
    (link,) = link_report(FolderView(folder).beats(), START + 12, 400)
    assert abs(link["skew"] + ahead) <= link["skew_within"] + 1e-3
    assert link["lost"] == []
    assert [need["what"] for need in link_needs([link], 30)] == (["clock_skew"] if abs(ahead) > 30 else [])


def test_a_clock_behind_makes_no_living_process_red(folder: DropFolder) -> None:
    """Before any echo: what lay there is as old as it says, what changes under our eyes lives."""
    here, there = Host(folder, "dashboard", "executor"), Host(folder, "executor", "dashboard", -20.0)
    there.write(START)
    (found,) = here.read(START + 1)
    assert found.age(START + 1) == pytest.approx(21)
    there.write(START + 2)
    (found,) = here.read(START + 3)
    assert found.age(START + 4) == pytest.approx(1)


def test_a_late_heartbeat_of_a_measured_host_is_as_old_as_it_is(folder: DropFolder) -> None:
    """Delivered a minute late by the sync tool: the link is a minute late, though news just came."""
    here, there = Host(folder, "dashboard", "executor"), Host(folder, "executor", "dashboard")
    here.write(START)
    there.write(START + 1)
    here.read(START + 2)
    there.write(START + 3)
    (found,) = here.read(START + 63)
    assert found.age(START + 63) == pytest.approx(60)
    health = health_of(found, here.stream, START, START + 63, 5)
    assert health.inward.lost and health.inward.travel == pytest.approx(60)


def test_our_clock_set_back_makes_nobody_young(folder: DropFolder) -> None:
    """Until the next heartbeat its age is the size of the step."""
    here, there = Host(folder, "dashboard", "executor"), Host(folder, "executor", "dashboard")
    there.write(START)
    (found,) = here.read(START)
    assert found.age(START - 3600) == pytest.approx(3600)


def test_an_older_heartbeat_is_a_step_back_and_no_news(folder: DropFolder) -> None:
    """A zombie: what was known stays, and that it went back is kept for whoever asks."""
    here, there = Host(folder, "dashboard", "executor"), Host(folder, "executor", "dashboard")
    there.write(START)
    old = folder.read("heartbeat/executor-x.json")
    here.read(START)
    there.write(START + 2)
    (newest,) = here.read(START + 2)
    assert old is not None and not here.reader.went_back
    folder.publish("heartbeat/executor-x.json", old)
    assert here.read(START + 3) == [newest]
    assert [name for name, _ in here.reader.went_back] == ["executor-x.json"]


def test_status_names_the_lost_direction(folder: DropFolder) -> None:
    """The executor goes on and has had nothing of the dashboard for a minute."""
    here, there = Host(folder, "dashboard", "executor"), Host(folder, "executor", "dashboard")
    here.write(START)
    there.write(START + 1)
    here.write(START + 2)
    lost = {here.stream: Seen(epoch=Epoch("e1"), seq=1, written_at=START, received_at=START + 1)}
    there.write(START + 61, seen=lost)
    here.write(START + 62)
    (link,) = link_report(FolderView(folder).beats(), START + 62, 5)
    assert link["lost"] == ["to_executor"]
    assert [need["what"] for need in link_needs([link], 30)] == ["link_lost"]


def test_the_producers_echo_says_when_it_came(folder: DropFolder) -> None:
    """A reader's first heartbeat is dated by its coming, not by its writer: else half the skew is lost."""
    here = Host(folder, "dashboard", "producer", ahead=-40.0)
    here.write(START)
    readers = Readers(folder, 5)
    readers.look(START + 1)
    assert readers.seen[here.stream].received_at == START + 1
    assert readers.seen[here.stream].written_at == START - 40


def test_a_heartbeat_stays_small_among_many(folder: DropFolder) -> None:
    """A hundred old heartbeat files: the echo names the newest few."""
    reader = HeartbeatReader(folder, "", ("dashboard",))
    for number in range(100):
        stamper = Stamper("dashboard@h", Epoch("e1"), "simulate", AccountAlias("main"))
        body = Heartbeat(role="dashboard", instance=InstanceId(f"d{number}"))
        raw = encode(stamper.next(Moment(START, START), "2026-11-20"), body)
        folder.publish(f"heartbeat/dashboard-d{number}.json", raw)
    assert len(echoes_of(reader.read(START))) == ECHOED
