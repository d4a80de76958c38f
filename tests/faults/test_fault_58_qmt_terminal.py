"""Faults 58 to 60 over the stand-in: not ready is said with its reason, and heals by itself."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from test_offline.fake_qmt.install import is_possible

if not is_possible():
    pytest.skip("xtquant is not installed (requirements-dev.txt)", allow_module_level=True)

from tests.brokers.contract.driver import WAIT
from tests.brokers.contract.steps import come_back, day, placed, ready
from tests.brokers.qmt_driver import NUMBER, QmtDriver
from windows_side.brokers import qmt_session
from windows_side.brokers.port import BrokerEvent, ReadinessChanged, Sink
from windows_side.brokers.qmt import QmtAccount, QmtCalls
from windows_side.brokers.qmt_diagnosis import connect_findings, path_findings
from windows_side.brokers.qmt_session import QmtSession
from windows_side.brokers.qmt_session_ids import POOL, SessionIds


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[QmtDriver]:
    driver = QmtDriver(tmp_path)
    yield driver
    driver.close()


def why_not(driver: QmtDriver) -> str:
    """The newest reason for not being ready."""

    def found(seen: list[object]) -> str | None:
        told = [event for event in seen if isinstance(event, ReadinessChanged)]
        return told[-1].readiness.message if told and not told[-1].readiness.ready else None

    return driver.events.wait(found)


@pytest.mark.parametrize(
    ("status", "word"), [(1, "密码"), (3, "重新登录"), (4, "稍候"), (8, "券商"), (-1, "核对账号")]
)
def test_an_account_that_is_not_logged_in_is_not_ready(driver: QmtDriver, status: int, word: str) -> None:
    """Password dialog, failed login, morning's start-up: no submit, a sentence, and ready when it is over."""
    ready(driver)
    driver.faults.set("status", status)
    driver.lose_link()
    driver.mend()
    driver.elapsed += 120
    driver.port.check_deadlines()
    driver.events.wait(lambda seen: True if word in why_not(driver) else None)
    driver.faults.clear()
    come_back(driver)
    placed(driver, "BUY", 100, 1.040)


def test_connected_without_an_asset_is_not_ready(driver: QmtDriver) -> None:
    """A connection alone is no readiness: a real query has to pass."""
    ready(driver)
    driver.faults.set("asset", "none")
    driver.lose_link()
    driver.mend()
    driver.elapsed += 120
    driver.port.check_deadlines()
    driver.events.wait(lambda seen: True if "查不到资金" in why_not(driver) else None)
    driver.faults.clear()
    come_back(driver)


def test_an_account_nobody_logged_in_is_named(tmp_path: Path) -> None:
    """The wrong number, or an account the terminal does not have: the subscription says it."""
    driver = QmtDriver(tmp_path)
    calls = QmtCalls(QmtAccount(driver.userdata, "123"), SessionIds(tmp_path / "other", "producer"))
    calls.open(lambda event: None)
    told = calls.probe()
    assert not told.ready and "订阅账号失败" in told.message
    calls.close()
    driver.close()


def test_session_ids_are_few_and_used_in_turn(tmp_path: Path) -> None:
    """Fault 59: executor and producer never share one; each start takes the one that rested longest."""
    clock = [1000.0]
    executor = SessionIds(tmp_path, "executor", None, lambda: clock[0])
    producer = SessionIds(tmp_path, "producer", None, lambda: clock[0])
    assert not set(executor.ids) & set(producer.ids)
    taken = []
    for _ in range(2 * POOL):
        clock[0] += 1
        # A new process each time: what was used stands in a file.
        taken.append(SessionIds(tmp_path, "executor", None, lambda: clock[0]).take())
    assert taken[:POOL] == taken[POOL:] == list(executor.ids)


def test_a_session_somebody_holds_is_left_for_the_next(driver: QmtDriver) -> None:
    """Another program on our next id: connect says -1 with reasons, the try after it takes another id."""
    ready(driver)
    ids = SessionIds(driver.place / "runtime", "executor").ids
    others = QmtCalls(
        QmtAccount(driver.userdata, NUMBER), SessionIds(driver.place / "others", "executor", ids[1])
    )
    others.open(lambda event: None)
    assert others.probe().ready
    driver.terminal.drop_links = lambda: None  # type: ignore[method-assign]
    driver.port.stop()
    driver.start()
    assert "-1" in why_not(driver)
    driver.elapsed += 120
    driver.port.check_deadlines()
    assert ready(driver)
    others.close()


def test_a_refused_subscription_says_what_to_do(driver: QmtDriver) -> None:
    """Connected, but the account can't be subscribed."""
    ready(driver)
    driver.faults.set("subscribe", "refuse")
    driver.lose_link()
    driver.mend()
    driver.elapsed += 120
    driver.port.check_deadlines()
    driver.events.wait(lambda seen: True if "订阅账号失败" in why_not(driver) else None)
    driver.faults.clear()
    come_back(driver)


