"""Live mode as a user starts it: armed, then orders through real processes, the terminal outliving them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from test_offline.fake_qmt.install import is_possible

if not is_possible():
    pytest.skip("xtquant is not installed (requirements-dev.txt)", allow_module_level=True)

from tests.qmt.live_stage import CODE, OPENS, WAIT, LiveStage

TRADES = f'''
import time
from pathlib import Path
from mac_side.bridge_client import Bridge
with Bridge("exchange", "myscript", runtime_dir=Path("script"), wait_for_executor=60) as bridge:
    while "{CODE}" not in bridge.quotes() or time.time() < {{opens}}:
        time.sleep(0.05)
    price = bridge.quotes()["{CODE}"].price
    bought = bridge.buy("{CODE}", price=round(price + 0.003, 3), shares=1000)
    sold = bridge.sell("{CODE}", price=round(price - 0.003, 3), shares=500)
    bought, sold = bought.wait(60), sold.wait(60)
    print("bought", bought.answer, bought.filled_shares)
    print("sold", sold.answer, sold.filled_shares)
    resting = bridge.buy("{CODE}", price=round(price * 0.95, 3), shares=100)
    resting.wait(1)
    cancel = resting.cancel()
    print("cancel", cancel.wait(60).answer, resting.wait(60).state)
'''
ENDS_BY_ITSELF = f'''
import time
from pathlib import Path
from mac_side.bridge_client import Bridge
from mac_side.engine_signals import Terms
with Bridge("exchange", "myscript", runtime_dir=Path("script"), wait_for_executor=60,
            terms=Terms(expires=300.0, cancel_after=2.0)) as bridge:
    while "{CODE}" not in bridge.quotes():
        time.sleep(0.05)
    price = bridge.quotes()["{CODE}"].price
    resting = bridge.buy("{CODE}", price=round(price * 0.94, 3), shares=100)
    print("ended", resting.wait(60).state)
'''
UNKNOWN = f'''
import time
from pathlib import Path
from mac_side.bridge_client import Bridge
with Bridge("exchange", "myscript", runtime_dir=Path("script"), wait_for_executor=60) as bridge:
    while "{CODE}" not in bridge.quotes():
        time.sleep(0.05)
    price = bridge.quotes()["{CODE}"].price
    order = bridge.buy("{CODE}", price=round(price * 0.96, 3), shares=200)
    until = time.time() + 60
    while order.wait(0.5).state != "submitted" and time.time() < until:
        pass
    print("outcome", order.outcome.state)
'''


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[LiveStage]:
    stage = LiveStage(tmp_path / "live")
    yield stage
    stage.close()


@pytest.mark.slow
def test_live_from_arming_to_a_killed_executor(stage: LiveStage) -> None:
    """Not armed: exit 2. Armed: bought, sold, cancelled by a signal and by time; the account complete in the
    folder; killed with an order open and started again: the order is known, nothing is sent twice; SIGTERM
    ends it with 0, a hung native call included."""
    stage.start("terminal")
    control = stage.control()
    refused = stage.start("live-executor")
    assert refused.process.wait(WAIT) == 2 and "miniqmt arm" in refused.last_words()
    armed = stage.arm()
    assert armed.returncode == 0, armed.stdout + armed.stderr
    stage.open_market()
    told = stage.script(TRADES.format(opens=OPENS + 4))
    assert "bought done 1000" in told and "sold done 500" in told, told + stage.words()
    assert "cancel done cancelled" in told, told + stage.words()
    assert control("places") == 3
    told = stage.script(ENDS_BY_ITSELF)
    assert "ended cancelled" in told, told + stage.words()
    assert control("places") == 4
    snapshot = json.loads((stage.root / "exchange" / "account_snapshot.json").read_bytes())
    account = snapshot["accounts"]["main"]
    assert (snapshot["mode"], account["complete"]) == ("live", True)
    assert len(account["orders"]) >= 3 and account["positions"][CODE]["volume"] == 20_500

    control("fault", "place", "minus_one_live", 1)
    assert "outcome submitted" in stage.script(UNKNOWN), "adopted by its tag, although -1 was answered"
    stage.kill_and_restart_executor()
    assert "outcome submitted" in stage.script(UNKNOWN.replace("200", "300"))
    assert control("places") == 6
    # A call that never returns holds a thread of xttrader's pool, which would keep the process for ever.
    control("fault", "place", "lost", 1)
    assert "outcome" in stage.script(UNKNOWN.replace("200", "400").replace("+ 60", "+ 1"))
    assert stage.actors["live-executor"].stop() == 0, stage.words()
    assert stage.actors["live-producer"].stop() == 0, stage.words()
