"""Notices to a person's phone or desk: an output of the log that sends, on a thread of its own, what matters.

What is a notice is told by the stable word of the log line, so nothing that trades knows of it. A full
queue drops, a channel that hangs stops only this thread, and both are counted and said in the log. Addresses
are secrets: they stand in the local settings alone, and only their kind (``wecombot``) is ever shown.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from shared_schema.log_lines import Line
from shared_schema.logs import Log
from shared_schema.notice_channels import Sent, channels
from shared_schema.settings_sections import Notices
from shared_schema.words import say

Kind = Literal["fills", "rejections", "unknown", "halt", "link", "reconcile", "alarms"]

KINDS: Mapping[str, Kind] = {
    "late_trade": "fills",
    "late_fill_applied": "fills",
    "refused": "rejections",
    "qmt_order_error": "rejections",
    "order_unknown": "unknown",
    "order_candidates": "unknown",
    "order_id_of_another": "unknown",
    "order_id_unseen": "unknown",
    "resolve_refused": "unknown",
    "halted": "halt",
    "resumed": "halt",
    "halt_latched": "halt",
    "halted_by_hand": "halt",
    "trading_locked": "halt",
    "impossible_event": "halt",
    "ledger_put_back": "halt",
    "folder_rolled_back": "halt",
    "executor_must_stop": "halt",
    "account_stopped": "halt",
    "dashboard_must_stop": "halt",
    "supervised_died": "halt",
    "supervised_hung": "halt",
    "supervised_given_up": "halt",
    "link_down": "link",
    "link_up": "link",
    "clock_skew": "link",
    "folder_failed": "link",
    "folder_works_again": "link",
    "broker_not_ready": "link",
    "day_unanswered": "link",
    "account_unanswered": "link",
    "day_files_failed": "reconcile",
    "alarm": "alarms",
    "queue_full": "alarms",
    "calendar_ends_soon": "alarms",
    "settings_broken": "alarms",
    "not_signed": "alarms",
    "file_held": "alarms",
    "code_without_quotes": "alarms",
    "tick_ahead": "alarms",
}
"""By the log's action word; ends of orders are told apart by their fills."""
_ENDS = ("order_ended", "result_applied")

WAITING = 200
"""Notices that may wait before further ones are dropped."""
TOGETHER = 20
"""Notices sent as one message at most: a channel allows some twenty messages a minute."""
PAUSE = 3.0
"""Seconds between two messages."""
CLOSES_WITHIN = 3.0
"""Seconds that a process which ends waits for its last notice."""


class Sender(Protocol):
    """Sends one message; may take long, may raise."""

    def __call__(self, title: str, body: str, *, silent: bool) -> Sent: ...


def kind_of(line: Line) -> Kind | None:
    """What kind of notice a line is; None for one that is none."""
    if line.action in _ENDS:
        return "fills" if line.fields.get("filled", "0") not in ("0", "") else "rejections"
    return KINDS.get(line.action)


class NoticeOutput:
    """An output of ``log``. ``dropped`` and ``failed`` count what nobody was told."""

    def __init__(
        self,
        log: Log,
        wanted: Notices,
        sender: Callable[[], Sender],
        host: str,
        *,
        waiting: int = WAITING,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        """``sender`` is made on the thread: loading a library takes a second that nobody waits for."""
        self.dropped = self.failed = 0
        self._log = log
        self._wanted = wanted
        self._make = sender
        self._host = host
        self._pause = pause
        self._told = 0
        self._queue: queue.Queue[tuple[Line, bool] | None] = queue.Queue(waiting)
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)
        self._thread.start()

    def write(self, line: Line) -> None:
        """Queue the line where it is a notice that is wanted; never waits."""
        kind = kind_of(line)
        how = getattr(self._wanted, kind) if kind is not None else "off"
        if how == "off":
            return
        try:
            self._queue.put_nowait((line, how == "silent"))
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Let the thread send what waits, for a few seconds at most."""
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(CLOSES_WITHIN)

    def _run(self) -> None:
        try:
            send = self._make()
        except Exception as problem:  # whatever a library does at its loading: said, and nothing is sent
            self._log.say("error", "notices_off", problem=problem)
            return
        while (first := self._queue.get()) is not None:
            batch, ended = [first], False
            while len(batch) < TOGETHER and not ended:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                ended = more is None
                batch += [more] if more is not None else []
            self._send(send, batch)
            if ended:
                return
            self._pause(PAUSE)

    def _send(self, send: Sender, batch: list[tuple[Line, bool]]) -> None:
        loud = [line for line, silent in batch if not silent]
        lines = [line.short for line, _ in batch]
        if self.dropped > self._told:
            lines.append(say("notices.dropped", count=self.dropped - self._told))
            self._told = self.dropped
            self._log.say("warning", "notices_dropped", count=self.dropped)
        try:
            title = say("notices.title", host=self._host, count=len(batch))
            sent = send(title, "\n".join(lines), silent=not loud)
        except Exception as problem:  # a channel may raise anything; trading goes on and so do we
            self.failed += 1
            self._log.say("warning", "notice_failed", channels="?", detail=type(problem).__name__)
            return
        if sent.failed:
            self.failed += 1
            self._log.say("warning", "notice_failed", channels=", ".join(sent.failed), detail="")


def attach(log: Log, wanted: Notices, host: str) -> None:
    """Let ``log`` send notices where the settings name channels; nothing where they do not."""
    if not wanted.urls:
        return
    log.also(NoticeOutput(log, wanted, lambda: channels(wanted.urls), host))
