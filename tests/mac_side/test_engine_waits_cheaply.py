"""Between two whole looks the engine only glances; what it must see still wakes it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from mac_side.engine_wait import FolderGlance, concerns, wait_for_news
from shared_schema.drop_folder import DropFolder


class _Watch:
    """A watch that counts its waits; ``wakes_at`` is the wait a watcher ends."""

    interval = 0.05

    def __init__(self, healthy: bool = True, wakes_at: int = 0) -> None:
        self.healthy, self.wakes_at, self.waits = healthy, wakes_at, 0

    def wait(self, at_most: float) -> bool:
        self.waits += 1
        return self.waits == self.wakes_at


def _glance(tmp_path: Path) -> FolderGlance:
    folder = DropFolder(tmp_path / "exchange")
    folder.disk.make_folder(folder.path)
    folder.prepare()
    glance = FolderGlance(folder.disk, folder.path, tmp_path / "commands")
    glance.moved()
    return glance


@pytest.mark.parametrize(
    "name", ["shared_quote.json", "control/halt.json", "order_results/r.json"]
)
def test_a_new_file_is_seen_by_a_glance(tmp_path: Path, name: str) -> None:
    """A quote, halt, heartbeat, result or command ends the wait without any watcher's help."""
    glance = _glance(tmp_path)
    assert not glance.moved()
    (tmp_path / "exchange" / name).write_bytes(b"{}")
    assert glance.moved() and not glance.moved()


def test_a_command_of_the_screen_is_seen(tmp_path: Path) -> None:
    """Also the first one, whose folder is only made with it."""
    glance = _glance(tmp_path)
    (tmp_path / "commands").mkdir()
    assert glance.moved()


def test_quiet_folders_cost_one_look_a_tick(tmp_path: Path) -> None:
    """Nothing new: five glances, then the whole look; with a dead watcher every scan is a whole look."""
    glance, stop = _glance(tmp_path), threading.Event()
    quiet, dead, woken = _Watch(), _Watch(healthy=False), _Watch(wakes_at=2)
    for watch in (quiet, dead, woken):
        wait_for_news(watch, glance, stop, 0.25)  # type: ignore[arg-type]
    assert (quiet.waits, dead.waits, woken.waits) == (5, 1, 2)


def test_own_writings_wake_nobody() -> None:
    """The engine's heartbeat, books and temp files are no news; everything of others is."""
    own = (
        "heartbeat/dashboard-1.json",
        "dashboard_state.json",
        ".order_signal.json.x.tmp",
        "control/.halt.tmp",
        "order_signal_done/",
        "quarantine/x.json",
    )
    others = (
        "shared_quote.json",
        "heartbeat/executor-1.json",
        "order_results/order_result_1.json",
        "control/halt.x",
        "control/",
    )
    assert not any(map(concerns, own)) and all(map(concerns, others))
