"""One executor serves a folder, wherever a second one may run."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared_schema.clock import Moment, Stamper
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import SettingsError
from shared_schema.ids import AccountAlias, Epoch, InstanceId
from shared_schema.messages import Heartbeat, encode
from windows_side.single_instance import refuse_other_executor

NOW = 1_800_000_000.0


def beat(folder: DropFolder, instance: str, at: float, state: str = "ready") -> None:
    stamper = Stamper("executor@other", Epoch("e"), "simulate", AccountAlias("main"))
    body = Heartbeat(role="executor", instance=InstanceId(instance), ready=True, state=state)
    folder.publish(
        f"heartbeat/executor-{instance}.json", encode(stamper.next(Moment(at, at), "2027-01-15"), body)
    )


@pytest.fixture
def folder(tmp_path: Path) -> DropFolder:
    made = DropFolder(tmp_path)
    made.prepare()
    return made


def test_a_living_other_executor_keeps_us_out(folder: DropFolder) -> None:
    """A fresh heartbeat of another instance: we stay out, and say whose it is."""
    beat(folder, "other", NOW - 1)
    with pytest.raises(SettingsError) as refused:
        refuse_other_executor(folder, InstanceId("ours"), 5.0, NOW)
    assert "other" in str(refused.value) and refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("instance", "age", "state"), [("ours", 1, "ready"), ("other", 6, "ready"), ("other", 1, "stopped")]
)
def test_our_own_a_red_and_a_stopped_one_do_not(
    folder: DropFolder, instance: str, age: float, state: str
) -> None:
    """Our own earlier run, a dead executor and one that ended hold nobody up."""
    beat(folder, instance, NOW - age, state)
    refuse_other_executor(folder, InstanceId("ours"), 5.0, NOW)


def test_half_a_heartbeat_holds_nobody_up(folder: DropFolder) -> None:
    """A torn file tells of nobody; the next heartbeat will."""
    folder.publish("heartbeat/executor-other.json", b'{"role": "exec')
    refuse_other_executor(folder, InstanceId("ours"), 5.0, NOW)
