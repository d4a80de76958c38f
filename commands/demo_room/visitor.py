"""A second trader in the demo: a script on the library, whose orders are taken back and refused."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from commands.demo_room.plan import Plan
from mac_side.bridge_client import Bridge
from shared_schema.errors import MiniqmtError
from shared_schema.instruments import from_ticks, instrument, to_ticks
from shared_schema.sessions import may_place, state_at
from shared_schema.trading_calendar import calendar_of_this_host

STRATEGY = "visitor"
FAR = 0.96
"""Of the price: low enough to rest, high enough to be allowed on the day."""


class Visitor:
    """Sends one order far from the market and takes it back, and one that the risk gate must refuse."""

    def __init__(self, exchange: Path, runtime: Path, plan: Plan) -> None:
        self._exchange = exchange
        self._runtime = runtime
        self._plan = plan
        self._calendar = calendar_of_this_host()
        self.said: list[str] = []
        """What became of its orders, in words."""
        self.problem = ""
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._thread.start()

    def join(self, at_most: float) -> None:
        """Wait for it to end."""
        self._thread.join(at_most)

    def _run(self) -> None:
        try:
            self._trade()
        except MiniqmtError as problem:
            self.problem = str(problem)

    def _trade(self) -> None:
        code = self._plan.code
        rules = instrument(code)
        with Bridge(self._exchange, STRATEGY, runtime_dir=self._runtime, wait_for_executor=30.0) as bridge:
            price = self._price_in_session(bridge)
            far = from_ticks(to_ticks(price * FAR, rules.tick_size), rules.tick_size)
            resting = bridge.buy(code, price=far, shares=rules.min_buy, reason="demo: rests far below")
            resting.wait(0.5)
            cancel = resting.cancel()
            self._say(cancel.wait(10.0).message, resting.wait(10.0).message)
            # More shares than any limit allows: the slip of a finger every trader fears.
            refused = bridge.buy(
                code, price=far, shares=rules.min_buy * 9_000, reason="demo: slip of the finger"
            )
            self._say(refused.wait(10.0).message)

    def _price_in_session(self, bridge: Bridge) -> float:
        """The first price of continuous trading: before it an order would be refused."""
        while True:
            quote = bridge.quotes().get(self._plan.code)
            if quote is not None and may_place(state_at(quote.tick_time, self._calendar)):
                return quote.price
            time.sleep(0.05)

    def _say(self, *messages: str) -> None:
        self.said += [message for message in messages if message]
