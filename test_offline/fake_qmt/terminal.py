"""The stand-in terminal: sessions, accounts and quotes behind one local address.

Run in a process of its own (``run_terminal.py``) it outlives a killed executor; tests run it in theirs.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from test_offline.fake_qmt import native
from test_offline.fake_qmt.data_room import DataRoom
from test_offline.fake_qmt.faults import LATE, Faults
from test_offline.fake_qmt.trade_room import STOCK, Message, TradeRoom
from test_offline.fake_qmt.wire import ADDRESS_FILE, hang_up, listen
from windows_side.brokers.simulated import SimulatedBroker

SESSION_GAP = 3.0
"""Seconds after which a session id may be used again."""
QUEUE_FILE = "up_queue_xtquant"
"""What a terminal whose account may place orders over the interface leaves in its folder."""


def make_userdata(parent: Path) -> Path:
    """A folder as a terminal in mini mode has it."""
    userdata = parent / "userdata_mini"
    userdata.mkdir(parents=True, exist_ok=True)
    (userdata / QUEUE_FILE).touch()
    return userdata


class _Link:
    """One connected client."""

    def __init__(self, connection: Connection, session: int) -> None:
        self.connection = connection
        self.session = session
        self.accounts: set[str] = set()
        self._sending = threading.Lock()

    def send(self, *message: Any) -> None:
        with contextlib.suppress(OSError, ValueError), self._sending:
            self.connection.send(message)


class Terminal:
    """One terminal; ``accounts`` are its counters by account number."""

    def __init__(
        self,
        userdata: Path,
        accounts: dict[str, SimulatedBroker],
        data: DataRoom | None = None,
        *,
        session_gap: float = SESSION_GAP,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.userdata = userdata
        self.faults = data.faults if data is not None else Faults()
        self.data = data
        self.before_place: Callable[[], None] | None = None
        """Called in a thread of its own before the next order is taken; once."""
        self.after_place: Callable[[], None] | None = None
        """The same after the counter has it, before the answer."""
        self.rooms: dict[str, TradeRoom] = {}
        for number, broker in accounts.items():
            self.add_account(number, broker)
        self.begun = threading.Event()
        self.held = threading.Event()
        """While set the market stands still."""
        """Set by the control: the market may begin."""
        self.market_now: Callable[[], float] = time.time
        self.places = 0
        """Orders taken over the interface."""
        self._gap = session_gap
        self._monotonic = monotonic
        self._links: dict[int, _Link] = {}
        self._freed: dict[int, float] = {}
        self._down_until = float("-inf")
        self._lock = threading.RLock()
        self._ending = False
        self._listener = listen(userdata)
        threading.Thread(target=self._accept, name="terminal", daemon=True).start()

    def add_account(self, number: str, broker: SimulatedBroker) -> None:
        """One more account that is logged in here."""
        self.rooms[number] = TradeRoom(number, broker, self.faults, self._pusher(number))

    def stop(self) -> None:
        """Close everything; books stay as they are."""
        self._ending = True
        self.drop_links()
        (self.userdata / ADDRESS_FILE).unlink(missing_ok=True)
        self._listener.close()

    # Switches beyond the faults

    def drop_links(self) -> None:
        """Hang up on every client."""
        with self._lock:
            links, self._links = list(self._links.values()), {}
        for link in links:
            hang_up(link.connection)
        if self.data is not None:
            self.data.drop()

    def restart(self, down: float = 0.0) -> None:
        """Go away for ``down`` seconds: links break, and nobody can connect meanwhile."""
        self._down_until = self._monotonic() + down
        self.drop_links()

    # Clients

    def _accept(self) -> None:
        while not self._ending:
            try:
                connection = self._listener.accept()
            except Exception:  # a client that broke off while introducing itself, or the end
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        with contextlib.suppress(OSError, EOFError, TypeError, ValueError):
            kind, *rest = connection.recv()
            if kind == "control":
                connection.send(("connected",))
                self._control(connection)
            elif kind == "data" and self.data is not None and not self._is_down():
                connection.send(("connected",))
                self.data.serve(connection)
            elif kind == "trade" and self._may_connect(rest[0]):
                self._trade(_Link(connection, rest[0]))
            else:
                connection.send(("refused",))
        with contextlib.suppress(OSError):
            connection.close()

    def _is_down(self) -> bool:
        return self._monotonic() < self._down_until

    def _may_connect(self, session: int) -> bool:
        with self._lock:
            free = self._monotonic() - self._freed.get(session, float("-inf")) >= self._gap
            taken = session in self._links
        return not (self._is_down() or taken or not free or self.faults.take("connect") == "refuse")

    def _trade(self, link: _Link) -> None:
        with self._lock:
            self._links[link.session] = link
        link.send("connected")
        try:
            while True:
                kind, seq, raw = link.connection.recv()
                if kind == "bye":
                    return
                if kind == "orderStock":
                    # One that hangs must not stop the link's other questions.
                    threading.Thread(target=self._place, args=(link, seq, raw), daemon=True).start()
                else:
                    self._answer(link, kind, seq, raw)
        finally:
            with self._lock:
                self._freed[link.session] = self._monotonic()
                if self._links.get(link.session) is link:
                    del self._links[link.session]

    def _pusher(self, number: str) -> Callable[[str, Message], None]:
        def push(name: str, message: Message) -> None:
            with self._lock:
                links = [link for link in self._links.values() if number in link.accounts]
            for link in links:
                link.send("push", name, message)

        return push

    # Questions

    def _answer(self, link: _Link, kind: str, seq: int, raw: native.Raw) -> None:
        number = bytes(raw.get("m_strAccountID", b"")).decode()
        room = self.rooms.get(number)
        if kind == "subscribe":
            refused = room is None or self.faults.take("subscribe") == "refuse"
            if not refused:
                link.accounts.add(number)
            link.send("answer", kind, seq, -1 if refused else 0)
            if not refused:
                link.send("push", "OnUpdateAccountStatus", self._status(number))
        elif kind == "queryAccountStatus":
            link.send("answer", kind, seq, [self._status(one) for one in self.rooms])
        elif room is None:
            link.send("answer", kind, seq, [])
        elif kind == "cancelOrderStock":
            self._cancel(link, seq, room, raw["m_nOrderID"])
        else:
            name = {"queryStockOrders": "orders", "queryStockTrades": "trades",
                    "queryStockPositions": "positions", "queryStockAsset": "asset"}[kind]  # fmt: skip
            link.send("answer", kind, seq, self._listed(room, name, raw))

    def _listed(self, room: TradeRoom, name: str, raw: native.Raw) -> list[Message] | None:
        if name == "orders":
            return room.orders(bool(raw.get("m_bCanCancel")))
        answers = {"trades": room.trades, "positions": room.positions, "asset": room.asset}
        return answers[name]()

    def _status(self, number: str) -> Message:
        told = self.faults.take("status")
        values = {"account_type": STOCK, "account_id": number, "status": 0 if told is None else told}
        return "XtAccountStatus", native.raw_of(native.XtAccountStatus, values)

    def _cancel(self, link: _Link, seq: int, room: TradeRoom, order_id: int) -> None:
        chosen = self.faults.take("cancel")
        if chosen == "lost":
            return
        result, message = (-1, "") if chosen == "minus_one" else (0, "")
        if chosen is None:
            result, message = room.cancel(order_id)
        values = {"m_nCancelResult": result, "order_id": order_id, "error_msg": message}
        answer = ("CancelOrderStockResp", native.raw_of(native.CancelOrderStockResp, values))
        link.send("answer", "cancelOrderStock", seq, answer)
        if result != 0:
            error = {"account_id": room.number, "order_id": order_id, "error_msg": message}
            link.send("push", "OnCancelError", ("XtCancelError", native.raw_of(native.XtCancelError, error)))

    def _place(self, link: _Link, seq: int, raw: native.Raw) -> None:
        hook, self.before_place = self.before_place, None
        if hook is not None:
            hook()
        room = self.rooms.get(bytes(raw["m_strAccountID"]).decode())
        chosen = self.faults.take("place")
        if chosen == "drop":
            return
        if room is None or chosen == "minus_one":
            order_id = -1
        else:
            order_id = room.place(raw)
            self.places += order_id > 0
            hook, self.after_place = self.after_place, None
            if hook is not None:
                hook()
        if chosen == "lost":
            return
        if chosen == "late":
            time.sleep(LATE)
        told = {"minus_one_live": -1, "zero": 0}.get(chosen, order_id)
        if chosen == "another_id" and room is not None:
            told = room.another_id()
        answer = native.raw_of(
            native.OrderStockResp,
            {
                "m_strAccountID": raw["m_strAccountID"],
                "m_nOrderID": told,
                "m_strStrategyName": raw["m_strStrategyName"],
                "m_strOrderRemark": raw["m_strOrderRemark"],
            },
        )
        for _ in range(2 if chosen == "doubled" else 1):
            link.send("answer", "orderStock", seq, ("OrderStockResp", answer))

    # Control

    def _control(self, connection: Connection) -> None:
        while True:
            name, *values = connection.recv()
            try:
                connection.send(("done", self._controlled(name, values)))
            except Exception as problem:
                connection.send(("failed", repr(problem)))

    def _controlled(self, name: str, values: list[Any]) -> Any:
        match name:
            case "fault":
                return self.faults.set(*values)
            case "clear":
                return self.faults.clear(*values)
            case "seen":
                return dict(self.faults.seen)
            case "restart":
                return self.restart(*values)
            case "places":
                return self.places
            case "by_hand":
                number, order = values
                return self.rooms[number].by_hand(order)
            case "begin":
                return self.begun.set()
            case "hold":
                return self.held.set()
            case "go_on":
                return self.held.clear()
            case "market":
                return self.market_now(), self.data is not None and self.data.finished
        raise ValueError(name)
