"""One morning of one executor that is killed again and again while signals arrive; at the end all agree.

A kill comes at a random moment or at a random named point of the product. Every life finds what the last
one left: a new process over the same ledger, broker's books and folder, and new signals beside the old.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

from shared_schema.drop_folder.names import QUOTE, signal_name
from shared_schema.messages import Quote, QuoteSnapshot, encode
from shared_schema.points import ALLOW_CRASH, CRASH_AT
from shared_schema.sessions import trading_day_of
from tests.execution.bench import FUND, envelope_of, signal_of
from tests.recovery.crash_scene import ForkServer, Scene
from windows_side.execution.points import Point

LIVES = 25
"""Kills in one morning."""
LONGEST_LIFE = 0.6
"""Seconds after which a process that did not reach its point is killed all the same."""
SETTLED = 0.15
"""Seconds in which an idle machine starts an executor and settles what lies there: moments are among them."""
POINTS = [point for point in Point if point is not Point.STOPPED and "migration" not in point.value]
LIMITS = "[limits]\norders_per_second = 100\norders_per_day = 10000\nunknowns_per_day = 1000\n"
"""What is tried here are kills: nothing is to be refused for its number."""


class Morning(Scene):
    """A scene whose signals come life by life."""

    def __init__(self, place: Path, server: ForkServer, dice: random.Random) -> None:
        super().__init__(place, server)
        self._dice = dice
        self.killed: Counter[str] = Counter()
        """Kills by where they struck: a named point, or a moment."""
        (place / "miniqmt.toml").write_text(LIMITS)

    def _drop(self) -> None:
        """Prices only: signals come with each life."""
        self.signals = []
        now = time.time()
        quote = Quote(
            price=1.25, pre_close=1.25, tick_time=now, ask=(1.25,), ask_volume=(10_000_000,), bid=(1.249,)
        )
        body = QuoteSnapshot(code=FUND, price=1.25, quotes={FUND: quote})
        self.folder.publish(QUOTE, encode(self._stamp(), body))

    def _stamp(self):  # type: ignore[no-untyped-def]
        now = time.time()
        return envelope_of(
            len(self.signals) + 1, written_at=now, market_time=now, trading_day=trading_day_of(now)
        )

    def send(self) -> None:
        """One or two new signals: mostly one that fills, now and then a bad one, or one and its cancel."""
        kind = self._dice.choices(("fills", "bad", "taken back"), (7, 2, 1))[0]
        number = len(self.signals)
        if kind == "bad":
            self._publish(f"bad{number}", shares=150)
        elif kind == "fills":
            self._publish(f"fills{number}", price=1.26, shares=100 * self._dice.randint(1, 20))
        else:
            plain = {"price": 1.2, "shares": 700}
            self._publish(f"rests{number}", **plain)
            self._publish(f"back{number}", action="cancel", target_signal_id=f"rests{number}", **plain)

    def _publish(self, name: str, **changes: object) -> None:
        common = {"timestamp": time.time(), "executor": self.instance, "layer_index": len(self.signals)}
        sent = signal_of(name, **common, **changes)
        self.signals.append(name)
        self.folder.publish(signal_name(sent.signal_id), encode(self._stamp(), sent))

    def live(self) -> None:
        """One life: signals, a process, its end by SIGKILL."""
        self.send()
        if self._dice.random() < 0.5:
            point = self._dice.choice(POINTS)
            asked = {CRASH_AT: f"{point.value}:{self._dice.choice((1, 1, 1, 2, 3))}", ALLOW_CRASH: "1"}
            where, until = f"point {point.value}", LONGEST_LIFE
        else:
            asked, where, until = {}, "moment", self._dice.uniform(0.0, SETTLED)
        process = self._server.start(self.variables(**asked))
        deadline = time.monotonic() + until
        while self.is_alive(process) and time.monotonic() < deadline:
            time.sleep(0.001)
        if self.is_alive(process):
            with contextlib.suppress(ProcessLookupError):  # this very moment it reached its point
                os.kill(process, signal.SIGKILL)
                where = "moment"
        status = self._server.ended()
        assert status == -signal.SIGKILL, f"ended by itself with {status}: {self.said()}"
        self.killed[where] += 1

    def run(self, kills: int) -> int:
        """So many lives, then one that ends in order; how many orders the broker has."""
        for _ in range(kills):
            self.live()
        with self.executor():
            self.wait(lambda: self.is_ready() and self.is_settled())
        assert self.status == 0, f"the clean end failed: {self.said()}"
        return self.agree()
