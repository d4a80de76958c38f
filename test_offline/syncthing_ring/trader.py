"""The strategy host's process: a script on ``Bridge`` that buys, sells and takes back, by a seeded plan.

    python -m test_offline.syncthing_ring.trader FOLDER RUNTIME_DIR --signals N --seed S --times FILE

Killed and started again it goes on where its own memory says it was. It ends by SIGTERM.
"""

from __future__ import annotations

import argparse
import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM, signal
from typing import Literal

from mac_side.bridge_client import Bridge
from mac_side.bridge_client.bridge import BridgeError
from shared_schema.errors import FolderError
from shared_schema.ids import Code, SignalId
from shared_schema.instruments import from_ticks, instrument, parse_code, to_ticks
from shared_schema.messages.quote import Quote
from test_offline.syncthing_ring.place import CODE, DELAY, STRATEGY

Kind = Literal["buy", "sell", "rest", "cancel"]
LOOK_EVERY = 0.1
TOGETHER = 0.3
"""Part of the cancels that follow their order within milliseconds, so that they may overtake it."""


@dataclass(frozen=True)
class Step:
    """One signal of the plan. ``rest``: a buy far below the market, that waits to be taken back."""

    kind: Kind
    pause: float
    """Seconds before it."""
    target: int = -1
    """Cancel: the place in the plan of the order it takes back."""


def plan(signals: int, seed: int) -> list[Step]:
    """A mix of orders that trade at once and orders that rest and are taken back, each by one cancel."""
    dice = random.Random(seed)
    steps: list[Step] = []
    resting: list[int] = []
    while len(steps) < signals:
        pause = dice.choice((0.05, 0.4, 0.8, 1.2, 1.8))
        draw = dice.random()
        if resting and (draw < 0.3 or len(resting) > 3):
            steps.append(Step("cancel", pause, resting.pop(0)))
        elif draw < 0.55 and len(steps) < signals - 1:
            steps.append(Step("rest", pause))
            if dice.random() < TOGETHER:
                steps.append(Step("cancel", 0.0, len(steps) - 1))
            else:
                resting.append(len(steps) - 1)
        else:
            steps.append(Step("buy" if draw < 0.8 else "sell", pause))
    return steps


class Trader:
    """Sends the plan's steps and notes when each signal was answered and when it ended."""

    def __init__(self, bridge: Bridge, steps: list[Step], times: Path, stop: threading.Event) -> None:
        self._bridge, self._steps, self._times, self._stop = bridge, steps, times, stop
        self._code: Code = parse_code(CODE)
        self._told: set[tuple[SignalId, str]] = set()

    def run(self) -> None:
        """Send what is left of the plan, then look until asked to stop."""
        while not self._stop.is_set():
            number = len(self._bridge.state.outbox.entries)
            if number >= len(self._steps):
                self._look_for(LOOK_EVERY)
                continue
            step = self._steps[number]
            self._look_for(step.pause)
            try:
                self._send(number, step)
            except (BridgeError, FolderError) as problem:
                # The executor is not to be heard, or the folder not to be listed just now: ask again.
                print(f"held: {problem}", flush=True)
                self._look_for(LOOK_EVERY)

    def _send(self, number: int, step: Step) -> None:
        if step.kind == "cancel":
            self._bridge.cancel(self._bridge.state.outbox.entries[step.target].signal_id)
            return
        quote = self._bridge.quotes().get(self._code)
        if quote is None:
            self._look_for(LOOK_EVERY)
            return
        shares = 100 * (1 + number % 97)  # no two alike within the window of duplicate intents
        send = self._bridge.sell if step.kind == "sell" else self._bridge.buy
        send(self._code, self._price(step.kind, quote), shares, f"{number} {step.kind}")

    def _price(self, kind: Kind, quote: Quote) -> float:
        tick = instrument(self._code).tick_size
        last, before = to_ticks(quote.price, tick), to_ticks(quote.pre_close or quote.price, tick)
        ticks = {"buy": last + 10, "sell": last - 10, "rest": before * 93 // 100}[kind]
        return from_ticks(ticks, tick)

    def _look_for(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._stop.is_set():
            try:
                self._bridge.look()
            except FolderError as problem:
                print(f"look: {problem}", flush=True)
            self._note()
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._stop.wait(min(left, LOOK_EVERY))

    def _note(self) -> None:
        now = time.time()
        lines = []
        for entry in self._bridge.state.outbox.entries:
            if entry.answered_at is not None and (entry.signal_id, "answered") not in self._told:
                lines.append((entry.signal_id, "answered", entry.answered_at - entry.timestamp))
            if entry.settled and (entry.signal_id, "ended") not in self._told:
                lines.append((entry.signal_id, "ended", now - entry.timestamp))
        if lines:
            self._told |= {(identity, what) for identity, what, _ in lines}
            with self._times.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(line) + "\n" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script until SIGTERM."""
    parser = argparse.ArgumentParser(prog="trader")
    parser.add_argument("folder", type=Path)
    parser.add_argument("runtime", type=Path)
    parser.add_argument("--signals", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--times", type=Path, required=True)
    options = parser.parse_args(arguments)
    stop = threading.Event()
    signal(SIGTERM, lambda *_: stop.set())
    with Bridge(
        options.folder,
        STRATEGY,
        runtime_dir=options.runtime,
        sync_tool="syncthing",
        syncthing_delay=DELAY,
        wait_for_executor=300.0,
    ) as bridge:
        Trader(bridge, plan(options.signals, options.seed), options.times, stop).run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
