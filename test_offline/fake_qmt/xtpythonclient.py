"""Our own ``xtquant.xtpythonclient``: the native trade client, talking to the stand-in terminal.

Requests leave at once and answers come through the bound callbacks in a thread of the client's own, as
in the real one. No ``__dict__``, no docstrings to imitate: only what ``xttrader.py`` uses.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from test_offline.fake_qmt.native import RECORDS, Native
from test_offline.fake_qmt.wire import dial

globals().update(RECORDS)

ANSWERS = {
    "subscribe": "OnSubscribeResp",
    "unsubscribe": "OnUnsubscribeResp",
    "orderStock": "OnOrderStockResp",
    "cancelOrderStock": "OnCancelOrderStockResp",
    "queryStockAsset": "OnQueryStockAsset",
    "queryStockOrders": "OnQueryStockOrders",
    "queryStockTrades": "OnQueryStockTrades",
    "queryStockPositions": "OnQueryStockPositions",
    "queryAccountInfos": "OnQueryAccountInfos",
    "queryAccountStatus": "OnQueryAccountStatus",
}


class XtQuantAsyncClient:
    """The native client of one session."""

    __slots__ = ("_bound", "_connection", "_path", "_sending", "_seq", "_session", "_started", "_stopped")

    def __init__(self, path: bytes, name: str, session: int) -> None:
        self._path = Path(path.decode("gb18030"))
        self._session = session
        self._bound: dict[str, Callable[..., None]] = {}
        self._seq = itertools.count(1)
        self._connection: Any = None
        self._sending = threading.Lock()
        self._started = self._stopped = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("bindOn") and name.endswith("Callback"):
            return lambda callback: self._bound.__setitem__(name[4:-8], callback)
        if name.endswith("WithSeq"):
            return lambda seq, request: self._ask(name[:-7], seq, request)
        raise AttributeError(name)

    # Life

    def init(self) -> None:
        pass

    def start(self) -> None:
        self._started = True

    def setTimeout(self, timeout: int) -> None:
        pass

    def nextSeq(self) -> int:
        return next(self._seq)

    def connect(self) -> int:
        if not self._started or self._stopped:
            return -1
        found = dial(self._path, "trade", self._session)
        if found is None:
            return -1
        connection, answer = found
        if answer != ("connected",):
            connection.close()
            return -1
        self._connection = connection
        threading.Thread(target=self._listen, args=(connection,), name="native", daemon=True).start()
        return 0

    def stop(self) -> None:
        self._stopped = True
        if self._connection is not None:
            # The terminal hangs up then, which ends the listening thread.
            self._send(("bye", 0, {}))

    # Asking and hearing

    def _ask(self, kind: str, seq: int, request: Native) -> None:
        if self._connection is not None:
            self._send((kind, seq, dict(request._raw)))  # type: ignore[attr-defined]

    def _send(self, message: tuple[Any, ...]) -> None:
        try:
            with self._sending:
                self._connection.send(message)
        except (OSError, ValueError):
            return  # as in the real one: nobody ever answers

    def _listen(self, connection: Any) -> None:
        while True:
            try:
                kind, *content = connection.recv()
            except (OSError, EOFError, TypeError, ValueError):
                break
            if kind == "answer":
                question, seq, answer = content
                self._call(ANSWERS[question], seq, _made(answer))
            else:
                name, pushed = content
                self._call(name, _made(pushed))
        connection.close()
        if not self._stopped:
            self._call("OnDisconnected")

    def _call(self, name: str, *values: Any) -> None:
        callback = self._bound.get(name)
        if callback is None:
            return
        # "cannot schedule new futures after shutdown" ends in the native thread.
        with contextlib.suppress(RuntimeError):
            callback(*values)


def _made(content: Any) -> Any:
    """A record (name, raw fields), a list of them, or a plain value."""
    if isinstance(content, tuple):
        name, raw = content
        return RECORDS[name](raw)
    if isinstance(content, list):
        return [_made(item) for item in content]
    return content
