"""``miniqmt pool``: its use in one look, and money freed only by a typed word at the executor's host."""

from __future__ import annotations

import orjson
import pytest

from commands.place import OperateError
from shared_schema.drop_folder.names import POOL
from shared_schema.messages import SharedPool
from tests.commands.hosts import Host
from windows_side.keyboard import FOLDER


def show(host: Host, **fields: float) -> None:
    """The executor's pool file."""
    plain = {"updated_at": host.now, "pool_total": 300_000.0, "pool_code_cap": 200_000.0}
    host.publish(POOL, "executor@win", SharedPool.model_validate({**plain, **fields}))


def test_each_code_and_the_whole_are_shown(host: Host) -> None:
    """Lots, open buys, profit, the share of the pool; and that nothing shows where there is none."""
    assert "pool_yuan" in host.run("pool").output
    show(host, used_159201=66_000.0, frozen_159201=210.0, acc_alpha_159201=52.5, used_512890=30_000.0)
    shown = host.run("pool").output
    for part in ("300,000", "96,210.00", "32%", "159201", "66,000.00", "210.00", "52.50", "512890"):
        assert part in shown, part


def test_freeing_needs_a_reason_a_running_executor_and_the_word(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused without each; then one typed order lies before the executor."""
    show(host, used_159201=66_000.0)

    def refused(*typed: str) -> str:
        problem = host.run("pool", "--free", "159201.SZ", *typed).exception
        assert isinstance(problem, OperateError), problem
        return problem.key

    assert refused("--yes") == "pool.no_reason"
    assert refused("--reason", "sold by hand", "--yes") == "pool.no_executor"
    host.ledger("simulate-1")
    host.heartbeat("simulate-1")
    words = ("pool", "--free", "159201.SZ", "--reason", "sold by hand")
    assert host.run(*words, text="no\n").exit_code == 1
    taken: list[dict[str, object]] = []

    def take(runtime: object, typed: object, wait: float) -> bool:
        taken.append(orjson.loads(typed.model_dump_json()))  # type: ignore[attr-defined]
        return True

    monkeypatch.setattr("commands.pool.type_and_watch", take)
    ended = host.run(*words, text="FREE\n")
    assert ended.exit_code == 0, ended.output
    (typed,) = taken
    assert (typed["kind"], typed["code"], typed["reason"]) == ("free_pool", "159201.SZ", "sold by hand")
    assert not list((host.runtime / FOLDER).glob("*")) if (host.runtime / FOLDER).exists() else True
