"""Empty books are a person's deliberate word, never written over books or beside their last good copy."""

from __future__ import annotations

from commands.place import OperateError
from mac_side.bridge_client.signal_ids import FIRST_STRATEGY
from mac_side.single_engine import hold_engine
from mac_side.state_file import LAST_GOOD, StateFile, new_state
from shared_schema.clock import Moment
from shared_schema.errors import StateError
from shared_schema.ids import StrategyName
from tests.commands.hosts import MAIN, Host

BOOKS = "dashboard_state.simulate.json"


def refused(host: Host, *typed: str) -> str:
    """The key of the error the command ends with."""
    problem = host.run("plan", "begin", *typed, "--yes").exception
    assert isinstance(problem, OperateError | StateError), problem
    return problem.key


def test_begin_is_typed_and_gives_the_engine_its_books(host: Host) -> None:
    """BEGIN makes empty books where the engine looks, for its executor's account; anything else nothing."""
    host.heartbeat()
    path = host.runtime / BOOKS
    assert host.run("plan", "begin", "--mode", "simulate", text="no\n").exit_code == 1
    assert not path.exists()
    ended = host.run("plan", "begin", "--mode", "simulate", text="begin\n")
    assert ended.exit_code == 0 and str(path) in ended.output, ended.output
    strategy = StrategyName(FIRST_STRATEGY)
    fresh = new_state(Moment(0.0, 0.0), "simulate", MAIN, strategy, "dashboard@mac")
    state = StateFile(path).load(fresh)
    assert state is not fresh and state.books == fresh.books and state.executor is None
    assert state.writer.startswith("dashboard@")


def test_books_are_never_begun_over_others(host: Host) -> None:
    """Books that stand, their copy alone, a running engine, no mode, a strategy nobody knows: refused."""
    simulated = ("--mode", "simulate")
    path, _ = host.books(counter=41)
    raw = path.read_bytes()
    assert refused(host, *simulated) == "plan.has_books" and path.read_bytes() == raw
    path.rename(path.with_name(BOOKS + LAST_GOOD))
    assert refused(host, *simulated) == "dashboard.state_missing"
    path.with_name(BOOKS + LAST_GOOD).unlink()
    lock = hold_engine(host.runtime, StrategyName(FIRST_STRATEGY))
    assert refused(host, *simulated) == "plan.engine_running"
    lock.release()
    assert refused(host) == "plan.which_mode"
    assert refused(host, *simulated, "--strategy", "etf") == "plan.no_such_strategy"
    assert not path.exists()
