"""A host for the tests of the operating commands: real files, a real ledger, real books."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from commands.main import app_for
from mac_side.bridge_client.signal_ids import FIRST_STRATEGY
from mac_side.state_file import DashboardState, StateFile, new_state
from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER, RESULTS_FOLDER, heartbeat_name, result_name
from shared_schema.ids import (
    AccountAlias,
    Code,
    Epoch,
    InstanceId,
    LedgerId,
    OrderId,
    SignalId,
    StrategyName,
    TradeId,
)
from shared_schema.messages import Envelope, Heartbeat, OrderResult, OrderSignal, Record, State, Trade, encode
from shared_schema.sessions import trading_day_of
from windows_side.execution.halt_latch import HaltLatch
from windows_side.execution.ledger import HALT, WRITERS, Change, JournalEntry, new_meta
from windows_side.execution.order import Order
from windows_side.execution.sqlite_ledger import SqliteLedger
from windows_side.executor_places import files_of

IDENTITY = SignalId("BUY_159201.SZ_L1_1a2b3c4d")
MAIN = AccountAlias("main")


@dataclass
class Host:
    """One host: the folder it shares, its RUNTIME_DIR and LOG_DIR, and what the tests lay there."""

    folder: DropFolder
    runtime: Path
    logs: Path
    now: float
    seq: int = 0

    def run(self, *typed: str, text: str | None = None) -> Any:
        """Run a command line as ``miniqmt`` would; ``text`` is what the person types."""
        return CliRunner().invoke(app_for(typed), list(typed), input=text)

    def envelope(self, writer: str, *, age: float = 0.0) -> Envelope:
        """The next envelope of a simulating writer, ``age`` seconds old."""
        self.seq += 1
        at = self.now - age
        return Envelope(
            writer=writer,
            epoch=Epoch("000000000001-aaaa"),
            seq=self.seq,
            written_at=at,
            market_time=at,
            trading_day=trading_day_of(at),
            mode="simulate",
            account=MAIN,
        )

    def publish(
        self, name: str, writer: str, body: Record, *, age: float = 0.0, market_ago: float = 0.0
    ) -> bytes:
        """Put a record into the folder; ``market_ago``: seconds its market clock is behind."""
        head = self.envelope(writer, age=age)
        market = head.market_time - market_ago
        replayed = {"market_time": market, "trading_day": trading_day_of(market)}
        raw = encode(head.model_copy(update=replayed), body)
        self.folder.publish(name, raw)
        return raw

    def heartbeat(
        self,
        instance: str = "simulate-1",
        *,
        halt_since: float | None = None,
        age: float = 0.0,
        state: str = "ready",
        market_ago: float = 0.0,
    ) -> None:
        """An executor's heartbeat."""
        body = Heartbeat(
            role="executor",
            instance=InstanceId(instance),
            ready=True,
            state=state,
            accounts=(MAIN,),
            ledger_id=LedgerId("l"),
            halt_since=halt_since,
        )
        name = f"{HEARTBEAT_FOLDER}/{heartbeat_name('executor', body.instance)}"
        self.publish(name, "executor@win", body, age=age, market_ago=market_ago)

    def result(self, state: State = "filled", filled: int = 2200) -> OrderResult:
        """A result in the folder."""
        trades = (Trade(trade_id=TradeId("7"), price=1.2, shares=filled, time=self.now),) if filled else ()
        body = OrderResult(
            signal_id=IDENTITY,
            status="pending" if state == "unknown" else "success",
            timestamp=self.now,
            requested_shares=2200,
            filled_shares=filled,
            state=state,
            revision=3,
            trades=trades,
        )
        self.publish(f"{RESULTS_FOLDER}/{result_name(IDENTITY)}", "executor@win", body)
        return body

    def answers(self, *codes: str, strategy: str = "grid", day_ago: int = 0) -> None:
        """A result for each error code, just now, oldest first; "" is a fill."""
        for place, code in enumerate(codes):
            at = self.now - day_ago * 86_400 - (len(codes) - place) / 1000
            body = OrderResult(
                signal_id=SignalId(f"SELL_159201.SZ_L1_{len(strategy) + day_ago:04x}{place:04x}"),
                status="failed" if code else "success",
                timestamp=at,
                requested_shares=100,
                filled_shares=0 if code else 100,
                trades=() if code else (Trade(trade_id=TradeId("7"), price=1.2, shares=100, time=at),),
                state="rejected" if code else "filled",
                revision=1,
                error_code=code,
                message=f"no heartbeat of dashboard@{strategy}" if code else "",
                strategy=StrategyName(strategy),
            )
            self.publish(f"{RESULTS_FOLDER}/{result_name(body.signal_id)}", "executor@win", body)

    def ledger(
        self,
        instance: str = "simulate-1",
        *,
        halts: dict[str, bytes | None] | None = None,
        market_ago: float = 0.0,
    ) -> Path:
        """This host's executor's ledger: one filled order with its journal, and the halts it has latched.

        ``market_ago``: seconds the market's clock is behind, as in a replay.
        """
        path = files_of(self.runtime, "simulate", "main").ledger
        meta = {**new_meta("simulate", "main", "win", "e"), "instance": instance}
        ledger = SqliteLedger(path, lambda: meta)
        market = self.now - market_ago
        trade = Trade(trade_id=TradeId("7"), price=1.2, shares=2200, time=market + 0.030)
        order = Order(
            IDENTITY,
            "digest",
            signal(self.now),
            "filled",
            self.now + 0.010,
            market + 0.010,
            trading_day_of(market),
            trades=(trade,),
            order_id=OrderId("o1"),
            revision=3,
            calling_at=self.now + 0.012,
            changed_at=self.now + 0.040,
            changed_market=market + 0.040,
        )
        journal = (
            JournalEntry(self.now + 0.012, IDENTITY, "calling", "submitted"),
            JournalEntry(self.now + 0.040, IDENTITY, "order_update", "56"),
        )
        latch = HaltLatch().seeing(halts or {}, self.now)
        ledger.commit(Change((order,), {HALT: latch.to_json(), WRITERS: {"grid": "dashboard@mac"}}, journal))
        ledger.close()
        return path

    def books(self, executor: str | None = "simulate-old", **changes: object) -> tuple[Path, DashboardState]:
        """This host's simulated books."""
        moment = Moment(self.now, self.now)
        fresh = new_state(moment, "simulate", MAIN, FIRST_STRATEGY, "dashboard@mac")
        bound = InstanceId(executor) if executor else None
        path = self.runtime / "dashboard_state.simulate.json"
        state = replace(fresh, executor=bound, strategy=StrategyName(FIRST_STRATEGY), **changes)  # type: ignore[arg-type]
        saved, _ = StateFile(path).save(state, moment, trading_day_of(self.now))
        return path, saved


def signal(now: float, identity: SignalId = IDENTITY) -> OrderSignal:
    """A signal decided at ``now``."""
    return OrderSignal(
        signal_id=identity,
        code=Code("159201.SZ"),
        direction="BUY",
        price=1.2,
        shares=2200,
        timestamp=now,
        strategy=FIRST_STRATEGY,
        executor=InstanceId("simulate-1"),
        reason="layer 1",
    )


def make_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A fresh host whose settings name a folder in ``tmp_path``."""
    share = tmp_path / "share"
    share.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINIQMT_SHARED_DIR", str(share))
    monkeypatch.setenv("RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("LOG_DIR", str(tmp_path / "logs"))
    (tmp_path / "runtime").mkdir()
    folder = DropFolder(share)
    folder.prepare()
    return Host(folder, tmp_path / "runtime", tmp_path / "logs", time.time())
