"""The floor: publish with fsync, wake-up, read, parse, one FULL commit, between two processes.

Nothing of the product but the folder's own publish, watch and parse: what any bridge
through files would have to pay on this disk.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared_schema.drop_folder import DropFolder
from shared_schema.messages import decode_signal
from shared_schema.watch import FolderWatch
from test_offline.benchmarks.bench_folder import ROOT


def receive(root: str) -> None:
    """The receiving process: commits every signal it finds, with the time after the commit."""
    folder = DropFolder(Path(root) / "floor")
    database = sqlite3.connect(Path(root) / "floor.sqlite3", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE floor (name TEXT PRIMARY KEY, row TEXT)")
    done = (Path(root) / "floor_times.txt").open("a", buffering=1, encoding="utf-8")
    watch = FolderWatch(folder.path, 0.05)
    print("ready", flush=True)
    seen: set[str] = set()
    while True:
        for found in folder.signals():
            name = found.name.text
            raw = folder.read(name) if name not in seen else None
            if raw is None:
                continue
            seen.add(name)
            decode_signal(raw)
            database.execute("INSERT INTO floor VALUES (?, ?)", (name, raw.decode()))
            done.write(f"{name} {time.time():.6f}\n")
            folder.remove(name)
        watch.wait()


@contextmanager
def floor_receiver(root: Path) -> Iterator[DropFolder]:
    """The receiving process, and the folder to publish into."""
    folder = DropFolder(root / "floor")
    folder.path.mkdir(parents=True)
    command = [sys.executable, "-m", "test_offline.benchmarks.floor", str(root)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield folder
    finally:
        process.kill()
        process.wait()


def floor_times(root: Path) -> dict[str, float]:
    """Name to the wall time after its commit."""
    path = root / "floor_times.txt"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return {name: float(at) for name, at in (line.split() for line in lines)}


if __name__ == "__main__":
    receive(sys.argv[1])
