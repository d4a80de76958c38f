"""The bridge producer's loop: source to ``shared_quote.json``, account to ``account_snapshot.json``.

Nothing stale goes out as fresh: while a query fails the file says ``complete: false`` and each quote
keeps the time of its tick. Nothing stops the loop but ``stop``: a source or a folder that fails is
said once, tried again with growing pauses, and its recovery is said too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared_schema.clock import Moment, Stamper
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import (
    ACCOUNT_LIVE,
    HEARTBEAT_FOLDER,
    QUOTE,
    heartbeat_name,
    ring_name,
)
from shared_schema.errors import FolderError
from shared_schema.heartbeats import state_text
from shared_schema.ids import AccountAlias, Epoch, InstanceId
from shared_schema.logs import Log
from shared_schema.messages import (
    Account,
    AccountSnapshot,
    Envelope,
    Heartbeat,
    MinuteBars,
    encode,
)
from shared_schema.sessions import hms, trading_day_of
from windows_side.brokers.account_message import fitting
from windows_side.quotes.gate import Gate
from windows_side.quotes.port import AccountSource, QuoteData, QuoteSource
from windows_side.quotes.readers import STOPPED, Readers
from windows_side.quotes.snapshot import holdings, quote_snapshot
from windows_side.retry import Retry

ALL_ACCOUNTS = AccountAlias("*")
_LONGEST_WAIT = 0.2
"""Seconds: on Windows a longer wait would keep Ctrl+C waiting."""


@dataclass(frozen=True)
class Pace:
    """How often what is written, in seconds."""

    quote_interval: float = 1.0
    quote_ring: int = 0
    """Further quote files that take turns, for sync tools that hold back a file that keeps changing."""
    heartbeat_interval: float = 5 / 3
    account_interval: float = 5.0


@dataclass(frozen=True)
class Identity:
    """Who writes."""

    writer: str
    instance: InstanceId
    epoch: Epoch
    account: AccountAlias


class Producer:
    """One producer of one exchange folder. ``round`` does whatever is due and never waits.

    ``rooms`` are the producers of further accounts' rooms, which show the same quotes after this one.
    """

    def __init__(
        self,
        folder: DropFolder,
        source: QuoteSource,
        account_source: AccountSource,
        identity: Identity,
        readers: Readers,
        gate: Gate,
        log: Log,
        wall_clock: Callable[[], float],
        pace: Pace | None = None,
        rooms: Sequence[Producer] = (),
    ) -> None:
        self._all = (self, *rooms)
        self._folder = folder
        self._source = source
        self._account_source = account_source
        self._identity = identity
        self._readers = readers
        self._log = log
        self._wall_clock = wall_clock
        self._pace = pace or Pace()
        self._gate = gate
        self._quote_stamps, self._account_stamps, self._heartbeat_stamps = (
            Stamper(identity.writer, identity.epoch, source.mode, identity.account) for _ in range(3)
        )
        self._source_retry = Retry()
        self._folder_retry = Retry(0.25, 5.0)
        self._account_is_failing = False
        self._is_started = False
        self._data: QuoteData | None = None
        self._is_fresh = False
        self._account: Account | None = None
        self._account_sent: Account | None = None
        self._shown_seq = 0
        """The seq under which the newest data first went out: a later one repeats it."""
        self._now = 0.0
        self._shown_at = self._quote_at = self._heartbeat_at = self._account_at = self._asked_at = 0.0
        self.state = "starting"
        self._state_sent = ""

    def run(self, wait: Callable[[float], bool]) -> None:
        """Work until ``wait(seconds)`` returns True (asked to stop), then end cleanly."""
        self._log.say("info", "producer_started", folder=self._folder.path, codes=self._source.codes)
        while not wait(min(producer.round() for producer in self._all)):
            pass
        for producer in self._all:
            producer.finish()

    def round(self) -> float:
        """Do whatever is due; returns the seconds until something may be due again."""
        now = self._wall_clock()
        self._notice_jump(now)
        held = self._is_held(now)
        if not held:
            self._poll(now)
        self._query_account(now)
        state = self._state_now()
        if state != self.state:
            self.state = state
            self._log.say("info", "producer_state", state=state, words=state_text(state))
        if now >= self._folder_retry.at:
            self._write_what_is_due(now)
        return self._pause(now, held)

    def finish(self) -> None:
        """Write the last heartbeat, with state "stopped", and close the source."""
        self.state = STOPPED
        try:
            self._write_heartbeat(self._wall_clock())
        except FolderError as problem:
            self._log.say("error", "folder_failed", problem=problem, file=problem.where)
        for part in (self._source, self._account_source):
            try:
                part.stop()
            except Exception as problem:
                self._log.say("error", "source_failed", problem=problem)
        self._log.say("info", "producer_stopped", quotes=self._quote_stamps.seq)

    def _notice_jump(self, now: float) -> None:
        """A clock set back must not keep everything waiting until it is there again (fault 40)."""
        before, self._now = self._now, now
        if now < before:
            self._shown_at = min(self._shown_at, now)
            self._quote_at = self._heartbeat_at = self._account_at = self._asked_at = 0.0
            self._source_retry.at = min(self._source_retry.at, now)
            self._folder_retry.at = min(self._folder_retry.at, now)

    # What to wait for

    def _is_held(self, now: float) -> bool:
        """Whether a replay must not go on yet; live quotes wait for nobody."""
        if self._source.mode != "simulate" or self._data is None:
            return False
        if self._is_fresh:
            return True  # not written yet: a step that went on now would be lost
        if self._gate.is_open or self._data.finished:
            return False
        self._look(now)
        return self._gate.holds(now, self._shown_seq, self._shown_at)

    def _look(self, now: float) -> None:
        if now < self._folder_retry.at:
            return
        try:
            self._readers.look(now)
        except FolderError as problem:
            self._folder_failed(now, problem)

    def _pause(self, now: float, held: bool) -> float:
        if self._folder_retry.is_failing:
            return _within(self._folder_retry.at - now)
        if held:
            return self._gate.wait
        due = self._source.next_due(now) if self._is_started else 0.0
        waits = [self._quote_at - now, self._heartbeat_at - now]
        waits.append(self._source_retry.at - now if self._source_retry.is_failing else due or 0.0)
        if due is None and not self._source_retry.is_failing:
            waits.pop()
        return _within(min(waits))

    def _state_now(self) -> str:
        if self._folder_retry.is_failing:
            return "folder_failed"
        if self._source_retry.is_failing:
            return "source_failed"
        if self._data is None:
            return "starting"
        if self._data.finished:
            return "finished"
        waits = self._source.mode == "simulate" and not self._gate.is_released
        return "waiting_for_readers" if waits else "running"

    # What to ask

    def _poll(self, now: float) -> None:
        if now < self._source_retry.at:
            return
        try:
            if not self._is_started:
                self._source.start()
                self._is_started = True
            data = self._source.poll(now)
        except Exception as problem:  # foreign code: whatever it raises, quotes go on as incomplete
            if not self._source_retry.is_failing:
                self._log.say("error", "source_failed", problem=problem)
                self._quote_at = now  # what stands in the folder is complete no more: say so at once
            self._source_retry.failed(now)
            return
        if self._source_retry.is_failing:
            self._log.say("info", "source_recovered")
            self._source_retry.passed()
            self._is_fresh = self._data is not None
        if data is not None:
            self._data = data
            self._is_fresh = True

    def _query_account(self, now: float) -> None:
        if self._data is None or now < self._asked_at + self._pace.quote_interval:
            return
        self._asked_at = now
        prices = {code: quote.price for code, quote in self._data.quotes.items()}
        account, reason = None, None
        try:
            account = self._account_source.account(self._moment(now), prices)
        except Exception as problem:  # as above
            reason = problem
        if account is not None:
            if self._account_is_failing:
                self._log.say("info", "account_recovered")
            self._account_is_failing = False
            self._account = account
            return
        if not self._account_is_failing:
            self._log.say("error", "account_failed", problem=reason, detail=str(reason or "-"))
        self._account_is_failing = True
        last = self._account or Account()
        self._account = last.model_copy(update={"complete": False})

    # What to write

    def _write_what_is_due(self, now: float) -> None:
        try:
            if self._data is not None and (self._is_fresh or now >= self._quote_at):
                self._write_quotes(now, self._data)
            if self._account is not None and self._account_is_due(now, self._account):
                self._write_account(now, self._account)
            if self.state != self._state_sent or now >= self._heartbeat_at:
                self._look(now)
                self._write_heartbeat(now)
        except FolderError as problem:
            self._folder_failed(now, problem)
            return
        if self._folder_retry.is_failing:
            self._log.say("info", "folder_works_again", folder=self._folder.path)
            self._folder_retry.passed()

    def _folder_failed(self, now: float, problem: FolderError) -> None:
        if not self._folder_retry.is_failing:
            self._log.say("error", "folder_failed", problem=problem, file=problem.where)
        self._folder_retry.failed(now)

    def _write_quotes(self, now: float, data: QuoteData) -> None:
        moment = self._moment(now)
        envelope = self._stamp(self._quote_stamps, moment)
        body = quote_snapshot(
            self._source.codes, data, self._account, hms(moment.market), failing=self._source_retry.is_failing
        )
        raw = encode(envelope, body, self._folder.key)
        self._folder.publish(QUOTE, raw, durable=False)
        if self._pace.quote_ring:
            self._folder.publish(ring_name(envelope.seq % self._pace.quote_ring), raw, durable=False)
        if self._is_fresh:
            self._is_fresh = False
            self._shown_seq, self._shown_at = envelope.seq, now
            self._tell_quote(envelope, data)
        self._quote_at = now + self._pace.quote_interval

    def _tell_quote(self, envelope: Envelope, data: QuoteData) -> None:
        code = self._source.codes[0]
        quote, bars = data.quotes.get(code), data.bars.get(code, MinuteBars())
        if quote is None:
            return
        at_bar_end = bool(bars.time) and bars.time[-1] == data.market_time
        self._log.say(
            "info" if at_bar_end else "debug",
            "quote_published",
            code=code,
            price=quote.price,
            volume=quote.volume,
            market_time=hms(data.market_time),
            seq=envelope.seq,
        )

    def _account_is_due(self, now: float, account: Account) -> bool:
        return now >= self._account_at or holdings(account) != holdings(self._account_sent)

    def _write_account(self, now: float, account: Account) -> None:
        envelope = self._stamp(self._account_stamps, self._moment(now), ALL_ACCOUNTS)
        body = AccountSnapshot(accounts={self._identity.account: fitting(account)})
        self._folder.publish(ACCOUNT_LIVE, encode(envelope, body, self._folder.key), durable=False)
        self._account_sent = account
        self._account_at = now + self._pace.account_interval

    def _write_heartbeat(self, now: float) -> None:
        body = Heartbeat(
            role="producer",
            instance=self._identity.instance,
            ready=self.state in ("running", "waiting_for_readers", "finished"),
            state=self.state,
            seen=self._readers.seen,
            accounts=(self._identity.account,),
        )
        name = f"{HEARTBEAT_FOLDER}/{heartbeat_name('producer', self._identity.instance)}"
        envelope = self._stamp(self._heartbeat_stamps, self._moment(now))
        self._folder.publish(name, encode(envelope, body, self._folder.key))
        self._state_sent = self.state
        self._heartbeat_at = now + self._pace.heartbeat_interval

    def _moment(self, now: float) -> Moment:
        market = self._source.market_now()
        return Moment(now, now if market is None else market)

    def _stamp(self, stamps: Stamper, moment: Moment, account: AccountAlias | None = None) -> Envelope:
        return stamps.next(moment, trading_day_of(moment.market), account)


def _within(seconds: float) -> float:
    return max(0.0, min(_LONGEST_WAIT, seconds))
