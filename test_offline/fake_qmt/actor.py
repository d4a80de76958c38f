"""A process of the product over the stand-in: the QMT broker and source, on the terminal's own clock.

    python test_offline/fake_qmt/actor.py PLACE executor|producer
    python test_offline/fake_qmt/actor.py PLACE live-executor|live-producer|script [FILE]

A rehearsal (executor, producer) is simulated trading with the live parts: everything is as in live mode,
only that books and files are those of mode simulate and the market clock is the replayed one. The live
roles are the product's own start, arming included, with the whole process's clock set by
``STANDIN_CLOCK_OFFSET`` (seconds), so that it trades in the terminal's day; so is ``script``.
"""

from __future__ import annotations

if __name__ == "__main__":
    import os
    import sys
    import time
    from pathlib import Path as _Path

    sys.path.insert(0, str(_Path(__file__).resolve().parents[2]))
    # Before anything keeps the real clock as a default argument.
    _offset, _real_clock = float(os.environ.get("STANDIN_CLOCK_OFFSET", "0")), time.time
    time.time = lambda: _real_clock() + _offset

import math
import runpy
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from shared_schema.errors import BrokerError, MiniqmtError
from shared_schema.ids import Code, Mode
from shared_schema.messages import Account
from shared_schema.settings import Settings, load_settings
from shared_schema.trading_calendar import calendar_of_this_host
from shared_schema.words import use_language
from test_offline.fake_qmt.control import Control
from test_offline.fake_qmt.install import install
from windows_side import bridge_producer, order_executor
from windows_side.brokers.qmt import QmtAccount, QmtCalls
from windows_side.brokers.qmt_package import xtdata
from windows_side.brokers.qmt_session_ids import SessionIds
from windows_side.producer_options import Options
from windows_side.quotes.live import live_account, load_for_quotes
from windows_side.quotes.port import QuoteData
from windows_side.quotes.qmt_account import QmtAccountSource
from windows_side.quotes.xtdata import XtdataSource
from windows_side.quotes.xtdata_reader import XtdataReader
from windows_side.venue import LIVE, Broker, Surroundings

SHOWN_BY = 7300
"""The first session id of the account's own view: apart from executor and producer."""


def rehearsed_broker(around: Surroundings) -> Broker:
    """The QMT broker, and the account shown by the executor itself, as mode simulate wants it."""
    settings = around.settings
    ids = SessionIds(settings.runtime_dir / "shown", "executor", SHOWN_BY)
    account = QmtAccount(settings.qmt.data_path, settings.account.id or "")
    shown = QmtAccountSource(QmtCalls(account, ids), first_answer=0.0)

    def snapshot() -> Account:
        try:
            return shown.account(around.now(), {}) or Account(complete=False)
        except BrokerError:
            return Account(complete=False)

    return replace(LIVE.open(around), snapshot=snapshot)


REHEARSAL = replace(LIVE, mode="simulate", makes_first_ledger=True, open=rehearsed_broker)


class RehearsedSource(XtdataSource):
    """The live source, its market clock being the terminal's replayed one."""

    mode: Mode = "simulate"

    def __init__(self, settings: Settings, control: Control) -> None:
        codes = tuple(map(Code, settings.producer.codes))
        super().__init__(
            # The terminal's market is a replayed day: no wall clock to hold its ticks against.
            lambda: XtdataReader(xtdata(), codes, wall=lambda: math.inf, bar_pause=0.02),
            codes,
            calendar_of_this_host(),
            frozen_after=math.inf,
        )
        self._control = control
        self._market = 0.0
        self._told_end = False

    def poll(self, now: float) -> QuoteData | None:
        """As live; at the end of the replayed day once more, finished."""
        if self._told_end:
            return None
        self._market, ended = self._control("market")
        data = super().poll(now)
        if data is not None or not ended or self._reader is None:
            return data
        self._told_end = True
        quotes, bars = self._reader.snapshot()
        # A shortened day ends with the tick that every exchange sends at its close.
        closing = {"tick_time": self._market}
        quotes = {code: quote.model_copy(update=closing) for code, quote in quotes.items()}
        return QuoteData(quotes, bars, self._market, finished=True)

    def market_now(self) -> float | None:
        """The terminal's market clock."""
        return self._market or None

    def next_due(self, now: float) -> float | None:
        """At a replay's speed a minute passes in a moment."""
        return 0.01


def run_executor(settings: Settings, stop: threading.Event) -> None:
    """The order executor with the QMT broker."""
    order_executor.run(settings, stop, REHEARSAL, enforce_sessions=True)


def run_producer(settings: Settings, control: Control) -> None:
    """The bridge producer with xtdata and the account over xttrader."""
    load_for_quotes(settings)
    source = RehearsedSource(settings, control)
    bridge_producer.run(settings, Options(), source=source, account=live_account(settings))


def main(arguments: list[str]) -> int:
    """Run one role until it is asked to stop."""
    userdata, role = Path(arguments[0]) / "userdata_mini", arguments[1]
    if role == "script":
        runpy.run_path(arguments[2])
        return 0
    install(userdata)
    if role == "live-executor":
        return order_executor.main(arguments[2:])
    if role == "live-producer":
        return bridge_producer.main(arguments[2:])
    control = Control(userdata)
    try:
        settings = load_settings(overrides={"qmt.data_path": str(userdata)})
        use_language(settings.language)
        if role == "executor":
            stop = threading.Event()
            with order_executor.stopped_by_signals(stop):
                run_executor(settings, stop)
        else:
            run_producer(settings, control)
    except MiniqmtError as problem:
        print(problem, file=sys.stderr)
        order_executor.leave_hung_threads(problem.exit_code)
        return problem.exit_code
    order_executor.leave_hung_threads(0)
    return 0


def _utf8() -> None:
    stdout: Any = sys.stdout
    stdout.reconfigure(encoding="utf-8", errors="replace")


if __name__ == "__main__":
    _utf8()
    sys.exit(main(sys.argv[1:]))
