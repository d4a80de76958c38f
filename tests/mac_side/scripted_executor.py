"""An executor for tests: answers signals in a real folder as the contract says, when it is asked to."""

from __future__ import annotations

from pathlib import Path

from shared_schema.clock import Moment, Stamper
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER, RESULTS_FOLDER, heartbeat_name, result_name
from shared_schema.ids import AccountAlias, Epoch, InstanceId, Mode
from shared_schema.messages import Heartbeat, OrderResult, decode_signal, encode, signal_digest
from shared_schema.sessions import trading_day_of


class ScriptedExecutor:
    """Lives in a folder; ``beat`` shows that it is alive, ``answer_all`` consumes and fills signals."""

    def __init__(self, path: Path, wall: float, mode: Mode = "simulate", account: str = "main") -> None:
        self.folder = DropFolder(path)
        self.folder.prepare()
        self.wall = wall
        self.instance = InstanceId("scripted")
        self.stamper = Stamper("executor@test", Epoch("e1"), mode, AccountAlias(account))
        self.consumed: list[str] = []

    def beat(self, **fields: object) -> None:
        """Write a heartbeat now."""
        body = Heartbeat.model_validate(
            {"role": "executor", "instance": self.instance, "ready": True, "state": "running", **fields}
        )
        self._publish(f"{HEARTBEAT_FOLDER}/{heartbeat_name('executor', self.instance)}", body)

    def answer_all(self, state: str = "filled", part: float = 1.0, error_code: str = "") -> None:
        """Archive every waiting signal and write its result."""
        for found in self.folder.signals():
            raw = self.folder.read(found.name.text)
            assert raw is not None
            signal = decode_signal(raw)
            ended = state in ("filled", "cancelled", "rejected", "partly_cancelled")
            filled = int(signal.body.shares * part) if state in ("filled", "partly_cancelled") else 0
            status = ("success" if filled or signal.body.is_cancel else "failed") if ended else "pending"
            body = OrderResult.model_validate(
                {
                    "signal_id": signal.body.signal_id,
                    "status": status,
                    "state": state,
                    "timestamp": self.wall,
                    "direction": signal.body.direction,
                    "requested_shares": signal.body.shares,
                    "filled_shares": filled,
                    "trades": [{"trade_id": "t1", "price": signal.body.price, "shares": filled, "time": self.wall}]  # noqa: E501
                    if filled
                    else [],
                    "signal_digest": signal_digest(signal.body, signal.envelope),
                    "revision": len(self.consumed) + 1,
                    "signal_epoch": signal.envelope.epoch if signal.envelope else None,
                    "signal_seq": signal.envelope.seq if signal.envelope else None,
                    "strategy": signal.body.strategy,
                    "error_code": error_code,
                }
            )
            self._publish(f"{RESULTS_FOLDER}/{result_name(signal.body.signal_id)}", body)
            self.folder.archive(found.name.text, signal.body.signal_id)
            self.consumed.append(signal.body.signal_id)

    def _publish(self, name: str, body) -> None:  # type: ignore[no-untyped-def]
        envelope = self.stamper.next(Moment(self.wall, self.wall), trading_day_of(self.wall))
        self.folder.publish(name, encode(envelope, body, self.folder.key))
