"""``python -m test_offline.kills --kills N --seed S``: kill -9 of real executors, at points and moments."""

from __future__ import annotations

import argparse
import sys

from test_offline.kills.morning import POINTS
from test_offline.kills.runner import Tally, run


def main(arguments: list[str] | None = None) -> int:
    """Run them, print what came of it; 1 where anything did not agree."""
    parser = argparse.ArgumentParser(prog="python -m test_offline.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=60, help="processes to kill")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    tally = run(options.kills, options.seed, _Telling())
    reached = {where for where in tally.killed if where.startswith("point ")}
    print(f"{_line(tally)}; {len(reached)} of {len(POINTS)} named points struck")
    return 1 if tally.broken else 0


class _Telling:
    """Says what broke as soon as it did, and how far it has come every thousand kills."""

    def __init__(self) -> None:
        self._kills = self._broken = 0

    def __call__(self, tally: Tally) -> None:
        for broken in tally.broken[self._broken :]:
            print(broken, file=sys.stderr, flush=True)
        self._broken = len(tally.broken)
        if tally.kills - self._kills >= 1000:
            self._kills = tally.kills
            print(_line(tally), flush=True)


def _line(tally: Tally) -> str:
    return (
        f"{tally.kills} kills ({tally.killed['moment']} at a moment, the others at a named point), "
        f"{tally.signals} signals, {tally.orders} orders, {len(tally.broken)} disagreements, "
        f"{tally.kills / max(tally.seconds, 1e-9):.1f} kills a second"
    )


if __name__ == "__main__":
    sys.exit(main())
