"""Two real accounts at one terminal, one executor and one producer for both, over the stand-in terminal."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from test_offline.fake_qmt.install import is_possible

if not is_possible():
    pytest.skip("xtquant is not installed (requirements-dev.txt)", allow_module_level=True)

from tests.qmt.live_stage import CODE, OPENS, WAIT, LiveStage

OTHER = "88005678"
TRADES = f'''
import time
from pathlib import Path
from mac_side.bridge_client import Bridge
for alias, shares in (("main", 1000), ("b", 300)):
    with Bridge("exchange", "myscript", alias, runtime_dir=Path("script"), wait_for_executor=60) as bridge:
        while "{CODE}" not in bridge.quotes() or time.time() < {OPENS + 4}:
            time.sleep(0.05)
        price = bridge.quotes()["{CODE}"].price
        bought = bridge.buy("{CODE}", price=round(price + 0.003, 3), shares=shares).wait(60)
        print(alias, bought.answer, bought.filled_shares)
'''


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[LiveStage]:
    """A terminal with two accounts; only the first is armed at the beginning."""
    stage = LiveStage(tmp_path / "live", {"b": OTHER})
    yield stage
    stage.close()


@pytest.mark.slow
def test_each_account_is_armed_and_trades_for_itself(stage: LiveStage) -> None:
    """Not armed, b stays out while main goes on; armed with its own number both trade, each at its own
    counter and under session ids of its own; each room shows its own account alone."""
    stage.start("terminal")
    armed = stage.arm()
    assert armed.returncode == 0, armed.stdout + armed.stderr
    stage.start("live-executor")
    executor = stage.actors["live-executor"]
    out = stage.root / "live-executor.out"
    wait_for(lambda: "[b] 这个账户停止工作" in out.read_text("utf-8"), stage)
    assert executor.is_alive and "继续工作的账户：main" in out.read_text("utf-8")
    executor.stop()
    assert stage.arm("--account", "b").returncode != 0, "the number of another account arms nothing"
    armed = stage.arm("--account", "b", number=OTHER)
    assert armed.returncode == 0, armed.stdout + armed.stderr
    stage.open_market()
    told = stage.script(TRADES)
    assert "main done 1000" in told and "b done 300" in told, told + stage.words()
    wait_for(lambda: [held(stage, alias) for alias in ("main", "b")] == [21_000, 20_300], stage)
    for alias in ("main", "b"):
        snapshot = snapshot_of(stage, alias)
        assert (list(snapshot["accounts"]), snapshot["mode"]) == ([alias], "live")
        assert len(snapshot["accounts"][alias]["orders"]) == 1
    text = json.dumps([snapshot_of(stage, alias) for alias in ("main", "b")])
    assert OTHER not in text, "no account number ever crosses the folder"
    assert stage.actors["live-executor"].stop() == 0, stage.words()
    assert stage.actors["live-producer"].stop() == 0, stage.words()


def snapshot_of(stage: LiveStage, alias: str) -> dict[str, Any]:
    """The real account as the producer shows it in the account's room."""
    room = stage.root / "exchange" if alias == "main" else stage.root / "exchange" / "accounts" / alias
    return json.loads((room / "account_snapshot.json").read_bytes())  # type: ignore[no-any-return]


def held(stage: LiveStage, alias: str) -> int:
    """Shares of the code in the account's room."""
    positions = snapshot_of(stage, alias)["accounts"][alias]["positions"]
    return int(positions[CODE]["volume"]) if CODE in positions else 0


def wait_for(is_so: Any, stage: LiveStage) -> None:
    """Until ``is_so``; fails with everybody's words."""
    until = time.monotonic() + WAIT
    while not is_so():
        assert time.monotonic() < until, stage.words()
        time.sleep(0.05)
