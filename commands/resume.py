"""``miniqmt resume``: lift a halt, from the host that halted or at the executor's own keyboard."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Annotated

import typer

from commands.confirmation import Executors, confirmed_by_person
from commands.folder_view import Beat, FolderView, HaltFile
from commands.halt_writing import OPERATOR, lift_halt, writer_of
from commands.own_files import OwnBooks, OwnLedger, own_books, own_ledgers
from commands.place import (
    EveryAccountOption,
    FolderOption,
    OperateError,
    YesOption,
    further_settings,
    place_by,
    place_of,
)
from commands.resume_dashboards import held_alone, lift_at_dashboards
from commands.time_text import clock_text
from commands.typed_order import type_and_watch
from mac_side.engine_halts import was_lifted
from shared_schema.clock import host_name
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import ABOVE, halt_name
from shared_schema.settings import Settings
from shared_schema.words import say, say_both
from windows_side.execution.halt_latch import digests_of
from windows_side.keyboard import Typed

WORD = "RESUME"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("resume")(resume)


@dataclass(frozen=True)
class Halts:
    """Every halt in force that this host can tell of, by the name of its file."""

    files: tuple[HaltFile, ...]
    """Files in ``control/`` that halt, and that nothing of this host was resumed over."""
    latched: dict[str, str]
    """Reasons of what this host's ledgers and books remember, whether the file still stands or not."""
    executors: tuple[Beat, ...]
    """Living executors whose heartbeat says halted."""
    writers: frozenset[str] = frozenset()
    """Those of this host's books: they keep the name the host had when they began."""

    @property
    def names(self) -> list[str]:
        """All of them."""
        return sorted({file.name for file in self.files} | set(self.latched))

    @property
    def own(self) -> list[str]:
        """Those of this host's writers, which a newer file of the same writer lifts."""
        own = [name for name in self.names if self._is_own(HaltFile(name, True, ""))]
        usual = halt_name(writer_of(OPERATOR))
        # The executor may hold a halt of this host whose file was lost: lifting once more is harmless.
        return own if own or self.names or not self.executors else [usual]

    def _is_own(self, file: HaltFile) -> bool:
        return file.host == host_name() or file.writer in self.writers

    @property
    def others(self) -> list[str]:
        """Those only somebody else, or the executor's keyboard, can lift."""
        return [name for name in self.names if name not in self.own]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is halted."""
        return not self.names and not self.executors

    def reason(self, name: str) -> str:
        """Why, as far as it is known."""
        told = {**self.latched, **{file.name: file.reason for file in self.files}}
        return told.get(name) or "-"


def resume(
    reason: Annotated[str, typer.Option("--reason", "-r", help=say_both("operate.help_resume_reason"))] = "",
    yes: YesOption = False,
    folder: FolderOption = None,
    account: EveryAccountOption = "",
    wait: Annotated[float, typer.Option("--wait", help=say_both("operate.help_wait"))] = 5.0,
) -> None:
    """Lift what this host may lift; 1 where a halt remains in force, and who must lift it."""
    if not reason.strip():
        raise OperateError("operate.resume_needs_reason")
    found, settings = place_of(folder, account)
    ledgers = own_ledgers(settings.runtime_dir)
    executors = Executors.seen_now(found, settings.sync.defaults.heartbeat_red_after, time.time())
    alive = executors.alive()
    shown = digests_of(found.halts())
    books = own_books(settings, found.path, time.time())
    halts = halts_in_force(found, ledgers, books, alive)
    if halts.is_empty:
        typer.echo(say("operate.resume.nothing"))
        return
    here = {ledger.instance: ledger for ledger in ledgers}
    keyboard = next((beat for beat in alive if beat.body.instance in here), None)
    dashboards = held_alone(books, halts.others, alive)
    _show(halts, keyboard, {name for held in dashboards for name in held.names})
    if not halts.own and keyboard is None and not dashboards:
        raise OperateError("operate.resume_not_here", ", ".join(halts.others), who=_who(halts.others))
    if not confirmed_by_person(WORD, yes):
        typer.echo(say("operate.given_up"))
        raise typer.Exit(1)
    mode = alive[-1].envelope.mode if alive else settings.mode or "live"
    for name in halts.own:
        writer = HaltFile(name, True, "").writer or writer_of(OPERATOR)
        lift_halt(found, name, writer, reason.strip(), mode, time.time())
        typer.echo(say("operate.resume.lifted", name=name))
    if keyboard is not None and halts.others:
        by = writer_of(OPERATOR)
        typed = Typed(kind="resume", reason=reason.strip(), halts=shown, by=by, at=time.time())
        _type(settings, typed, keyboard, wait)
        for room, own in _rooms(settings):
            _type_in_room(room, own, typed, wait)
    kept = lift_at_dashboards(settings, found, dashboards, reason.strip(), wait)
    code = max(_told(found, executors, ledgers, settings, wait, kept), 1 if kept else 0)
    raise typer.Exit(max([code, *(_told_of_room(room, own, wait) for room, own in _rooms(settings))]))


def _type(settings: Settings, typed: Typed, keyboard: Beat, wait: float) -> None:
    taken = type_and_watch(settings.runtime_dir, typed, wait)
    key = "operate.resume.typed" if taken else "operate.resume.not_taken"
    typer.echo(say(key, instance=keyboard.body.instance))


def _rooms(settings: Settings) -> list[tuple[DropFolder, Settings]]:
    """The rooms of further accounts that have ever been used."""
    each = [place_by(own) for own in further_settings(settings) if own.exchange_folder("executor").is_dir()]
    return [(room, own) for room, own in each]


def _type_in_room(room: DropFolder, settings: Settings, typed: Typed, wait: float) -> None:
    """Lift the folder's halts at the executor of a further account too, where nothing else holds it.

    What holds that account alone was not shown to the person, and is lifted by its own resume.
    """
    ledgers = own_ledgers(settings.runtime_dir)
    names = sorted(name for ledger in ledgers for name in ledger.halt.active)
    here = {ledger.instance for ledger in ledgers}
    executors = Executors.seen_now(room, settings.sync.defaults.heartbeat_red_after, time.time())
    keyboard = next((beat for beat in executors.alive() if beat.body.instance in here), None)
    if keyboard is None or not names:
        return
    alone = [name for name in names if not name.startswith(ABOVE)]
    if alone:
        alias = settings.account.alias
        typer.echo(say("operate.resume.room_stays", account=alias, names=", ".join(alone)))
        return
    shown = {ABOVE + name: digest for name, digest in (typed.halts or {}).items()}
    _type(settings, typed.model_copy(update={"halts": shown, "at": time.time()}), keyboard, wait)


def _told_of_room(room: DropFolder, settings: Settings, wait: float) -> int:
    """Say what the executors of a further account's room show; 1 where one is still halted."""
    executors = Executors.seen_now(room, settings.sync.defaults.heartbeat_red_after, time.time())
    alive = executors.wait(lambda beat: beat.body.halt_since is None, wait) if executors.running else []
    for beat in alive:
        _say_state(beat)
    return 1 if any(beat.body.halt_since is not None for beat in alive) else 0


