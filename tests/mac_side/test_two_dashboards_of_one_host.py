"""The risk: a dashboard started elsewhere has another RUNTIME_DIR, empty books and the same writer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mac_side import single_engine
from mac_side.dashboard_processes import Engines
from mac_side.other_dashboard import refuse_beside_another
from mac_side.single_engine import EngineHeld
from shared_schema.ids import InstanceId, StrategyName
from tests.mac_side.test_engine_over_a_folder import Desk, anchored

GRID, SECOND = StrategyName("grid"), InstanceId("second")
RED_AFTER = 5.0


def refuse(desk: Desk, own: InstanceId = SECOND, strategy: StrategyName = GRID) -> None:
    """What a dashboard that starts now asks first."""
    refuse_beside_another(desk.executor.folder, strategy, own, RED_AFTER, desk.clock)


def test_a_second_one_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    """By its heartbeat, whatever RUNTIME_DIR it works in; itself and other strategies it hinders not."""
    desk = Desk(tmp_path)
    anchored(desk)
    with pytest.raises(EngineHeld) as told:
        refuse(desk)
    assert "dashboard@mac (dash)" in str(told.value) and told.value.key == "dashboard.engine_elsewhere"
    refuse(desk, own=InstanceId("dash"))
    refuse(desk, strategy=StrategyName("dividend"))


def test_one_that_ended_or_fell_silent_keeps_nobody_out(tmp_path: Path) -> None:
    """Stopped: at once. Killed: when its heartbeat is red, also where its clock was ahead."""
    desk = Desk(tmp_path)
    engine = anchored(desk)
    engine.end()
    refuse(desk)
    killed = anchored(desk)
    assert killed.core is not None
    with pytest.raises(EngineHeld):
        refuse(desk)
    desk.clock += RED_AFTER + 1
    refuse(desk)
    desk.clock -= 2 * (RED_AFTER + 1)
    refuse(desk)


def test_a_copy_of_the_install_bears_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copied to another host, neither starts beside the other; a restart here waits for nobody."""
    desk = Desk(tmp_path)
    named = {}
    for host, runtime in (("mac", "run"), ("mac", "run"), ("mac-2", "copy")):
        monkeypatch.setattr(single_engine, "host_name", lambda host=host: host)
        named[host] = single_engine.instance_of(tmp_path / runtime, GRID)
        if host == "mac":
            shutil.copytree(tmp_path / "run", tmp_path / "copy", dirs_exist_ok=True)
    assert named["mac"] != named["mac-2"]
    desk.turn(desk.engine(instance=named["mac"]))
    refuse(desk, own=named["mac"])
    with pytest.raises(EngineHeld):
        refuse(desk, own=named["mac-2"])


@pytest.mark.slow
def test_why_an_engine_ended_behind_the_screen_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What it prints under a screen goes with the screen: it is printed again once that is gone."""
    engines = Engines(["--shared-dir", str(tmp_path / "away")])
    assert engines.start(tmp_path / "runtime", [GRID], quiet=True) == []
    assert engines.running[GRID].wait(60) == 2
    assert capfd.readouterr().err == ""
    engines.repeat_last_words()
    assert str(tmp_path / "away") in capfd.readouterr().err