def test_a_terminal_that_is_gone_is_said_with_its_reasons(driver: QmtDriver) -> None:
    """connect's bare -1 becomes a sentence; while it lasts the port tries again by itself."""
    ready(driver)
    driver.lose_link()
    driver.elapsed += 120
    driver.port.check_deadlines()
    driver.events.wait(lambda seen: True if "连接 QMT 失败（返回 -1）" in why_not(driver) else None)
    driver.heal_link()


def test_thirty_restarts_leave_nothing_behind(driver: QmtDriver) -> None:
    """Each reconnect is a new object; threads and descriptors of the old ones are gone."""
    ready(driver)
    sizes = []
    for _ in range(30):
        driver.lose_link()
        driver.heal_link()
        day(driver)
        sizes.append((threading.active_count(), len(os.listdir("/proc/self/fd"))))
    assert max(size[0] for size in sizes[20:]) <= max(size[0] for size in sizes[:10]) + 2
    assert max(size[1] for size in sizes[20:]) <= max(size[1] for size in sizes[:10]) + 4


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (None, "not_set"), ("nowhere/userdata_mini", "missing"), ("file", "no_folder"),
        ("userdata", "not_mini_but"), ("other", "not_mini"), ("empty/userdata_mini", "no_queue"),
        ("userdata_mini", ""),
    ],
)  # fmt: skip
def test_each_wrong_path_has_its_sentence(tmp_path: Path, made: str | None, name: str) -> None:
    """Each cause that files can tell is named, each with what to do; a right one is silent."""
    for folder in ("userdata_mini", "userdata", "empty/userdata_mini"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "other" / "deep").mkdir(parents=True)
    (tmp_path / "userdata_mini" / "up_queue_xtquant").touch()
    (tmp_path / "file").touch()
    if made == "other":
        made = "other/deep"
    found = path_findings(None if made is None else tmp_path / made)
    assert [finding.name for finding in found] == ([name] if name else [])
    assert all(len(str(finding)) > 10 for finding in found)


def test_a_read_only_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal's folder has to be written."""
    (tmp_path / "userdata_mini").mkdir()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(Path, "touch", refuse)
    assert [finding.name for finding in path_findings(tmp_path / "userdata_mini")] == ["not_writable"]


def test_why_connect_failed_is_never_silent(tmp_path: Path) -> None:
    """No terminal among the processes, an id used a moment ago, and where nothing tells, that too."""
    userdata = tmp_path / "userdata_mini"
    userdata.mkdir()
    (userdata / "up_queue_xtquant").touch()

    def names(rested: float, running: list[str]) -> list[str]:
        return [finding.name for finding in connect_findings(userdata, rested, lambda: running)]

    assert names(math.inf, ["explorer.exe"]) == ["no_terminal"]
    assert names(1.0, ["XtMiniQmt.exe"]) == ["session_rest"]
    assert names(math.inf, ["XtMiniQmt.exe"]) == ["other"]
    assert WAIT > 0


def test_a_stop_that_hangs_is_left_behind(
    driver: QmtDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """xttrader's stop can block for ever: it is waited for briefly, said, and the next session opens."""
    monkeypatch.setattr(qmt_session, "STOP_AT_MOST", 0.05)
    calls = QmtCalls(QmtAccount(driver.userdata, NUMBER), SessionIds(tmp_path / "apart", "executor", 9200))
    calls.open(lambda event: None)
    assert calls.probe().ready and calls._session is not None
    let_go = threading.Event()
    monkeypatch.setattr(calls._session._trader, "stop", lambda: let_go.wait(WAIT))
    number = calls._session.number
    calls.close()
    assert f"{number}" in caplog.text and "停不下来" in caplog.text
    calls.open(lambda event: None)
    assert calls.probe().ready and calls._session is not None and calls._session.number != number
    let_go.set()
    calls.close()


class SlowToConnect(QmtCalls):
    """Its first connection comes only when it is let through."""

    def __init__(self, *values: Any) -> None:
        super().__init__(*values)
        self.begun, self.let_through = threading.Event(), threading.Event()

    def _connect(self, number: int, sink: Sink) -> QmtSession:
        if not self.begun.is_set():
            self.begun.set()
            assert self.let_through.wait(WAIT)
        return super()._connect(number, sink)


def test_a_connection_that_comes_late_takes_no_living_ones_place(driver: QmtDriver, tmp_path: Path) -> None:
    """Fault 60: left behind and replaced, it is given up; the news of the link come from the one in use."""
    ids = SessionIds(tmp_path / "apart", "executor", 9100)
    calls = SlowToConnect(QmtAccount(driver.userdata, NUMBER), ids)
    late: list[BrokerEvent] = []
    used: list[BrokerEvent] = []
    lost = threading.Event()

    def heard(event: BrokerEvent) -> None:
        used.append(event)
        if isinstance(event, ReadinessChanged):
            lost.set()

    hung = threading.Thread(target=calls.open, args=(late.append,), daemon=True)
    hung.start()
    assert calls.begun.wait(WAIT)
    calls.close()
    calls.open(heard)
    calls.let_through.set()
    hung.join(WAIT)
    assert calls.probe().ready
    driver.terminal.restart(math.inf)
    assert lost.wait(WAIT) and not late
    calls.close()