def halts_in_force(
    folder: DropFolder, ledgers: list[OwnLedger], books: list[OwnBooks], alive: list[Beat]
) -> Halts:
    """What halts now. Raises FolderError where ``control/`` can't be listed."""
    raws, standing = folder.halts(), FolderView(folder).halts()
    resumed_over = {
        file.name
        for file in standing
        for ledger in ledgers
        if ledger.halt.was_lifted(file.name, raws.get(file.name))
    }
    lifted_over = {
        file.name
        for file in standing
        for own in books
        if was_lifted(own.state, file.name, raws.get(file.name))
    }
    files = [file for file in standing if file.halts and file.name not in resumed_over | lifted_over]
    latched = {name: halt.reason for ledger in ledgers for name, halt in ledger.halt.active.items()}
    latched |= {halt.name: halt.reason for own in books for halt in own.state.halts}
    # Books that stand in the exchange folder may be another host's.
    writers = frozenset(own.state.writer for own in books if own.path.parent != folder.path)
    # Whoever still remembers a halt whose file says "lifted" forgets it at the next look into the folder.
    lifted = {file.name for file in standing if not file.halts}
    latched = {name: why for name, why in latched.items() if name not in lifted}
    halted = tuple(beat for beat in alive if beat.body.halt_since is not None)
    return Halts(tuple(files), latched, halted, writers)


def _show(halts: Halts, keyboard: Beat | None, held_here: set[str]) -> None:
    for name in halts.own:
        typer.echo(say("operate.resume.will_lift", name=name, reason=halts.reason(name)))
    for name in halts.others:
        key = "will_lift_here" if name in held_here else "will_type" if keyboard is not None else "stays"
        typer.echo(say(f"operate.resume.{key}", name=name, reason=halts.reason(name), who=_who([name])))


def _told(
    folder: DropFolder,
    executors: Executors,
    ledgers: list[OwnLedger],
    settings: Settings,
    wait: float,
    said: set[str],
) -> int:
    """Say what the executors show now and which halts remain, but for those ``said``; the exit code."""
    alive = executors.wait(lambda beat: beat.body.halt_since is None, wait)
    for beat in alive:
        _say_state(beat)
    if not alive:
        typer.echo(say("operate.resume.nobody"))
    fresh = [OwnLedger(ledger.path, newest.meta) for ledger in ledgers for newest in _again(ledger)]
    # Books still asked to forget were told of; others follow the folder, or their executor, in a moment.
    books = [
        OwnBooks(own.path, replace(own.state, halts=()))
        for own in own_books(settings, folder.path, time.time())
    ]
    left = halts_in_force(folder, fresh, books, alive)
    for name in (name for name in left.names if name not in said):
        typer.echo(say("operate.resume.remains", name=name, reason=left.reason(name), who=_who([name])))
    return 0 if left.is_empty and alive else 1


def _say_state(beat: Beat) -> None:
    since = beat.body.halt_since
    key = "resumed" if since is None else "still_halted"
    at = clock_text(beat.envelope.written_at if since is None else since)
    typer.echo(say(f"operate.resume.{key}", instance=beat.body.instance, at=at))


def _again(ledger: OwnLedger) -> list[OwnLedger]:
    return [newest for newest in own_ledgers(ledger.path.parent) if newest.path == ledger.path]


def _who(names: list[str]) -> str:
    """Who can lift these halts."""
    if all(name.startswith(ABOVE) for name in names):
        return say("operate.resume.above")
    hosts = sorted({HaltFile(name, True, "").host for name in names} - {"", host_name()})
    keyboard = say("operate.resume.at_keyboard")
    if not hosts:
        return keyboard
    return say("operate.resume.at_host", hosts=", ".join(hosts), keyboard=keyboard)
