"""Our own ``xtquant.datacenter``: the native quote client, talking to the stand-in terminal.

``place`` says which terminal stands behind the one address a terminal's quote service has.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from test_offline.fake_qmt import data_place
from test_offline.fake_qmt.wire import dial

REQUEST_TIMEOUT = 150.0
"""Seconds, as xtdata.ini has it."""


def rpc_init(config_dir: str) -> int:
    return 0


def register_create_nparray(function: Callable[..., Any]) -> None:
    pass


def get_local_server_port() -> int:
    return 0


class IPythonApiClient:
    """One connection to the terminal's quotes."""

    __slots__ = ("_answers", "_asking", "_callbacks", "_connection", "_numbers", "_turn")

    def __init__(self) -> None:
        self._connection: Any = None
        self._asking = threading.Lock()
        self._turn = threading.Condition()
        self._numbers = itertools.count(1)
        self._answers: dict[int, Any] = {}
        self._callbacks: dict[int, Callable[[Any], None]] = {}

    # Life

    def init(self) -> None:
        pass

    def load_config(self, file: str, name: str) -> int:
        return 0

    def set_config_addr(self, address: str) -> None:
        pass

    def registerCommonControlCallback(self, name: str, callback: Callable[..., Any]) -> None:
        pass

    def connect(self) -> tuple[int, str]:
        found = dial(data_place.userdata, "data") if data_place.userdata is not None else None
        if found is None:
            return -1, "connect failed"
        connection, answer = found
        if answer != ("connected",):
            connection.close()
            return -1, "refused"
        self._connection = connection
        threading.Thread(target=self._listen, args=(connection,), name="native data", daemon=True).start()
        return 0, ""

    def is_connected(self) -> bool:
        return self._connection is not None

    def shutdown(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.send(("bye", 0))
            except (OSError, ValueError):
                return

    # What it tells of itself

    def get_data_dir(self) -> str:
        return str(Path(data_place.userdata or ".") / "datadir")

    def get_app_dir(self) -> str:
        return str(data_place.userdata or ".")

    def get_peer_addr(self) -> str:
        return "127.0.0.1:58610"

    def get_server_tag(self) -> bytes:
        return _bson().encode({"tag": "stand-in"})

    def commonControl(self, name: str, raw: bytes) -> bytes:
        return _bson().encode({})

    # Questions

    def get_full_tick(self, codes: list[str]) -> str:
        return json.dumps(self._ask("full_tick", list(codes)))

    def get_instrument_detail(self, code: str) -> bytes:
        found = self._ask("detail", code)
        return _bson().encode(found) if found else b""

    def get_trading_dates_by_market(self, market: str, start: str, end: str, count: int) -> list[int]:
        dates: list[int] = self._ask("dates", market)
        return dates[-count:] if count > 0 else dates

    def get_market_data3(self, fields: list[str], codes: list[str], period: str, *rest: Any) -> list[Any]:
        count, form = rest[2], rest[5]
        if form != "v4" or period != "1m":
            raise ValueError(f"the stand-in knows 1m bars in form v4 only, not {period} {form}")
        answer: list[Any] = self._ask("bars", list(codes), count)
        return answer

    def supply_history_data(self, code: str, period: str, start: str, end: str) -> None:
        self._ask("download", code, start)

    def subscribe_whole_quote(self, codes: list[str], param: bytes, callback: Callable[[Any], None]) -> int:
        return self._subscribe(callback, "whole", list(codes))

    def subscribe_quote(
        self, meta: bytes, region: bytes, param: bytes, callback: Callable[[Any], None]
    ) -> int:
        chosen = _bson().BSON.decode(meta)
        return self._subscribe(callback, "one", chosen["stockCode"], chosen["period"])

    def unsubscribe_quote(self, seq: int) -> None:
        self._callbacks.pop(seq, None)
        self._ask("unsubscribe", seq)

    def _subscribe(self, callback: Callable[[Any], None], *question: Any) -> int:
        seq: int = self._ask("subscribe", *question)
        if seq > 0 and callback is not None:
            self._callbacks[seq] = callback
        return seq

    def _ask(self, *question: Any) -> Any:
        connection = self._connection
        if connection is None:
            raise Exception("not connected")
        with self._turn:
            number = next(self._numbers)
        try:
            with self._asking:
                connection.send(("ask", number, *question))
        except (OSError, ValueError) as problem:
            raise Exception("connection lost") from problem
        with self._turn:
            told = self._turn.wait_for(
                lambda: number in self._answers or self._connection is not connection, REQUEST_TIMEOUT
            )
            if not told or number not in self._answers:
                raise Exception("request timeout" if not told else "connection lost")
            return self._answers.pop(number)

    def _listen(self, connection: Any) -> None:
        while True:
            try:
                kind, number, content = connection.recv()
            except (OSError, EOFError, TypeError, ValueError):
                break
            if kind == "answer":
                with self._turn:
                    self._answers[number] = content
                    self._turn.notify_all()
            else:
                callback = self._callbacks.get(number)
                if callback is not None:
                    callback(_bson().encode(content))
        connection.close()
        with self._turn:
            if self._connection is connection:
                self._connection = None
            self._turn.notify_all()


def _bson() -> Any:
    from xtquant import xtbson

    return xtbson
