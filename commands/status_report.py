"""The facts of ``miniqmt status`` as plain values: what the folder shows, and what this host keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from commands.folder_view import STOPPED, Beat, FolderView, HaltFile
from commands.newest_day import newest_day_since
from commands.own_files import own_books, own_ledgers
from commands.status_attention import attention_of
from commands.status_dashboards import dashboards_report
from commands.status_link import link_needs, link_report, refused_needs, refused_report
from mac_side.engine_account import FINAL_STATUSES, OUR_REMARK
from mac_side.engine_halts import was_lifted
from mac_side.held_lots import lots_held
from mac_side.shared_pool import SeenPool
from mac_side.state_file import DashboardState
from shared_schema.clock import host_name
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import MiniqmtError
from shared_schema.messages import Account, OrderResult, Received
from shared_schema.messages.account import AccountOrder
from shared_schema.sessions import date_of, trading_day_of
from shared_schema.settings import Settings
from shared_schema.trading_calendar import calendar_of_this_host
from windows_side.execution.halt_latch import HaltLatch

FORMAT = 1
"""Of the JSON: rises when a key is taken away or changes its meaning."""
NEWEST = 5
"""Results and quarantine entries shown."""


@dataclass
class StatusReport:
    """Gathers once; ``now`` is wall Unix seconds."""

    folder: DropFolder
    settings: Settings
    now: float
    _latches: list[HaltLatch] = field(default_factory=list)
    _states: list[DashboardState] = field(default_factory=list)

    def gather(self) -> dict[str, Any]:
        """Everything; ``attention`` names what needs a person. Raises FolderError."""
        view = FolderView(self.folder)
        beats, halts, raws = view.beats(), view.halts(), self.folder.halts()
        quote, accounts = self._quote(view), self._accounts(view)
        signals, results, quarantined = self._signals(view), view.results(), view.quarantined()
        # Named before what this host keeps is read: its damage is told beside, and hides nothing.
        problems = [{"file": name, "problem": text} for name, text in view.problems]
        ledgers, books = self._ledgers(problems, beats), self._books(problems)
        unknown = {received.body.signal_id for received in results if received.body.state == "unknown"}
        unknown.update(identity for ledger in ledgers for identity in ledger["unknown"])
        report: dict[str, Any] = {
            "format": FORMAT,
            "at": self.now,
            "host": host_name(),
            "folder": str(self.folder.path),
            "offline": self.folder.is_offline(),
            "heartbeats": self._heartbeats(beats),
            "links": link_report(beats, self.now, self.settings.sync.defaults.heartbeat_red_after),
            "quote": quote,
            "accounts": accounts,
            "pool": self._pool(view),
            "dashboards": dashboards_report(self.settings.runtime_dir, self.folder.path, self.now),
            "signals_waiting": signals,
            "results": [_result(received) for received in results[:NEWEST]],
            "refused_link_down": refused_report(results, self.now),
            "unknown_orders": sorted(unknown),
            "halts": [self._halt(file, raws.get(file.name)) for file in halts],
            "quarantine": {
                "count": len(quarantined),
                "recent": view.quarantined_since(newest_day_since(self.now)),
                "newest": quarantined[:NEWEST],
            },
            "calendar": self._calendar(problems),
            "ledgers": ledgers,
            "books": books,
            "problems": problems,
        }
        report["attention"] = refused_needs(report["refused_link_down"]) + list(attention_of(report))
        report["attention"] += link_needs(report["links"], self.settings.limits.skew_seconds)
        return report

    def _heartbeats(self, beats: list[Beat]) -> list[dict[str, Any]]:
        limit = self.settings.sync.defaults.heartbeat_red_after
        shown = []
        for beat in beats:
            body, envelope = beat.body, beat.envelope
            age = beat.age(self.now)
            colour = "stopped" if body.state == STOPPED else "green" if age <= limit else "red"
            if colour == "red" and _replaced(beat, beats):
                colour = "replaced"
            shown.append(
                {
                    "role": body.role,
                    "instance": body.instance,
                    "writer": envelope.writer,
                    "mode": envelope.mode,
                    "account": envelope.account,
                    "age": round(age, 3),
                    "ahead": round(max(0.0, envelope.written_at - self.now), 3),
                    "colour": colour,
                    "ready": body.ready,
                    "state": body.state,
                    "halt_since": body.halt_since,
                    "strategy": body.strategy,
                }
            )
        return shown

    def _quote(self, view: FolderView) -> dict[str, Any] | None:
        newest = view.quote()
        if newest is None:
            return None
        received, modified = newest
        envelope, body = received.envelope, received.body
        written = envelope.written_at if envelope is not None else modified
        prices = {code: quote.price for code, quote in body.quotes.items()} or {body.code: body.price}
        return {
            "age": round(max(0.0, self.now - written), 3),
            "market_time": envelope.market_time if envelope is not None else None,
            "mode": envelope.mode if envelope is not None else None,
            "complete": body.complete,
            "prices": prices,
        }

    def _accounts(self, view: FolderView) -> list[dict[str, Any]]:
        return [
            {
                "file": name,
                "age": round(max(0.0, self.now - received.envelope.written_at), 3),
                "mode": received.envelope.mode,
                "accounts": {alias: _account(account) for alias, account in received.body.accounts.items()},
            }
            for name, received in view.accounts().items()
            if received.envelope is not None
        ]

    def _pool(self, view: FolderView) -> dict[str, Any] | None:
        received = view.pool()
        if received is None or received.envelope is None:
            return None
        use = SeenPool(received.body, received.envelope).use
        return {
            "age": round(max(0.0, self.now - received.envelope.written_at), 3),
            "total": received.body.pool_total,
            "used": round(sum(use.used.values()), 2),
            "frozen": round(sum(use.frozen.values()), 2),
            "by_code": {code: round(use.of(code), 2) for code in sorted({*use.used, *use.frozen})},
        }

    def _signals(self, view: FolderView) -> list[dict[str, Any]]:
        shown = []
        for name, received, modified in view.signals():
            signal = received.body if received is not None else None
            shown.append(
                {
                    "file": name,
                    "signal_id": signal.signal_id if signal else None,
                    "age": round(max(0.0, self.now - (signal.timestamp if signal else modified)), 3),
                    "expired": self.now > signal.deadline if signal else None,
                    "executor": signal.executor if signal else None,
                }
            )
        return shown

    def _calendar(self, problems: list[dict[str, str]]) -> dict[str, Any] | None:
        try:
            calendar = calendar_of_this_host()
        except MiniqmtError as problem:
            problems.append(_problem(problem))
            return None
        today = date_of(self.now)
        return {"days_left": calendar.days_left(today), "ends_soon": calendar.ends_soon(today)}

    def _halt(self, file: HaltFile, raw: bytes | None) -> dict[str, Any]:
        # By what this host remembers, not by the file: it may lie there for months.
        lifted = file.halts and (
            any(latch.was_lifted(file.name, raw) for latch in self._latches)
            or any(was_lifted(state, file.name, raw) for state in self._states)
        )
        return {
            "file": file.name,
            "halt": file.halts and not lifted,
            "lifted_here": lifted,
            "by": file.writer,
            "reason": file.reason,
        }

    def _ledgers(self, problems: list[dict[str, str]], beats: list[Beat]) -> list[dict[str, Any]]:
        # In a replay the executor's day is the market's: its own heartbeat says which.
        days = {str(beat.body.instance): beat.envelope.trading_day for beat in beats if _is_replayed(beat)}
        today = trading_day_of(self.now)
        try:
            ledgers = own_ledgers(self.settings.runtime_dir)
            self._latches = [ledger.halt for ledger in ledgers]
            return [
                {
                    "file": str(ledger.path),
                    "instance": ledger.instance,
                    "mode": ledger.mode,
                    "account": ledger.account,
                    "day": days.get(ledger.instance, today),
                    "today": ledger.states_of(days.get(ledger.instance, today)),
                    "unknown": ledger.unknown(),
                    "halted_by": {name: halt.reason for name, halt in sorted(ledger.halt.active.items())},
                }
                for ledger in ledgers
            ]
        except MiniqmtError as problem:
            problems.append(_problem(problem))
            return []

    def _books(self, problems: list[dict[str, str]]) -> list[dict[str, Any]]:
        try:
            found = own_books(self.settings, self.folder.path, self.now)
            self._states = [own.state for own in found]
            return [
                {
                    "file": str(own.path),
                    "mode": own.state.mode,
                    "account": own.state.account,
                    "strategy": own.state.strategy,
                    "executor": own.state.executor,
                    "layers": len(own.state.books.lots),
                    "shares": sum(lot.shares for lot in lots_held(own.state.books, own.state.outbox)),
                    "open_signals": [entry.signal_id for entry in own.state.outbox.unanswered],
                    "halted_by": {halt.name: halt.reason for halt in own.state.halts},
                    "paused": own.state.paused,
                    "ex_date": own.state.ex_date.day if own.state.ex_date else None,
                }
                for own in found
            ]
        except MiniqmtError as problem:
            problems.append(_problem(problem))
            return []


def _is_replayed(beat: Beat) -> bool:
    return abs(beat.envelope.market_time - beat.envelope.written_at) > 1.0


def _replaced(beat: Beat, beats: list[Beat]) -> bool:
    """Whether a newer process of the same role, mode, account and strategy has taken its place."""
    return any(
        other.body.role == beat.body.role
        and (other.envelope.mode, other.envelope.account) == (beat.envelope.mode, beat.envelope.account)
        and other.body.strategy == beat.body.strategy
        and other.envelope.written_at > beat.envelope.written_at
        for other in beats
        if other is not beat
    )


def _problem(problem: MiniqmtError) -> dict[str, str]:
    return {"file": problem.where, "problem": f"{problem.what}: {problem.why} {problem.next_step}"}


def _account(account: Account) -> dict[str, Any]:
    asset = account.asset
    return {
        "complete": account.complete,
        "cash": asset.cash,
        "total_asset": asset.total_asset,
        "frozen_cash": asset.frozen_cash,
        "market_value": asset.market_value,
        "positions": {code: held.volume for code, held in account.positions.items() if held.volume},
        "can_use": {code: held.can_use_volume for code, held in account.positions.items() if held.volume},
        "orders": [_order(order) for order in account.orders],
    }


def _order(order: AccountOrder) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "code": order.code,
        "direction": order.direction,
        "price": order.price,
        "shares": order.shares,
        "filled_shares": order.filled_shares,
        "status": order.status,
        "open": order.status not in FINAL_STATUSES,
        "ours": order.remark.startswith(OUR_REMARK),
        "at": order.time,
    }


def _result(received: Received[OrderResult]) -> dict[str, Any]:
    body = received.body
    return {
        "signal_id": body.signal_id,
        "status": body.status,
        "state": body.state,
        "revision": body.revision,
        "filled_shares": body.filled_shares,
        "requested_shares": body.requested_shares,
        "error_code": body.error_code,
        "message": body.message,
        "at": body.timestamp,
    }
