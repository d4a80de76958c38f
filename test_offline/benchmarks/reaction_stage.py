"""A dashboard's engine and screen with somebody who plays producer and executor for them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import tomlkit

from shared_schema.clock import Moment, Stamper, new_epoch
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import (
    ACCOUNT_SIMULATE,
    HEARTBEAT_FOLDER,
    QUOTE,
    RESULTS_FOLDER,
    SIGNAL_SLOT,
    heartbeat_name,
    result_name,
)
from shared_schema.ids import AccountAlias, Code, InstanceId, TradeId
from shared_schema.messages import (
    Account,
    AccountSnapshot,
    Heartbeat,
    MinuteBars,
    OrderResult,
    OrderSignal,
    Position,
    Quote,
    QuoteSnapshot,
    Received,
    decode_signal,
    encode,
    signal_digest,
)
from shared_schema.messages.record import Record
from shared_schema.messages.result import Trade
from shared_schema.sessions import SHANGHAI, trading_day_of

ROOT = Path(__file__).resolve().parents[2]
CODE = Code("159201.SZ")
LOW, HIGH = 1.00, 1.02
"""Prices at which the grid buys its first lot, and sells it."""
BARS = 240
_BEGINS = datetime(2026, 11, 20, 10, 0, tzinfo=SHANGHAI).timestamp()
"""Market time of the first quote: a morning of continuous trading, whenever the benchmark runs."""


@dataclass
class OtherSide:
    """Producer and executor in one: quotes, heartbeats and results of a simulated account."""

    folder: DropFolder
    began: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        self.folder.prepare()
        alias = AccountAlias("main")
        self._executor = Stamper("executor@bench", new_epoch(self.began), "simulate", alias)
        self._producer = Stamper("producer@bench", new_epoch(self.began), "simulate", alias)
        self._ended = threading.Event()

    def quote(self, price: float) -> float:
        """Replace the quote file; the wall seconds at which its rename was done."""
        now = self._now()
        minute = now.market // 60 * 60
        closes = tuple(1.01 + 0.001 * (place % 2) for place in range(BARS))
        bars = MinuteBars(
            time=tuple(minute - 60.0 * (BARS - 1 - place) for place in range(BARS)),
            open=closes,
            high=tuple(close + 0.001 for close in closes),
            low=tuple(close - 0.001 for close in closes),
            close=closes,
            volume=(10_000.0,) * BARS,
        )
        known = Quote(price=price, pre_close=1.01, tick_time=now.market, status="trading")
        body = QuoteSnapshot(code=CODE, price=price, preClose=1.01, quotes={CODE: known}, bars={CODE: bars})
        raw = encode(self._producer.next(now, trading_day_of(now.market)), body)
        self.folder.publish(QUOTE, raw, durable=False)
        return time.time()

    def account(self) -> None:
        """A snapshot that holds more than enough to sell from."""
        held = Position(volume=10_000_000, can_use_volume=10_000_000)
        self._say(
            ACCOUNT_SIMULATE,
            AccountSnapshot(accounts={AccountAlias("main"): Account(positions={CODE: held})}),
        )

    def signal(self, at_most: float = 2.0) -> tuple[float, Received[OrderSignal]] | None:
        """The signal in the slot as soon as a reader can see it, with the wall seconds; None: none came."""
        path, deadline = self.folder.path / SIGNAL_SLOT, time.monotonic() + at_most
        while time.monotonic() < deadline:
            if path.exists():
                at = time.time()
                raw = self.folder.read(SIGNAL_SLOT)
                return (at, decode_signal(raw)) if raw is not None else None
            time.sleep(0.0002)
        return None

    def fill(self, received: Received[OrderSignal]) -> None:
        """Consume ``received`` and answer it as filled."""
        signal = received.body
        fill = Trade(trade_id=TradeId("1"), price=signal.price, shares=signal.shares, time=time.time())
        result = OrderResult(
            signal_id=signal.signal_id,
            status="success",
            state="filled",
            timestamp=time.time(),
            direction=signal.direction,
            requested_shares=signal.shares,
            filled_shares=signal.shares,
            average_price=signal.price,
            trades=(fill,),
            signal_digest=signal_digest(signal, received.envelope),
            revision=1,
            code=signal.code,
            price=signal.price,
            strategy=signal.strategy,
        )
        self.folder.archive(SIGNAL_SLOT, signal.signal_id)
        self._say(f"{RESULTS_FOLDER}/{result_name(signal.signal_id)}", result)

    def beat(self) -> None:
        """The executor's heartbeat."""
        body = Heartbeat(role="executor", instance=InstanceId("bench"), ready=True, state="running")
        self._say(f"{HEARTBEAT_FOLDER}/{heartbeat_name('executor', body.instance)}", body)

    @contextmanager
    def living(self) -> Iterator[None]:
        """Heartbeats every second."""

        def live() -> None:
            while not self._ended.wait(1.0):
                self.beat()

        self.beat()
        thread = threading.Thread(target=live, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _now(self) -> Moment:
        wall = time.time()
        return Moment(wall, _BEGINS + wall - self.began)

    def _say(self, name: str, body: Record) -> None:
        now = self._now()
        self.folder.publish(name, encode(self._executor.next(now, trading_day_of(now.market)), body))


@contextmanager
def running_engine(root: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real engine over ``root/exchange`` that decides at every quote; ended at the end."""
    settings = {
        "shared_dir": str(root / "exchange"),
        "runtime_dir": str(root / "runtime"),
        "log_dir": str(root / "logs"),
        "strategy": {"decide_on": "tick", "overrides": {"cooling_enabled": False}},
    }
    (root / "miniqmt.toml").write_text(tomlkit.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "mac_side.mac_dashboard", "--no-screen", "--quiet"]
    environment = dict(os.environ, MINIQMT_CONFIG=str(root / "miniqmt.toml"), PYTHONPATH=str(ROOT))
    for name in ("RUNTIME_DIR", "LOG_DIR"):
        environment.pop(name, None)
    process = subprocess.Popen(command, cwd=root, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def running_screen(view: Path, columns: int, lines: int) -> Iterator[subprocess.Popen[bytes]]:
    """A real screen on a pseudo-terminal whose other end is read; ended at the end."""
    import fcntl
    import pty
    import struct
    import termios

    master, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    command = [sys.executable, "-m", "mac_side.screen.screen", "--view", str(view)]
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    environment |= {"TERM": "xterm-256color", "PYTHONUTF8": "1"}
    process = subprocess.Popen(command, stdin=inner, stdout=inner, cwd=ROOT, env=environment)
    os.close(inner)

    def read_on() -> None:
        try:
            while os.read(master, 65536):
                pass
        except OSError:
            return  # the screen has closed its terminal

    threading.Thread(target=read_on, daemon=True).start()
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)
        os.close(master)
