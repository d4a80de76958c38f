"""``python3 -m test_offline.syncthing_ring --signals 300``: 0 where nothing doubled, lost or unanswered."""

from __future__ import annotations

if __name__ == "__main__":
    from miniqmt import ensure_environment

    ensure_environment(__file__)

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from test_offline.syncthing_ring.faults import FAULTS
from test_offline.syncthing_ring.pair import SyncthingFault, syncthing
from test_offline.syncthing_ring.report import table
from test_offline.syncthing_ring.ring import run

MOST = 400
"""Signals: what the script's outbox keeps of settled ones."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the ring; 0: holds, 1: does not, 2: could not be run."""
    options = _parser().parse_args(arguments)
    if not 1 <= options.signals <= MOST:
        print(f"--signals: 1 to {MOST}", file=sys.stderr)
        return 2
    if syncthing() is None:
        print("syncthing is not installed: sh test_offline/syncthing_ring/install.sh", file=sys.stderr)
        return 2
    chosen = {name for name in options.faults.split(",") if name}
    faults = [fault for fault in FAULTS if not chosen or fault.__name__ in chosen]
    began = time.monotonic()
    try:
        with _folder(options.keep) as root:
            verdict = run(root, options.signals, options.seed, lambda line: print(line, flush=True), faults)
    except SyncthingFault as problem:
        print(f"syncthing_ring: {problem}", file=sys.stderr)
        return 2
    console = Console()
    console.print(table(verdict, options.seed, time.monotonic() - began))
    for sentence in verdict.problems:
        console.print(sentence, markup=False)
    return 1 if verdict.problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m test_offline.syncthing_ring")
    parser.add_argument("--signals", type=int, default=300, help=f"1 to {MOST}")
    parser.add_argument("--seed", type=int, default=1)
    known = ", ".join(fault.__name__ for fault in FAULTS)
    parser.add_argument("--faults", default="", help=f"only these, with commas between: {known}")
    parser.add_argument("--keep", type=Path, help="leave everything in a new folder here")
    return parser


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield Path(tempfile.mkdtemp(prefix="syncthing-ring-", dir=keep.absolute()))
        return
    with tempfile.TemporaryDirectory(prefix="syncthing-ring-", ignore_cleanup_errors=True) as root:
        yield Path(root)


if __name__ == "__main__":
    sys.exit(main())
