"""The stand-in terminal as a process of its own, with a replayed day as its market.

    python test_offline/fake_qmt/run_terminal.py PLACE --csv FILE --code CODE --day DAY --speed N

PLACE gets ``userdata_mini`` and the counter's books. The market begins when the control says so.
"""

from __future__ import annotations

if __name__ == "__main__":
    import sys
    from pathlib import Path as _Path

    sys.path.insert(0, str(_Path(__file__).resolve().parents[2]))

import argparse
import signal
import threading
import time
from pathlib import Path

from shared_schema.clock import Moment
from shared_schema.ids import AccountAlias, Code
from shared_schema.stop_flag import StopFlag
from test_offline.fake_qmt.data_room import DataRoom
from test_offline.fake_qmt.faults import Faults
from test_offline.fake_qmt.terminal import Terminal, make_userdata
from windows_side.brokers.port import AccountState, BrokerAsset, BrokerPosition
from windows_side.brokers.simulated import SimulatedBroker
from windows_side.quotes.replay import ReplaySource
from windows_side.quotes.tape import read_tape

BOOKS = "counter.sqlite3"
NUMBER = "88001234"


def main() -> None:
    """Serve until SIGTERM."""
    options = _parser().parse_args()
    place, code = Path(options.place), Code(options.code)
    source = ReplaySource([read_tape(Path(options.csv), code, options.day or None)], options.speed)
    source.start()
    begin = source.poll(time.time())
    counter = SimulatedBroker(
        place / BOOKS,
        account=AccountAlias("main"),
        now=lambda: Moment(time.time(), source.market_now()),
        start=_start(options, code),
    )
    counters = {NUMBER: counter}
    for number in options.further:
        counters[number] = SimulatedBroker(
            place / f"counter_{number}.sqlite3",
            account=AccountAlias(number),
            now=lambda: Moment(time.time(), source.market_now()),
            start=_start(options, code),
        )
    data = DataRoom(Faults())
    terminal = Terminal(make_userdata(place), counters, data)
    terminal.market_now = source.market_now
    ended = StopFlag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    if begin is not None:
        data.show(begin.quotes, begin.bars)
        for each in counters.values():
            each.feed(begin.quotes, Moment(time.time(), source.market_now()))
    while not (terminal.begun.wait(0.05) or ended.is_set()):
        pass
    _play(source, list(counters.values()), data, terminal.held, ended)
    while not ended.wait(0.2):
        pass
    terminal.stop()


def _play(
    source: ReplaySource,
    counters: list[SimulatedBroker],
    data: DataRoom,
    held: threading.Event,
    ended: threading.Event,
) -> None:
    stood = 0.0
    while not ended.is_set() and not source.is_finished:
        now = time.time()
        if held.is_set():
            ended.wait(0.01)
            stood += time.time() - now
            continue
        shown = source.poll(now - stood)
        if shown is None:
            ended.wait(min(0.05, max(0.001, source.next_due(now - stood) or 0.0)))
            continue
        for counter in counters:
            counter.feed(shown.quotes, Moment(now, source.market_now()))
        data.show(shown.quotes, shown.bars)
    data.finished = True


def _start(options: argparse.Namespace, code: Code) -> AccountState:
    shares, _, price = options.position.partition("@")
    value = int(shares) * float(price)
    held = BrokerPosition(code, int(shares), int(shares), float(price), value)
    asset = BrokerAsset(options.cash, 0.0, value, options.cash + value)
    return AccountState(asset, (held,) if int(shares) else ())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("place")
    for name in ("csv", "code", "day"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--speed", type=float, default=60.0)
    parser.add_argument("--cash", type=float, default=1_000_000.0)
    parser.add_argument("--position", default="0@0", help="SHARES@PRICE")
    parser.add_argument("--further", action="append", default=[], help="number of a further account")
    return parser


if __name__ == "__main__":
    main()
