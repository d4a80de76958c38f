"""The engine's core: events in, commands out. No file, no clock, no thread.

The order within one answer matters and is fixed in ``_answer``: the state is made durable first, then
signals go out, then the heartbeat tells of it. Everything the core decides with is in ``state`` (what
must never be forgotten) or was told by events since the start (what the folder tells again).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from mac_side.books import Intention
from mac_side.bridge_client.link import executor_to_bind, link_of
from mac_side.engine_account import SeenAccount, account_of, same_day, without_future
from mac_side.engine_events import (
    AccountSeen,
    BeatsSeen,
    EngineCommand,
    EngineEvent,
    HaltsSeen,
    KeepBooks,
    OperatorSaid,
    PoolSeen,
    PublishSignal,
    QuoteSeen,
    Republish,
    ResultSeen,
    SaveState,
    SettingsSeen,
    StampsSeen,
    Tick,
    TwinSeen,
    WriteHalt,
    WriteHeartbeat,
)
from mac_side.engine_halts import follow_executor, halt_by_hand, latch_seen, own_halts, resume_by_hand
from mac_side.engine_rules import Hold, other_writer_hold, twin_hold
from mac_side.engine_signals import Wish
from mac_side.engine_trader import EngineTrader
from mac_side.ex_date import DayClose, answered, day_before, said_of, with_factor
from mac_side.settling import settle
from shared_schema.clock import Moment
from shared_schema.drop_folder.names import halt_name
from shared_schema.ids import SignalId
from shared_schema.link_health import echoes_of
from shared_schema.messages import Halt, Seen
from shared_schema.words import say


@dataclass
class EngineCore(EngineTrader):
    """One strategy on one code. ``handle`` is its only door."""

    def handle(self, event: EngineEvent, now: Moment) -> list[EngineCommand]:
        """What follows from ``event`` at ``now``."""
        was_halted = self.state.halted
        match event:
            case QuoteSeen():
                self._on_quote(event, now)
            case ResultSeen():
                self._on_result(event, now)
            case BeatsSeen():
                self._on_beats(event, now)
            case TwinSeen(at):
                self._turn_read_only(twin_hold(at), now)
            case StampsSeen():
                self._on_stamps(event, now)
            case AccountSeen():
                self._on_account(event, now)
            case PoolSeen():
                self._on_pool(event, now)
            case HaltsSeen():
                changed = latch_seen(self.state, event.files, now.wall, event.key)
                word = "halt_latched" if changed.halted else "halt_lifted"
                self._become(changed, word if changed.halts != self.state.halts else "halt_file_gone", now)
            case OperatorSaid():
                self._on_operator(event, now)
            case SettingsSeen():
                for word in ("settings_broken", "settings_changed"):
                    self._clear(word)
                if event.word != "settings_as_started":
                    self._alarm(event.word, event.sentence, now)
            case Tick():
                self._say_calendar(now)
                self._tell_rests(now)
                # Else each would be refused, and again with the next.
                if self._key_hold(now) is None and self.read_only is None:
                    self._further.append(Republish())
                self._announce(now)
        if was_halted and not self.state.halted:
            self._lift_rests(now)  # what was refused under the halt may be wanted now
        return self._answer(event, now)

    def begin(self, now: Moment) -> list[EngineCommand]:
        """Before the first event: the other side hears that we live before it reads a signal of ours."""
        self.judge(now)
        self._say_ex_date(now)
        self._say_calendar(now)
        self._tell_rests(now)
        said, self._further = self._further, []
        return [*said, WriteHeartbeat(self._heartbeat(now))]

    def _say_calendar(self, now: Moment) -> None:
        """Once each trading day, as an alarm of its own: an engine that runs for months is to say it too."""
        days = self._calendar_end.days_to_say(now.wall)
        if days is not None:
            self._clear("calendar")
            self._alarm("calendar", say("dashboard.calendar_ends_soon", days=days), now)

    def _answer(self, event: EngineEvent, now: Moment) -> list[EngineCommand]:
        if isinstance(event, QuoteSeen):
            self.judge(now)  # for the heartbeat; a tick has judged already, and a view judges for itself
        # A copy of the books is taken before they are overwritten; nothing else may precede the save.
        before = [command for command in self._further if isinstance(command, KeepBooks)]
        after = [command for command in self._further if not isinstance(command, KeepBooks)]
        save: list[EngineCommand] = [SaveState()] if self._changed else []
        publish = [PublishSignal(identity) for identity in self._to_publish]
        beat = [WriteHeartbeat(self._heartbeat(now))] if isinstance(event, QuoteSeen | Tick) else []
        self._changed, self._to_publish, self._further = False, [], []
        return [*before, *save, *publish, *after, *beat]

    # Results, account, heartbeats, halts, the person

    def _on_result(self, event: ResultSeen, now: Moment) -> None:
        offline = self.config.offline
        lenient = self.state.mode == "simulate" or offline
        settled = settle(self.state, event.received, now, version_1_allowed=lenient, offline=offline)
        result, entry = event.received.body, settled.entry
        if entry is None:
            return
        if settled.problem:
            sentence = say(f"dashboard.result_{settled.problem}", signal_id=result.signal_id)
            self._alarm(f"result:{result.signal_id}", sentence, now)
        self.state = settled.state
        if settled.outcome != "refused":
            self._at_broker.heard(event.received, entry)
        if not settled.must_save:
            if settled.outcome == "noted":
                if result.state == "unknown":
                    self._alarm(
                        f"unknown:{result.signal_id}",
                        say("dashboard.result_unknown", signal_id=result.signal_id),
                        now,
                    )
                self._say(
                    "info",
                    "result_seen",
                    now,
                    signal_id=result.signal_id,
                    state=entry.state,
                    filled=result.filled_shares,
                )
            return
        self._changed = True
        if result.signal_id in self.sent_here:
            self._turn_read_only(other_writer_hold(result, self.state.strategy), now)
        self._clear(f"unknown:{result.signal_id}")
        self._tell_rests(now)
        self._say(
            "info" if settled.outcome == "applied" else "warning",
            "result_applied" if settled.outcome == "applied" else "late_fill_applied",
            now,
            signal_id=result.signal_id,
            state=entry.state,
            filled=result.filled_shares,
            requested=entry.intention.shares,
            message=result.message,
        )

    def _turn_read_only(self, why: Hold | None, now: Moment) -> None:
        """Until a restart nothing is sent any more, no cancel either: another one trades under our name."""
        if why is not None and self.read_only is None:
            self.read_only = why
            self._alarm(why.word, why.sentence, now)

    def _on_account(self, event: AccountSeen, now: Moment) -> None:
        found = account_of(event.received, self.state)
        if found is None:
            return
        if not self._newest_account.takes((found.envelope.epoch, found.envelope.seq)):
            return
        self.account = found
        outbox = without_future(self.state.outbox, found, now.wall + self.config.skew_limit)
        if outbox is not self.state.outbox:
            self._become(replace(self.state, outbox=outbox), "settled_in_future", now)
        self.seen["account_snapshot"] = Seen(
            epoch=found.envelope.epoch,
            seq=found.envelope.seq,
            written_at=found.envelope.written_at,
            received_at=now.wall,
        )
        if self._zero.must_clear(self.state, found, self.config.code, now):
            self._clear_books(now)
        self._compare_position(found, now)

    def _compare_position(self, found: SeenAccount, now: Moment) -> None:
        """Shares sold by hand: said, nothing traded; a person puts books or account right."""
        position = found.position(self.config.code)
        if position is not None:
            self._compare_over_ex_date(found, position.volume, now)
        held, wanted = position.volume if position is not None else None, self.state.books.expected_shares
        if held is not None and held >= wanted:
            self._clear("position_short")
        if held is not None and self._short.is_proven(self.state, found, self.config.code, now):
            sentence = say("dashboard.position_short", held=held, wanted=wanted, code=self.config.code)
            self._alarm("position_short", sentence, now)

    def _compare_over_ex_date(self, found: SeenAccount, held: int, now: Moment) -> None:
        """Shares that came or went with a corporate action: said, kept for the split, nothing is traded."""
        waits, before = self.state.ex_date, self.state.day_close
        if waits is None or before is None or before.shares in (None, held) or before.day >= waits.day:
            return
        traded = any(e.trading_day > before.day and e.is_order for e in self.state.outbox.entries)
        if found.account.complete and same_day(found, now) and not traded:
            counted = replace(waits, shares_before=before.shares, shares=held)
            self._become(replace(self.state, ex_date=counted), "ex_date_counted", now)
            sentence = say("dashboard.ex_date_shares", code=self.config.code, before=before.shares, held=held)
            self._alarm("ex_date_shares", sentence, now)

    def _clear_books(self, now: Moment) -> None:
        """The account is the truth: what it does not hold, the books do not hold."""
        books = self.state.books
        label = f"before-clear-{int(now.wall)}"
        self._further.append(KeepBooks(label))
        cleared = replace(books, lots=(), top_ups=(), shortfall=0, before_flat=None)
        self.state = replace(self.state, books=cleared)
        self._changed = True
        self._alarm("cleared", say("dashboard.books_cleared", shares=books.shares, copy=label), now)
        self._say("warning", "books_cleared", now, shares=books.shares, copy=label)

    def _on_beats(self, event: BeatsSeen, now: Moment) -> None:
        self.link = link_of(event.beats)
        self.key_troubles = event.key_troubles
        if self.state.executor is None:
            met = executor_to_bind(event.beats, now.wall, self.config.red_after, self.state.mode)
            if met is not None and met.account == self.state.account:
                self._become(replace(self.state, executor=met.instance), "executor_bound", now)
        beat = self.link.executor(self.state.executor)
        self.seen.update(echoes_of(event.beats))
        self._become(follow_executor(self.state, beat), "halt_followed", now)

    def _on_stamps(self, event: StampsSeen, now: Moment) -> None:
        if not self._rollback.sees(event, now.wall, now.market):
            return
        # Under our own name: a person lifts it at this host, with the screen's key or miniqmt resume.
        body = Halt(reason=say("link.rolled_back"), by=self.state.writer, at=now.wall)
        self._become(halt_by_hand(self.state, halt_name(self.state.writer), body), "folder_rolled_back", now)
        self._alarm("rolled_back", say("link.rolled_back_alarm"), now)

    def _on_operator(self, event: OperatorSaid, now: Moment) -> None:
        command = event.command
        if command.too_old(now.wall):
            self._say("warning", "command_too_old", now, kind=command.kind)
            return
        name = halt_name(self.state.writer)
        if command.kind in ("resume", "unpause"):
            self._lift_rests(now)
        match command.kind:
            case "halt" | "resume":
                halted = command.kind == "halt"
                body = Halt(
                    halt=halted, reason=command.argument, by=command.by or self.state.writer, at=now.wall
                )
                today = self.config.writer
                for written in [name] if halted else own_halts(self.state, today):
                    self._further.append(WriteHalt(body, written))
                if halted:
                    self._become(halt_by_hand(self.state, name, body), "halted_by_hand", now)
                else:
                    self._lift(today, now)
                self._clear("rolled_back")
            case "pause" | "unpause":
                if command.kind == "pause" and not self.state.halted:
                    self._told = "paused"  # whoever pressed the key is told once: that it is done
                self._become(replace(self.state, paused=command.kind == "pause"), command.kind, now)
            case "cancel":
                self._cancel(SignalId(command.argument), now)
            case "adjust":
                self._adjust(command.argument, now)

    def _lift(self, today: str, now: Moment) -> None:
        """This host's own halts, and those the executor was lifted over, or never had."""
        unheld = self.unheld_halts(now)
        if unheld:
            self._say("warning", "lifted_here", now, names=", ".join(halt.name for halt in unheld))
        self._become(resume_by_hand(self.state, today, unheld), "resumed_by_hand", now)

    def _adjust(self, answer: str, now: Moment) -> None:
        """A person says what the ex-date was: anchor and lots follow, and buys go on."""
        waits, (chosen, factor) = self.state.ex_date, said_of(answer)
        books, code = None, self.config.code
        if waits is not None and chosen is not None and not self.state.outbox.open_orders:
            books = answered(self.state.books, with_factor(waits, factor, code), chosen, code)
        if waits is None or chosen is None or books is None:
            self._say("warning", "nothing_to_adjust", now, answer=answer)
            return
        self._further.append(KeepBooks(f"before-adjust-{int(now.wall)}"))
        before = day_before(date.fromisoformat(waits.day), self.config.calendar)
        known = self.state.day_close
        if before is not None and (known is None or known.day <= before):
            known = DayClose(before, waits.pre_close)
        changed = replace(
            self.state,
            books=books,
            ex_date=None,
            day_close=known,
        )
        self._become(changed, f"adjusted_{chosen}", now)
        self._clear("ex_date")
        self._clear("ex_date_shares")

    def _cancel(self, target: SignalId, now: Moment) -> None:
        entry = self.state.outbox.get(target)
        asked = any(other.target == target for other in self.state.outbox.open)
        if (
            entry is None
            or entry.settled
            or not entry.is_order
            or entry.adopted
            or asked
            or self.state.executor is None
            or self.read_only is not None
        ):
            self._say("warning", "nothing_to_cancel", now, signal_id=target)
            return
        intention = Intention("cancel", entry.intention.shares, entry.intention.price)
        wish = Wish(
            entry.direction,
            entry.code,
            entry.layer,
            intention.shares,
            intention.price,
            "cancel",
            target=target,
        )
        self._send(wish, lambda _: (self.state.books, intention), now)
