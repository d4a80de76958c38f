"""A host with several accounts: one executor process, a room for each further one, scripts that send."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from commands.own_files import OwnLedger, own_ledgers
from mac_side.bridge_client import Bridge
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import QUOTE, room_name
from shared_schema.ids import AccountAlias
from shared_schema.messages import Quote, QuoteSnapshot, encode
from shared_schema.sessions import trading_day_of
from tests.execution.bench import FUND, envelope_of
from windows_side.brokers.simulated_books import SimulatedBooks
from windows_side.executor_places import files_of

ROOT = Path(__file__).resolve().parents[2]
WAIT = 120.0
SETTINGS = """
shared_dir = 'share'
runtime_dir = 'runtime'
log_dir = 'logs'
[executor]
simulate = true
[limits]
orders_per_second = 50
[accounts.b]
[accounts.b.limits]
max_buy_yuan = 500
orders_per_day = 2
"""


@dataclass
class Stage:
    """The host's place; ``begin`` starts its executor."""

    place: Path
    process: subprocess.Popen[str] | None = None
    said: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.place / "share").mkdir()
        (self.place / "miniqmt.toml").write_text(SETTINGS, encoding="utf-8")
        for alias in ("main", "b"):
            folder = self.folder(alias)
            folder.prepare()
            self.quote(folder)

    @property
    def environment(self) -> dict[str, str]:
        """What each process of the host sees."""
        ours = {name for name in os.environ if name.startswith(("MINIQMT_", "ORDER_EXECUTOR_"))}
        bare = {name: os.environ[name] for name in os.environ.keys() - ours - {"RUNTIME_DIR", "LOG_DIR"}}
        return bare | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}

    def folder(self, alias: str) -> DropFolder:
        """The room of an account; the first one's is the folder itself."""
        share = self.place / "share"
        return DropFolder(share if alias == "main" else share / room_name(AccountAlias(alias)))

    def runtime(self, alias: str) -> Path:
        """Where an account's memory lies."""
        runtime = self.place / "runtime"
        return runtime if alias == "main" else runtime / room_name(AccountAlias(alias))

    def quote(self, folder: DropFolder) -> None:
        """A market at which a buy at 1.26 fills."""
        now = time.time()
        stamp = {"written_at": now, "market_time": now, "trading_day": trading_day_of(now)}
        quote = Quote(
            price=1.25, pre_close=1.25, tick_time=now, ask=(1.25,), ask_volume=(10_000_000,), bid=(1.249,)
        )
        snapshot = QuoteSnapshot(code=FUND, price=1.25, quotes={FUND: quote})
        folder.publish(QUOTE, encode(envelope_of(**stamp), snapshot))

    def begin(self, *arguments: str, **variables: str) -> None:
        """Start the executor."""
        output = self.place / f"executor.{len(self.said)}.out"
        self.said.append(output)
        with output.open("w", encoding="utf-8") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "windows_side.order_executor", *arguments],
                cwd=self.place,
                env=self.environment | variables,
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def end(self, how: int = signal.SIGTERM) -> int:
        """Ask the executor to end, or kill it; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(WAIT)

    def words(self) -> str:
        """What the executors of this stage have said."""
        return "\n".join(path.read_text(encoding="utf-8") for path in self.said)

    def wait(self, is_so: Callable[[], bool]) -> None:
        """Until ``is_so``; fails with the executor's words."""
        until = time.monotonic() + WAIT
        while not is_so():
            assert time.monotonic() < until, self.words()
            time.sleep(0.02)

    def script(self, alias: str, name: str = "script") -> Bridge:
        """A strategy script that names its account."""
        return Bridge(
            self.place / "share",
            name,
            alias,
            runtime_dir=self.place / "scripts",
            wait_for_executor=WAIT,
        )

    def ledger(self, alias: str) -> OwnLedger:
        """The account's ledger."""
        (ledger,) = own_ledgers(self.runtime(alias))
        return ledger

    def at_broker(self, alias: str) -> list[int]:
        """The filled shares of every order in the account's broker's own books."""
        books = SimulatedBooks.existing(files_of(self.runtime(alias), "simulate", alias).simulated_books)
        with closing(books):
            return [order.filled for order in books.orders()]
