"""Two dashboards on two codes over one executor and one pool, as real processes, the executor killed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import orjson
import tomlkit

from commands.demo_room.actors import (
    STARTS_WITHIN,
    Actor,
    await_that,
    check_alive,
    heartbeat,
    start,
    stop_all,
)
from commands.demo_room.ending import have_seen, newest_quote, newest_quote_seq, open_orders, replay_is_over
from commands.demo_room.plan import Plan, make_plan
from commands.demo_room.stage import ACCOUNT, Stage, set_stage
from mac_side.state_file import DashboardState, StateFile, new_state
from shared_schema.bars_file import read_bars
from shared_schema.clock import Moment
from shared_schema.drop_folder.names import ACCOUNT_LIVE, POOL, state_name
from shared_schema.ids import AccountAlias, StrategyName
from shared_schema.sample import make_sample_bars
from shared_schema.shanghai import day_of

BARS_KEPT = 26
"""Minutes that are replayed: enough for both to buy and sell."""
POOL_YUAN, CODE_YUAN = 120_000.0, 80_000.0
SAMPLES = Path(make_sample_bars.__file__).parent
STRATEGIES = ("grid", "second")


@dataclass(frozen=True)
class Ended:
    """One run after its end."""

    stage: Stage
    states: tuple[DashboardState, ...]
    pool: dict[str, float]
    signal_files: frozenset[str]
    """Names under which signals were seen consumed."""


def short_plan(folder: Path, code: str) -> Plan:
    """A grid for the first minutes of the last day of the shipped sample of ``code``."""
    sample = SAMPLES / f"sample_{code}.csv"
    bars = read_bars(sample)
    last = day_of(bars[-1].end)
    keep = sum(1 for bar in bars if day_of(bar.end) < last) + BARS_KEPT
    lines = [line for line in sample.read_text("utf-8").splitlines() if line]
    head = [line for line in lines if not line[0].isdigit()]
    body = [line for line in lines if line[0].isdigit()]
    path = folder / sample.name
    path.write_text("\n".join([*head, *body[:keep]]) + "\n", encoding="utf-8")
    return make_plan(path, "", last, None, 1.0)


def run(folder: Path, kill_after: int) -> Ended:
    """Play the morning, kill the executor after so many quotes, start it again, let all settle."""
    plans = [short_plan(folder, code) for code in ("159201", "512890")]
    stage = set_stage(plans[0], folder)
    _set_second(stage, plans)
    actors = _start(stage, plans)
    try:
        deadline = time.monotonic() + 300
        while newest_quote_seq(stage) < kill_after:
            check_alive(actors)
            assert time.monotonic() < deadline, "the replay stands still"
            time.sleep(0.001)
        actors["executor"].kill()
        actors["executor"] = start(
            stage, "executor", "windows", ["windows_side/order_executor.py", "--sessions"]
        )
        deadline = time.monotonic() + 300
        while not replay_is_over(stage):
            check_alive(actors)
            assert time.monotonic() < deadline, "it never ends"
            time.sleep(0.05)
        last = newest_quote(stage)
        while not (have_seen(stage, last) and _settled(stage)):
            check_alive(actors)
            assert time.monotonic() < deadline, "it never settles"
            time.sleep(0.05)
    finally:
        stop_all(actors)
    pool = orjson.loads((stage.exchange / POOL).read_bytes())
    done = frozenset(path.name for path in (stage.exchange / "order_signal_done").iterdir())
    return Ended(stage, tuple(_state(stage, name) for name in STRATEGIES), pool, done)


def _set_second(stage: Stage, plans: list[Plan]) -> None:
    """Both hosts' settings know two codes and one pool; the second strategy brings its own books."""
    for host in ("mac", "windows"):
        path = stage.root / f"{host}.toml"
        settings = tomlkit.parse(path.read_text("utf-8")).unwrap()
        settings["limits"] |= {
            "allow_list": [plan.code for plan in plans],
            "pool_yuan": POOL_YUAN,
            "pool_code_yuan": CODE_YUAN,
        }
        settings["producer"]["codes"] = [plan.code for plan in plans]
        first = settings["strategy"]
        further = {name: value for name, value in first.items() if name != "name"}
        settings["strategies"] = {"second": further | {"symbol": plans[1].code}}
        path.write_text(tomlkit.dumps(settings), encoding="utf-8")
    books = {"last_buy_price": plans[1].anchor, "positions": [], "fixed_volume": plans[1].base_shares}
    _books(stage, "second").write_bytes(orjson.dumps(books))


def _books(stage: Stage, name: str) -> Path:
    strategy = None if name == "grid" else StrategyName(name)
    return stage.runtime("mac") / state_name(strategy, "simulate")


def _start(stage: Stage, plans: list[Plan]) -> dict[str, Actor]:
    arguments = ["windows_side/bridge_producer.py", "--day", plans[0].day, "--speed", "max", "--lockstep"]
    # Both strategies must be there: a market that began with one could be over before the other came.
    arguments += ["--wait-for", ",".join(["executor", *["dashboard"] * len(plans)])]
    arguments += ["--wait-at-most", f"{STARTS_WITHIN:g}"]
    for plan in plans:
        arguments += ["--replay", str(plan.csv.absolute()), "--code", plan.code]
        arguments += ["--start-position", f"{plan.code}={plan.base_shares}@{plan.base_price}"]
    actors = {"producer": start(stage, "producer", "windows", arguments)}
    try:
        await_that(actors, lambda: (stage.exchange / ACCOUNT_LIVE).exists(), "account snapshot")
        actors["executor"] = start(
            stage, "executor", "windows", ["windows_side/order_executor.py", "--sessions"]
        )
        actors["dashboard"] = start(stage, "dashboard", "mac", ["mac_side/mac_dashboard.py", "--no-screen"])
        await_that(actors, lambda: heartbeat(stage, "dashboard") is not None, "dashboard")
    except BaseException:
        stop_all(actors)
        raise
    return actors


def _state(stage: Stage, name: str) -> DashboardState:
    fresh = new_state(Moment(0.0, 0.0), "simulate", AccountAlias(ACCOUNT), StrategyName(name), "test@here")
    return StateFile(_books(stage, name)).load(fresh)


def _settled(stage: Stage) -> bool:
    return not any(_state(stage, name).outbox.open for name in STRATEGIES) and open_orders(stage) == 0
