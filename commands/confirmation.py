"""Asking a person first, and waiting until the executors confirm in their heartbeats."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import typer

from commands.folder_view import STOPPED, Beat, FolderView
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import FolderError
from shared_schema.words import say

LOOK_EVERY = 0.05
"""Seconds between two looks at the heartbeats."""


@dataclass(frozen=True)
class Executors:
    """The executors of a folder and its rooms as seen at one moment, to tell later heartbeats from these.

    A heartbeat that changes while we wait is a living process whatever its clock says; one that falls
    silent while we wait is a living process that did not answer.
    """

    folders: tuple[DropFolder, ...]
    before: dict[str, Beat]
    running: frozenset[str]
    """Instances whose heartbeats were fresh."""

    @classmethod
    def seen_now(cls, folder: DropFolder, red_after: float, now: float, *rooms: DropFolder) -> Executors:
        """As they are ``now`` (wall Unix seconds), also those of ``rooms``; a folder that can't be listed
        shows none."""
        folders = (folder, *rooms)
        before: dict[str, Beat] = {beat.body.instance: beat for beat in _beats(folders)}
        fresh = (name for name, beat in before.items() if beat.is_alive(now, red_after))
        return cls(folders, before, frozenset(fresh))

    def alive(self) -> list[Beat]:
        """The newest heartbeats of those that ran at the first look or moved since, unless they ended."""
        return [
            beat
            for beat in _beats(self.folders)
            if beat.body.state != STOPPED and (beat.body.instance in self.running or self.has_moved(beat))
        ]

    def has_moved(self, beat: Beat) -> bool:
        """Whether the heartbeat was written after the first look."""
        old = self.before.get(beat.body.instance)
        return old is None or beat.order > old.order

    def wait(
        self,
        is_done: Callable[[Beat], bool],
        seconds: float,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> list[Beat]:
        """Wait until every living executor's heartbeat is new and ``is_done``; returns the living ones.

        After ``seconds`` they are returned as they are. Without a living one the whole time is waited:
        its heartbeat may be on its way.
        """
        until = clock() + seconds
        while True:
            alive = self.alive()
            if alive and all(self.has_moved(beat) and is_done(beat) for beat in alive):
                return alive
            if clock() >= until:
                return alive
            sleep(LOOK_EVERY)


def confirmed_by_person(word: str, yes: bool) -> bool:
    """Whether the person typed ``word`` (any case), or said so on the command line."""
    if yes:
        return True
    typed = typer.prompt(say("operate.type_word", word=word), default="", show_default=False)
    return str(typed).strip().upper() == word


def _beats(folders: tuple[DropFolder, ...]) -> list[Beat]:
    found: list[Beat] = []
    for folder in folders:
        try:
            found += FolderView(folder).executors()
        except FolderError:
            continue  # nobody is seen; whoever waits reports that nobody confirmed
    return found
