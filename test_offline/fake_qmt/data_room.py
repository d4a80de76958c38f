"""Quotes at the stand-in terminal, in the terminal's own form: lots, milliseconds, status as a number."""

from __future__ import annotations

import contextlib
import itertools
import struct
import threading
from collections import Counter
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

from shared_schema.ids import Code
from shared_schema.messages import MinuteBars, Quote
from shared_schema.sessions import hms
from test_offline.fake_qmt.faults import Faults
from test_offline.fake_qmt.wire import hang_up

LOT = 100
STATUS = {"trading": 13, "suspended": 1, "closed": 15}
_COLUMNS = ("time", "open", "high", "low", "close", "volume", "amount")


class DataRoom:
    """The newest quotes and bars, and who is told of them."""

    def __init__(self, faults: Faults, names: Mapping[Code, str] | None = None) -> None:
        self.faults = faults
        self.finished = False
        """Whether nothing will follow (the end of a replay)."""
        self.dates: list[int] = []
        """Trading dates, milliseconds."""
        self.asked: Counter[str] = Counter()
        """How often each question came."""
        self.downloads: list[str] = []
        self.downloads_from: list[str] = []
        """The beginning each download asked for, YYYYMMDD; empty: only what is newer than what is there."""
        self.server: dict[Code, MinuteBars] = {}
        """What a download with a beginning brings, where it is more than what is there."""
        self.subscribed: list[tuple[str, ...]] = []
        """Every subscription that was ever asked for."""
        self._names = dict(names or {})
        self._quotes: dict[Code, Quote] = {}
        self._bars: dict[Code, MinuteBars] = {}
        self._lock = threading.RLock()
        self._clients: dict[int, tuple[Connection, threading.Lock, dict[int, tuple[str, ...]]]] = {}
        self._numbers = itertools.count(1)

    def show(self, quotes: Mapping[Code, Quote], bars: Mapping[Code, MinuteBars] | None = None) -> None:
        """The market moves: subscribers of these codes are told."""
        with self._lock:
            self._quotes.update(quotes)
            self._bars.update(bars or {})
            clients = list(self._clients.values())
        for connection, sending, wanted in clients:
            for seq, codes in list(wanted.items()):
                told = {code: tick_of(quote) for code, quote in quotes.items() if code in codes}
                if told:
                    _send(connection, sending, "push", seq, told)

    def drop(self) -> None:
        """Hang up on everybody."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for connection, _, _ in clients:
            hang_up(connection)

    def serve(self, connection: Connection) -> None:
        """Answer one client until it hangs up."""
        number, sending = next(self._numbers), threading.Lock()
        wanted: dict[int, tuple[str, ...]] = {}
        with self._lock:
            self._clients[number] = (connection, sending, wanted)
        try:
            while True:
                kind, asked, *question = connection.recv()
                if kind == "bye":
                    return
                if self.faults.take("data") == "hang":
                    continue
                _send(connection, sending, "answer", asked, self._answer(wanted, *question))
        finally:
            with self._lock:
                self._clients.pop(number, None)

    def _answer(self, wanted: dict[int, tuple[str, ...]], name: str, *values: Any) -> Any:
        with self._lock:
            self.asked[name] += 1
            match name:
                case "full_tick":
                    return {c: tick_of(self._quotes[c]) for c in values[0] if c in self._quotes}
                case "detail":
                    return self._detail(values[0])
                case "dates":
                    return self.dates
                case "bars":
                    return [self._bars_of(code, values[1]) for code in values[0]]
                case "download":
                    return self._download(*values)
                case "subscribe":
                    return self._subscribe(wanted, *values)
                case "unsubscribe":
                    return wanted.pop(values[0], None) and None
        raise ValueError(name)

    def _download(self, code: str, begin: str) -> None:
        self.downloads.append(code)
        self.downloads_from.append(begin)
        if begin and Code(code) in self.server:
            self._bars[Code(code)] = self.server[Code(code)]

    def _subscribe(self, wanted: dict[int, tuple[str, ...]], kind: str, codes: Any, *rest: str) -> int:
        if self.faults.take("subscribe") == "refuse":
            return -1
        seq = next(self._numbers)
        chosen = tuple(codes) if kind == "whole" else (codes,)
        self.subscribed.append(chosen)
        if kind == "whole":
            wanted[seq] = chosen
        return seq

    def _detail(self, code: str) -> dict[str, Any] | None:
        quote = self._quotes.get(Code(code))
        if quote is None:
            return None
        return {
            "ExchangeID": code[-2:],
            "InstrumentID": code[:6],
            "InstrumentName": self._names.get(Code(code), f"名称{code[:6]}"),
            "PreClose": quote.pre_close,
            "UpStopPrice": quote.limit_up,
            "DownStopPrice": quote.limit_down,
            "PriceTick": 0.001 if code[0] in "15" else 0.01,
            "VolumeMultiple": 1,
            "InstrumentStatus": 1 if quote.status == "suspended" else 0,
            "IsTrading": quote.status == "trading",
            "OpenDate": 20100101,
        }

    def _bars_of(self, code: str, count: int) -> tuple[str, list[str], list[tuple[str, str, bytes]]]:
        bars = self._bars.get(Code(code), MinuteBars())
        chosen = slice(-count, None) if count > 0 else slice(None)
        times = bars.time[chosen]
        lots = [round(volume / LOT) for volume in bars.volume[chosen]]
        traded = zip(bars.close[chosen], bars.volume[chosen], strict=True)
        amounts = [close * volume for close, volume in traded]
        columns: dict[str, tuple[str, bytes]] = {
            "time": ("<i8", struct.pack(f"<{len(times)}q", *(int(t * 1000) for t in times))),
            "volume": ("<i8", struct.pack(f"<{len(lots)}q", *lots)),
            "amount": ("<f8", struct.pack(f"<{len(amounts)}d", *amounts)),
        }
        for name in ("open", "high", "low", "close"):
            values = getattr(bars, name)[chosen]
            columns[name] = ("<f8", struct.pack(f"<{len(values)}d", *values))
        index = [hms(t).replace(":", "") for t in times]
        return code, index, [(name, *columns[name]) for name in _COLUMNS]


def tick_of(quote: Quote) -> dict[str, Any]:
    """A quote as the terminal's tick: lots, milliseconds, raw floats."""

    def five(values: tuple[float, ...]) -> list[float]:
        return [*values, 0, 0, 0, 0, 0][:5]

    return {
        "time": int(quote.tick_time * 1000),
        "lastPrice": quote.price + 1e-15 if quote.price else 0.0,
        "open": quote.open,
        "high": quote.high,
        "low": quote.low,
        "lastClose": quote.pre_close,
        "amount": quote.amount,
        "volume": quote.volume // LOT,
        "pvolume": quote.volume,
        "stockStatus": 3,
        "openInt": STATUS.get(quote.status, 0),
        "transactionNum": 1,
        "lastSettlementPrice": quote.pre_close,
        "settlementPrice": 0.0,
        "askPrice": five(quote.ask),
        "bidPrice": five(quote.bid),
        "askVol": [int(volume) // LOT for volume in five(quote.ask_volume)],
        "bidVol": [int(volume) // LOT for volume in five(quote.bid_volume)],
    }


def _send(connection: Connection, sending: threading.Lock, *message: Any) -> None:
    with contextlib.suppress(OSError, ValueError), sending:
        connection.send(message)
