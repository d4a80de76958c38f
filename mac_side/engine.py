"""The live loop around the core: folder and private files in, durable state and signals out.

The order of one turn is fixed: halts and heartbeats first (halt wins), then results, then quotes. The
state is on the disk before a signal it knows of is in the folder; where the disk refuses, the process
stops (fault 12).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mac_side.engine_core import EngineCore
from mac_side.engine_events import (
    EngineCommand,
    EngineEvent,
    KeepBooks,
    OperatorSaid,
    PublishSignal,
    QuoteSeen,
    Republish,
    SaveState,
    Say,
    SettingsSeen,
    Tick,
    WriteHalt,
    WriteHeartbeat,
)
from mac_side.engine_files import EngineFiles
from mac_side.engine_meeting import Meeting
from mac_side.engine_memory import EngineConfig
from mac_side.engine_place import Place
from mac_side.engine_showing import Showing
from mac_side.engine_signals import outbox_signed_again
from mac_side.engine_view import make_view, waiting_view
from mac_side.engine_wait import FolderGlance, wait_for_news
from mac_side.engine_writing import EngineWriting
from mac_side.other_dashboard import TwinWatch
from mac_side.points import Point
from mac_side.settling import check_is_ours, check_never_ran, check_not_rolled_back, of_code
from mac_side.state_file import StateFile
from mac_side.view import View, write_view
from shared_schema.clock import Moment, ReplayFollower, random_ending
from shared_schema.drop_folder.names import halt_name
from shared_schema.errors import FolderError, StateError
from shared_schema.link_health import beat_stream
from shared_schema.logs import Log
from shared_schema.messages import Halt
from shared_schema.points import Reach, pass_by
from shared_schema.sessions import trading_day_of
from shared_schema.settings_watch import SettingsWatch
from shared_schema.watch import FolderWatch
from shared_schema.words import say

__all__ = ["Engine", "Place"]

VIEW_INTERVAL = 0.5
"""Seconds between two view files at least."""
TICK_INTERVAL = 0.25
LOOK_INTERVAL = 1.0
"""Seconds between two whole looks at most; a watcher or a glance calls for looks in between."""
FOLDER_RETRY = 0.5


class Engine:
    """One dashboard's engine. ``run`` returns when asked to stop; what must stop it is raised."""

    def __init__(
        self,
        place: Place,
        config: EngineConfig,
        log: Log,
        watch: FolderWatch,
        wall_clock: Callable[[], float] = time.time,
        *,
        make_core: Callable[..., EngineCore] = EngineCore,
        show: Callable[[Path, View], object] = write_view,
        random_part: Callable[[], str] = random_ending,
        reach: Reach = pass_by,
        view_interval: float = VIEW_INTERVAL,
    ) -> None:
        self.place = place
        self._reach = reach
        self.config = replace(config, key=place.folder.key, writer=place.writer)
        self.log = log
        self.watch = watch
        self.follower = ReplayFollower(wall_clock)
        own_beat = beat_stream("dashboard", config.instance)
        self.files = EngineFiles(place.folder, place.commands, own_beat)
        self.glance = FolderGlance(place.folder.disk, place.folder.path, place.commands)
        self.core: EngineCore | None = None
        self._make_core = make_core
        self._showing = Showing(place.view, log, show, view_interval)
        self._random_part = random_part
        self._state_file: StateFile | None = None
        self._meeting = Meeting(place, self.files.keys, log, config.red_after, random_part)
        self._writing = EngineWriting(place, log, random_part, lambda point: self._reach(point))
        self._twins: TwinWatch | None = None
        self._ticked = self._looked = 0.0
        self._saved_bytes: bytes | None = None
        self._folder_failed = False

    # Starting

    def run(self, stop: threading.Event, settings: SettingsWatch | None = None) -> None:
        """Work until ``stop`` is set. Raises StateError for books damaged, rolled back or unwritable."""
        woken = True
        while not stop.is_set():
            if settings is not None and self.core is not None:
                news = settings.look_after(self.log)
                if news is not None:
                    self._tell(SettingsSeen(news.word, say(f"log.{news.word}", detail=news.detail)))
            worked = self.attempt(woken)
            if not worked:
                stop.wait(FOLDER_RETRY)
            self.watch.look_after(self.log)
            woken = wait_for_news(self.watch, self.glance, stop, TICK_INTERVAL) or not worked
        self.end()

    def attempt(self, woken: bool = True) -> bool:
        """One round that outlives a failing folder, beginning where need be; whether the folder worked."""
        try:
            if self.core is None:
                self._begin()
                woken = True
            if self.core is not None:
                self.turn(woken)
            self._folder_works()
        except FolderError as problem:
            self._folder_fails(problem)
            return False
        return True

    def _begin(self) -> None:
        """Find out mode and account, load the books of both, and look back into the folder."""
        now = self.follower.now()
        met = self._meeting.met(now)
        if met is None:
            self._showing.show(waiting_view(self.config, now, self._meeting.trouble(now)), now)
            self._halts_while_waiting(now)
            return
        mode, account = met
        self._state_file = self.place.books(mode)
        fresh = self.place.fresh_state(now, mode, account, self._random_part)
        state = self._state_file.load(fresh, may_begin=self.place.offline)
        check_is_ours(state, self.place.writer, self._state_file.path)
        sightings = self.files.sightings()
        if state is fresh and not self.place.offline:
            check_never_ran(fresh, sightings, self._state_file.path)
        check_not_rolled_back(state, sightings, self._state_file.path)
        state = of_code(state, self.config.code, self._state_file.path)
        if self._state_file.path.parent != self.place.folder.path:
            state = outbox_signed_again(state, self.place.folder.key)
        elif self.place.folder.key is not None:
            # Whoever can write them there could have our signature on any signal.
            self.log.say("warning", "books_in_folder", books=self._state_file.path)
        self._writing.begin(now, state)
        self._twins = TwinWatch(self.place.folder, state, self._writing.epoch)
        self.core = self._make_core(self.config, state, self.files.is_taken)
        self.log.say(
            "info",
            "dashboard_started",
            mode=mode,
            account=account,
            code=self.config.code,
            books=self._state_file.path,
            layers=len(state.books.lots),
            open=len(state.outbox.open_orders),
        )
        for command in self.core.begin(now):
            self._do(command, False, now)

    def _halts_while_waiting(self, now: Moment) -> None:
        """A halt is written at once, also before anything else is known."""
        for said in self.files.operator():
            if said is not None and said.command.kind == "halt":
                command = said.command
                by = command.by or self.place.writer
                body = Halt(reason=command.argument, by=by, at=now.wall)
                self._writing.halt(body, halt_name(self.place.writer), now)

    # One turn

    def turn(self, woken: bool = True) -> None:
        """Look at everything once; where only time has passed (not ``woken``) at what a person may say."""
        wall = self.follower.now().wall
        self._tell(self.files.halts())
        whole = not self.watch.healthy or not 0 <= wall - self._looked < LOOK_INTERVAL
        if whole or woken:
            self._looked = wall if whole else self._looked
            self._look(wall, whole)
        self._commands()
        now = self.follower.now()
        if now.wall - self._ticked >= TICK_INTERVAL or now.wall < self._ticked:
            self._ticked = now.wall
            self._tell(Tick())
        self._showing.show_when_due(self._core, now)

    def _look(self, wall: float, whole: bool) -> None:
        """Everything the other side may have written, but halts."""
        core = self._core
        self._tell(self.files.beats(wall))
        twin = self._twins.look() if whole and self._twins is not None else None
        if twin is not None:
            self._tell(twin)
        for result in self.files.results(core.state.outbox, whole=whole):
            self._tell(result)
        stamps = self.files.stamps()
        if stamps is not None:
            self._tell(stamps)
        account = self.files.account(core.state.mode)
        if account is not None:
            self._tell(account)
        pool = self.files.pool()
        if pool is not None:
            self._tell(pool)
        for quote in self.files.quotes():
            self._tell_quote(quote)

    def _tell_quote(self, quote: QuoteSeen) -> None:
        envelope = quote.received.envelope
        if envelope is not None and self._core.state.mode == "simulate":
            self.follower.quote_seen(envelope.written_at, envelope.market_time)
        self._tell(quote)

    def _commands(self) -> None:
        for said in self.files.operator():
            if said is None:
                self.log.say("warning", "command_unreadable")
            elif isinstance(said, OperatorSaid):
                self._tell(said)

    def _tell(self, event: EngineEvent) -> None:
        now = self.follower.now()
        commands = self._core.handle(event, now)
        self._showing.note(event, commands)
        for place, command in enumerate(commands):
            try:
                self._do(command, isinstance(event, QuoteSeen), now)
            except StateError:
                self._halt_before_the_end(commands[place:], now)
                raise
        if self._saved_bytes is not None:
            # After the signals are out: the copy is for people, nothing waits for it.
            raw, self._saved_bytes = self._saved_bytes, None
            self._books.keep_last_good(raw)
            self._reach(Point.COPIED)

    def _halt_before_the_end(self, left: list[EngineCommand], now: Moment) -> None:
        """Books that can't be saved end this engine; a halt that was to follow still reaches the others."""
        for command in left:
            if isinstance(command, WriteHalt) and command.body.halt:
                try:
                    self._writing.halt(command.body, command.name, now, last=True)
                except FolderError as problem:
                    self.log.say("error", "halt_not_written", problem=problem)

    def _do(self, command: EngineCommand, at_quote: bool, now: Moment) -> None:
        match command:
            case SaveState():
                day = trading_day_of(now.market)
                self._reach(Point.BEFORE_SAVE)
                self._core.state, self._saved_bytes = self._books.save(self._core.state, now, day)
                self._reach(Point.SAVED)
            case PublishSignal(signal_id):
                entry = self._core.state.outbox.get(signal_id)
                if entry is not None:
                    self._writing.publish(self._core.state.outbox, entry, now)
            case Republish():
                outbox = self._core.state.outbox
                self._writing.republish(outbox, self.files.inbox.without_answer(outbox, now.wall), now)
            case WriteHeartbeat(body):
                # In simulate after each quote: a replay waits for it.
                self._writing.heartbeat(body, now, prompt=at_quote and self._core.state.mode == "simulate")
            case WriteHalt(body, name):
                self._writing.halt(body, name, now)
            case KeepBooks(label):
                self._keep_books(label)
            case Say(level, action, fields):
                self.log.say(level, action, **fields)

    def _keep_books(self, label: str) -> None:
        raw = self._books.raw or b""
        try:
            copy = self._books.keep_copy(raw, label)
        except FolderError as problem:
            # Books are not cleared without a copy: the disk that refuses it refuses the state too.
            path = self._books.path
            raise StateError("dashboard.state_not_written", path, detail=str(problem)) from problem
        self.log.say("warning", "books_kept", file=copy)

    # Ending

    def end(self) -> None:
        """The last heartbeat and view of this process."""
        now = self.follower.now()
        if self.core is None:
            self._showing.show_last(waiting_view(self.config, now), now)
            return
        try:
            body = next(
                command.body
                for command in self.core.handle(Tick(), now)
                if isinstance(command, WriteHeartbeat)
            )
            stopped = body.model_copy(update={"state": "stopped", "ready": False})
            self._writing.heartbeat(stopped, now, prompt=True)
        except FolderError as problem:
            self._folder_fails(problem)
        self._showing.show_last(make_view(self.core, now), now)
        self.log.say("info", "dashboard_stopped", layers=len(self.core.state.books.lots))

    def _folder_fails(self, problem: FolderError) -> None:
        if not self._folder_failed:
            self.log.say("error", "folder_failed", problem=problem)
        self._folder_failed = True

    def _folder_works(self) -> None:
        if self._folder_failed:
            self.log.say("info", "folder_works_again")
        self._folder_failed = False

    @property
    def _core(self) -> EngineCore:
        assert self.core is not None
        return self.core

    @property
    def _books(self) -> StateFile:
        assert self._state_file is not None
        return self._state_file
