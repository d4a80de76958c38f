"""Signal file renamed to broker submit and to its result: ours, floor and TCP in alternating blocks."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from shared_schema.disk import LocalDisk
from shared_schema.drop_folder.names import DONE_FOLDER, RESULTS_FOLDER
from shared_schema.errors import FolderError, MessageError
from shared_schema.logs import read_actions
from shared_schema.messages import decode_result
from shared_schema.watch import FolderWatch
from test_offline.benchmarks.bench_folder import BenchFolder, running_executor
from test_offline.benchmarks.figures import Figures, machine, show
from test_offline.benchmarks.floor import floor_receiver, floor_times
from test_offline.benchmarks.tcp_service import TcpClient, tcp_service

BLOCK = 100
LONGEST_GAP = 0.1
"""Seconds between two signals at most, unless told otherwise: long enough for each to be alone."""


@dataclass(frozen=True)
class Gaps:
    """Rests of random length between two signals."""

    dice: random.Random
    longest: float

    def rest(self) -> None:
        """Wait for the next signal."""
        time.sleep(self.dice.random() * self.longest)


class NotingDisk(LocalDisk):
    """Notes when it began to publish and when the file had its name: the folder's fsync comes after that."""

    began = renamed = 0.0

    def create(self, path: Path, data: bytes) -> None:
        self.began = time.time()
        super().create(path, data)

    def replace(self, source: Path, target: Path) -> None:
        super().replace(source, target)
        self.renamed = time.time()


class ResultReader:
    """The strategy side: notes when each result is first readable and terminal."""

    def __init__(self, bench: BenchFolder) -> None:
        self._folder = bench.folder
        self._watch = FolderWatch(bench.folder.path / RESULTS_FOLDER, 0.05)
        self.wanted: set[str] = set()
        self.first: dict[str, float] = {}
        self.terminal: dict[str, float] = {}
        self.ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self.ended:
            for signal_id in list(self.wanted):
                self._look(signal_id)
            self._watch.wait()

    def _look(self, signal_id: str) -> None:
        try:
            raw = self._folder.read(f"{RESULTS_FOLDER}/order_result_{signal_id}.json")
            result = decode_result(raw).body if raw is not None else None
        except (FolderError, MessageError):
            return
        if result is None:
            return
        now = time.time()
        self.first.setdefault(signal_id, now)
        if result.is_terminal:
            self.terminal.setdefault(signal_id, now)
            self.wanted.discard(signal_id)

    def close(self) -> None:
        """End the thread."""
        self.ended = True
        self._watch.wake()
        self._thread.join(2)
        self._watch.stop()


def measure(count: int, tool: str, seed: int, longest_gap: float = LONGEST_GAP) -> list[Figures]:
    """Rows: ours to submit, ours to first and terminal result, floor, TCP to call and to answer."""
    gaps = Gaps(random.Random(seed), longest_gap)
    with tempfile.TemporaryDirectory(prefix="miniqmt-bench-") as place:
        root = Path(place)
        renamed: dict[str, float] = {}
        floor_began: dict[str, float] = {}
        floor_renamed: dict[str, float] = {}
        tcp: list[tuple[float, float]] = []
        with (
            running_executor(root, tool) as bench,
            floor_receiver(root) as floor_folder,
            tcp_service(root) as client,
        ):
            reader = ResultReader(bench)
            noting = NotingDisk()
            bench.folder.disk = floor_folder.disk = noting
            for block in range(0, count, BLOCK):
                numbers = range(block, min(block + BLOCK, count))
                _ours(bench, noting, reader, numbers, renamed, gaps)
                for number in numbers:
                    name, raw = bench.signal(10**6 + number)
                    floor_folder.publish(name, raw)
                    floor_began[name], floor_renamed[name] = noting.began, noting.renamed
                    gaps.rest()
                tcp += [_tcp(client, bench, number, gaps) for number in numbers]
            time.sleep(0.5)
            reader.close()
        return _rows(root, renamed, floor_began, floor_renamed, tcp, reader)


def _ours(
    bench: BenchFolder,
    noting: NotingDisk,
    reader: ResultReader,
    numbers: range,
    renamed: dict[str, float],
    gaps: Gaps,
) -> None:
    for number in numbers:
        name, raw = bench.signal(number)
        signal_id = name.removeprefix("order_signal_").removesuffix(".json")
        reader.wanted.add(signal_id)
        bench.folder.publish(name, raw)
        renamed[signal_id] = noting.renamed
        gaps.rest()
    deadline = time.monotonic() + 10
    while reader.wanted and time.monotonic() < deadline:
        time.sleep(0.01)


def _tcp(client: TcpClient, bench: BenchFolder, number: int, gaps: Gaps) -> tuple[float, float]:
    _, raw = bench.signal(2 * 10**6 + number)
    gaps.rest()
    return client.order(raw)


def _rows(
    root: Path,
    renamed: dict[str, float],
    floor_began: dict[str, float],
    floor_renamed: dict[str, float],
    tcp: list[tuple[float, float]],
    reader: ResultReader,
) -> list[Figures]:
    submitted = _submit_times(root)
    committed = floor_times(root)
    return [
        Figures("floor: wake, read, parse, one commit", _between(floor_renamed, committed)),
        Figures("the same with its publishing", _between(floor_began, committed)),
        Figures(
            "file renamed to submit", tuple(submitted[i] - at for i, at in renamed.items() if i in submitted)
        ),
        Figures("submit to first result readable", _between(submitted, reader.first)),
        Figures("submit to terminal result readable", _between(submitted, reader.terminal)),
        Figures("file renamed to terminal result", _between(renamed, reader.terminal)),
        Figures("TCP, equally durable: sent to call", tuple(call for call, _ in tcp)),
        Figures("TCP, equally durable: sent to answer", tuple(answer for _, answer in tcp)),
    ]


def _between(begin: dict[str, float], end: dict[str, float]) -> tuple[float, ...]:
    return tuple(end[key] - at for key, at in begin.items() if key in end)


def _submit_times(root: Path) -> dict[str, float]:
    """Signal id to the wall time of its native call: the log's milliseconds after the file's own time."""
    times = {}
    for line in read_actions(root / "logs" / "order_executor.log"):
        if line.action == "order_submitted":
            signal_id = line.fields["signal_id"]
            archived = root / "exchange" / DONE_FOLDER / f"order_signal_{signal_id}.done"
            written = archived.stat().st_mtime_ns / 1e9
            times[signal_id] = written + float(line.fields["milliseconds"]) / 1000
    return times


def run(
    count: int, tool: str, seed: int, console: Console, longest_gap: float = LONGEST_GAP
) -> None:
    """Measure and print."""
    console.print(machine())
    rows = measure(count, tool, seed, longest_gap)
    title = f"{count} signals at random gaps up to {longest_gap:g} s, {tool}, every fsync on"
    show(title, rows, rows[0], console)
