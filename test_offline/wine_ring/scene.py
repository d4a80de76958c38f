"""Producer and executor as Windows processes over one folder, readers that hold files, a strategy here."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import tomlkit

from commands.demo_room.plan import SAMPLE
from mac_side.bridge_client import Bridge
from mac_side.bridge_client.bridge import Outcome
from shared_schema.drop_folder.names import ACCOUNT_LIVE, ACCOUNT_SIMULATE
from test_offline.wine_ring.windows_python import WindowsPython, windows_path

CODE = "159201.SZ"
READERS = 2
PATIENCE = 300.0
"""Seconds: a first start under Wine, nothing of it cached. A process that ends is seen at once."""


@dataclass
class Scene:
    """Where everything of one run lies, and the Windows processes of it."""

    root: Path
    python: WindowsPython
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def exchange(self) -> Path:
        """The exchange folder."""
        return self.root / "exchange"

    @property
    def errors(self) -> Path:
        """The file errors that either Windows process met."""
        return self.root / "errors.txt"

    @property
    def ledger(self) -> Path:
        """The Windows side's private folder."""
        return self.root / "windows"

    def prepare(self) -> None:
        """Folders, and the settings file that both Windows processes read."""
        for folder in (self.exchange, self.ledger, self.root / "mac", self.root / "logs"):
            folder.mkdir(parents=True)
        settings = {
            "shared_dir": windows_path(self.exchange),
            "log_dir": windows_path(self.root / "logs"),
            "runtime_dir": windows_path(self.ledger),
            "account": {"alias": "wine"},
            # The live counter has one place on a machine: each scene is a machine of its own.
            "executor": {"simulate": True, "counter_dir": windows_path(self.root / "counter")},
            # More signals than a day has, back and forth on purpose: the limits have tests of their own.
            "limits": {
                "allow_list": [CODE],
                "turnover_yuan": 1e8,
                "pool_yuan": 0.0,
                "orders_per_second": 20,
                "round_trips": 10_000,
            },
            "producer": {"codes": [CODE]},
        }
        (self.root / "windows.toml").write_text(tomlkit.dumps(settings), encoding="utf-8")

    def start(
        self, role: str, *arguments: str, counted: bool = True, more: dict[str, str] | None = None
    ) -> None:
        """Start ``arguments`` as a Windows process; its output goes to a file."""
        wrapper = ("test_offline/wine_ring/counted.py", windows_path(self.errors)) if counted else ()
        more = {"MINIQMT_CONFIG": windows_path(self.root / "windows.toml"), **(more or {})}
        process = self.processes[role] = self.python.start(*wrapper, *arguments, more=more)
        threading.Thread(target=self._keep_words, args=(role, process), daemon=True).start()

    def _keep_words(self, role: str, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with (self.root / f"{role}.out").open("ab", buffering=0) as output:
            while printed := process.stdout.read1():  # type: ignore[attr-defined]
                output.write(printed)

    def kill(self, role: str) -> None:
        """End a process as a crash would."""
        process = self.processes.pop(role)
        process.kill()
        process.wait()

    def start_executor(self) -> None:
        """The simulating executor."""
        self.start("executor", "windows_side/order_executor.py")

    def words(self, role: str) -> str:
        """What a process printed so far, as UTF-8."""
        output = self.root / f"{role}.out"
        return output.read_bytes().decode("utf-8") if output.exists() else ""

    def errors_met(self) -> Counter[str]:
        """How often each file error was met."""
        return Counter(self.errors.read_text().split("\n")[:-1]) if self.errors.exists() else Counter()


@contextlib.contextmanager
def scene(root: Path, python: WindowsPython) -> Iterator[Scene]:
    """A scene with producer, executor and the readers running; everything is ended at the end."""
    place = Scene(root, python)
    place.prepare()
    replay = ("--replay", windows_path(SAMPLE), "--code", CODE, "--speed", "5")
    position = ("--start-position", f"{CODE}=2000000@1.05")
    try:
        place.start("producer", "windows_side/bridge_producer.py", *replay, *position)
        # The simulated books begin with this snapshot: an executor that is quicker owns nothing to sell.
        wait_until(lambda: (place.exchange / ACCOUNT_LIVE).exists(), place)
        place.start_executor()
        for number in range(READERS):
            stop = windows_path(root / "stop")
            holder = ("test_offline/wine_ring/holder.py", windows_path(place.exchange), str(number), stop)
            place.start(f"reader{number}", *holder, counted=False)
        wait_until(lambda: (place.exchange / ACCOUNT_SIMULATE).exists(), place)
        yield place
    finally:
        (root / "stop").touch()
        for role in [name for name in place.processes if name.startswith("reader")]:
            with contextlib.suppress(subprocess.TimeoutExpired):
                place.processes[role].wait(10)
        for role in list(place.processes):
            place.kill(role)


def trade(place: Scene, signals: int, kill_after: int) -> list[Outcome]:
    """Send ``signals`` buys and sells from this host, one by one; the executor is killed once between."""
    outcomes = []
    with Bridge(place.exchange, "wine", runtime_dir=place.root / "mac", wait_for_executor=PATIENCE) as bridge:
        for number in range(signals):
            price = _price(bridge, place)  # the market goes on: that of the start trades no more in a while
            send = bridge.buy if number % 2 else bridge.sell
            # A price that trades at once: a tick worse than the market, inside every limit.
            handle = send(CODE, round(price * (1.01 if number % 2 else 0.99), 3), 1000 + 100 * number)
            if number == kill_after:
                place.kill("executor")
                place.start_executor()
            outcomes.append(handle.wait(PATIENCE))
    return outcomes


def _price(bridge: Bridge, place: Scene) -> float:
    wait_until(lambda: bool(bridge.quotes()), place)
    return next(iter(bridge.quotes().values())).price


def wait_until(condition: Callable[[], bool], place: Scene, at_most: float = PATIENCE) -> None:
    """Wait for ``condition``. Raises RuntimeError where a process ended, TimeoutError after ``at_most`` s."""
    deadline = time.monotonic() + at_most
    while not condition():
        for role, process in place.processes.items():
            if process.poll() is not None:
                raise RuntimeError(f"{role} ended with {process.returncode}: {place.words(role)[-3000:]}")
        if time.monotonic() > deadline:
            said = {role: place.words(role)[-1500:] for role in place.processes}
            raise TimeoutError(f"waited {at_most} s in vain: {said}")
        time.sleep(0.05)
