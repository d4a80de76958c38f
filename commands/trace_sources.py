"""Where a signal leaves traces: ledger, logs and books of this host, and the exchange folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from commands.folder_view import REASON
from commands.own_files import OwnLedger, own_books, own_ledgers
from commands.time_text import stamp_text
from mac_side.bridge_client.entry import OutboxEntry
from mac_side.single_engine import runtime_folder
from shared_schema.clock import Moment, live_moment
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.archive import put_away_as, result_files, signal_archives
from shared_schema.drop_folder.names import (
    DONE_FOLDER,
    EXECUTED,
    QUARANTINE_FOLDER,
    RESULT_SLOT,
    RESULTS_FOLDER,
    SIGNAL_SLOT,
    done_name,
    result_name,
    signal_name,
)
from shared_schema.errors import FolderError, MessageError, StateError
from shared_schema.ids import SignalId
from shared_schema.logs import read_actions
from shared_schema.messages import ExecutedSignals, OrderSignal, Received, Trade, decode_result, decode_signal
from shared_schema.messages.record import LARGE_FILE, decode
from shared_schema.settings import Settings
from windows_side.execution.order import Order

LOGS = ("mac_dashboard", "order_executor", "bridge_producer")
REPLAYED = 1.0
"""Seconds between wall and market clock beyond which times are of a replay."""

REPLAYED = 1.0
"""Seconds between wall and market clock beyond which a replay is shown."""


@dataclass(frozen=True)
class TraceEvent:
    """Something that happened to the signal at a known moment."""

    at: float
    """Unix seconds, by the clock of the host it happened on."""
    source: str
    what: str
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


_Step = Callable[[], Iterable[TraceEvent]]


@dataclass
class TraceSources:
    """Looks everywhere once. ``facts`` is what has no time of its own; filled by ``events``."""

    folder: DropFolder
    settings: Settings
    signal_id: SignalId
    facts: list[dict[str, Any]] = field(default_factory=list)
    """``what`` names the sentence in ``operate.trace.fact``, the rest fills it."""
    problems: list[str] = field(default_factory=list)
    looked_in: list[str] = field(default_factory=list)
    _ledgers: list[OwnLedger] = field(default_factory=list)
    _entries: list[OutboxEntry] = field(default_factory=list)
    _has_row: bool = False

    def events(self) -> list[TraceEvent]:
        """Every trace, unsorted; what can't be read becomes a problem and hides nothing else."""
        found: list[TraceEvent] = []
        own: tuple[_Step, ...] = (self._from_ledgers, self._from_books, self._from_logs)
        shared: tuple[_Step, ...] = (self._from_signal_files, self._from_results, self._from_quarantine)
        for step in own + shared:
            try:
                found += step()
            except (FolderError, StateError, OSError) as problem:
                self.problems.append(str(problem))
        return list(dict.fromkeys(found))

    def all_ids(self) -> set[str]:
        """Every id seen anywhere, for the nearest ones."""
        ids = {str(entry.signal_id) for entry in self._entries}
        try:
            for ledger in self._ledgers:
                ids.update(ledger.ids())
            for found in self.folder.signals():
                ids.add(found.name.id_part or "")
            for name in signal_archives(self.folder):
                ids.add(name.rpartition("/")[2].removeprefix("order_signal_").removesuffix(".done"))
            for name in result_files(self.folder):
                ids.add(name.rpartition("/")[2].removeprefix("order_result_").removesuffix(".json"))
        except (FolderError, StateError) as problem:
            self.problems.append(str(problem))
        return ids - {""}

    def _fact(self, what: str, **values: Any) -> None:
        self.facts.append({"what": what, **values})

    def _from_ledgers(self) -> Iterator[TraceEvent]:
        self.looked_in.append(str(self.settings.runtime_dir / "ledger_*.sqlite3"))
        self._ledgers = own_ledgers(self.settings.runtime_dir)
        for ledger in self._ledgers:
            source = f"ledger {ledger.mode}"
            order = ledger.order(self.signal_id)
            if order is not None:
                yield from self._row(order, source, ledger)
            for entry in ledger.journal(self.signal_id):
                yield TraceEvent(entry.at, source, entry.action, entry.detail)

    def _row(self, order: Order, source: str, ledger: OwnLedger) -> Iterator[TraceEvent]:
        # The CALLING mark is the journal's "calling"; said twice it would look like two calls.
        moments = {
            "signal_file_written": order.file_time,
            "received": order.received_at,
            "intent": order.intent_at,
            "no_usable_answer": order.unclear_at,
            "cancel_sent": order.cancel_sent_at,
            "final_status_seen": order.final_seen_at,
        }
        for what, at in moments.items():
            if at:
                yield TraceEvent(at, source, what)
        told = Moment(order.changed_at, order.changed_market)
        yield from _trades(order.trades, source, told, order.calling_at)
        self._has_row = True
        self._fact(
            "row",
            state=order.state,
            filled=order.filled_shares,
            revision=order.revision,
            order_id=order.order_id or "-",
            error=order.error_code or "-",
            file=str(ledger.path),
        )

    def _from_books(self) -> Iterator[TraceEvent]:
        self.looked_in.append(str(runtime_folder(self.settings, self.folder.path) / "dashboard_state*.json"))
        for own in own_books(self.settings, self.folder.path, live_moment().wall):
            source = f"books {own.state.strategy}"
            self._entries += own.state.outbox.entries
            for entry in own.state.outbox.entries:
                if entry.target == self.signal_id:
                    yield TraceEvent(entry.timestamp, source, "cancel_decided", entry.signal_id)
                if entry.signal_id != self.signal_id:
                    continue
                intention = entry.intention
                wanted = f"{entry.direction} {entry.code} {intention.shares} @{intention.price:.3f}"
                if entry.timestamp:
                    yield TraceEvent(entry.timestamp, source, "decided", f"{wanted} {entry.reason}".strip())
                if entry.answered_at is not None:
                    yield TraceEvent(entry.answered_at, source, "first_answer_seen")
                if entry.settled_at is not None:
                    yield TraceEvent(entry.settled_at, source, "settled", entry.state)
                self._fact("books", state=entry.state, filled=entry.reported_shares, file=str(own.path))

    def _from_logs(self) -> Iterator[TraceEvent]:
        for name in LOGS:
            path = self.settings.log_dir / f"{name}.log"
            self.looked_in.append(str(path))
            for line in read_actions(path, self.signal_id):
                yield TraceEvent(line.time, f"log {name}", line.action, line.sentence)

    def _from_signal_files(self) -> Iterator[TraceEvent]:
        done = f"{DONE_FOLDER}/{done_name(self.signal_id)}"
        put_away = put_away_as(self.folder, done_name(self.signal_id))
        for name in (signal_name(self.signal_id), SIGNAL_SLOT, done, *put_away):
            self.looked_in.append(str(self.folder.path / name))
            raw = self.folder.read(name)
            if raw is None:
                continue
            try:
                received = decode_signal(raw, name)
            except MessageError as problem:
                if name != SIGNAL_SLOT:
                    self._fact("unusable", file=name, problem=problem.why)
                continue
            if received.body.signal_id == self.signal_id:
                yield from self._signal(name, received)

    def _signal(self, name: str, received: Received[OrderSignal]) -> Iterator[TraceEvent]:
        body, envelope = received.body, received.envelope
        source = f"signal {envelope.writer if envelope is not None else ''}".strip()
        wanted = f"{body.action} {body.direction} {body.code} {body.shares} @{body.price:.3f} {body.reason}"
        yield TraceEvent(body.timestamp, source, "decided", wanted.strip())
        if envelope is not None:
            yield TraceEvent(envelope.written_at, source, "written", f"seq {envelope.seq}")
        self._fact("signal", file=name, expires=stamp_text(body.deadline), executor=body.executor or "-")

    def _from_results(self) -> Iterator[TraceEvent]:
        own = f"{RESULTS_FOLDER}/{result_name(self.signal_id)}"
        for name in (own, RESULT_SLOT, *put_away_as(self.folder, result_name(self.signal_id))):
            self.looked_in.append(str(self.folder.path / name))
            raw = self.folder.read(name)
            if raw is None:
                continue
            try:
                received = decode_result(raw, name)
            except MessageError as problem:
                self._fact("unusable", file=name, problem=problem.why)
                continue
            body = received.body
            if body.signal_id != self.signal_id:
                continue
            source = f"result {received.envelope.writer if received.envelope is not None else ''}".strip()
            filled = f"{body.filled_shares}/{body.requested_shares}"
            told = body.broker_message if body.broker_message not in body.message else ""
            parts = (body.state, filled, body.error_code, body.message, told)
            detail = " ".join(part for part in parts if part)
            yield TraceEvent(body.timestamp, source, f"revision {body.revision} {body.status}", detail)
            if not self._has_row:  # where the ledger is here its trades are these
                envelope = received.envelope
                at = Moment(envelope.written_at, envelope.market_time) if envelope is not None else None
                yield from _trades(body.trades, source, at)
            self._fact("stands", file=name)
        if self._is_executed():
            self._fact("executed")

    def _is_executed(self) -> bool:
        raw = self.folder.read_large(EXECUTED)
        try:
            seed = frozenset(ExecutedSignals.model_fields)
            body = decode(raw, ExecutedSignals, seed_fields=seed, limit=LARGE_FILE).body if raw else None
        except MessageError as problem:
            self._fact("unusable", file=EXECUTED, problem=problem.why)
            return False
        return body is not None and self.signal_id in body.signal_ids

    def _from_quarantine(self) -> Iterator[TraceEvent]:
        self.looked_in.append(str(self.folder.path / QUARANTINE_FOLDER))
        entries = {entry.name: entry for entry in self.folder.list_folder(QUARANTINE_FOLDER)}
        for name, entry in entries.items():
            if not name.endswith(REASON):
                continue
            raw = self.folder.read(f"{QUARANTINE_FOLDER}/{name}") or b""
            if self.signal_id not in name and self.signal_id.encode() not in raw:
                continue
            yield TraceEvent(entry.modified_ns / 1e9, "quarantine", name.removesuffix(REASON), _reason(raw))


def _reason(raw: bytes) -> str:
    try:
        return str(orjson.loads(raw).get("reason", ""))
    except (orjson.JSONDecodeError, AttributeError):
        return raw[:200].decode(errors="replace")


def _trades(
    trades: tuple[Trade, ...], source: str, told: Moment | None, called_at: float = 0.0
) -> Iterator[TraceEvent]:
    """Each fill. Trades carry the market's time: in a replay that is another day's, so it stands in the
    detail and the fill is placed between call and ``told``, the moment on both clocks it was known at."""
    for trade in trades:
        at, detail = trade.time, f"{trade.shares} @{trade.price:.3f} {trade.trade_id}"
        if told is not None and abs(told.wall - told.market) > REPLAYED:
            at = max(called_at, min(told.wall, trade.time + told.wall - told.market))
            detail += f" (market {stamp_text(trade.time)[:19]})"
        yield TraceEvent(at, source, "trade", detail)
