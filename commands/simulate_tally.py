"""What many schedules of the simulated world came to: counted, kept in a file, and told at the end."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from shared_schema.disk import LocalDisk
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import DataError, SettingsError
from shared_schema.words import say


@dataclass
class Tally:
    """What many schedules came to; written to the resume file as it stands."""

    done: int = 0
    signals: int = 0
    calls: int = 0
    seconds: float = 0.0
    fired: Counter[str] = field(default_factory=Counter)
    schedules: Counter[str] = field(default_factory=Counter)
    """In how many schedules each fault was seen."""
    violations: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count ``other`` in."""
        self.done += other.done
        self.signals += other.signals
        self.calls += other.calls
        self.fired.update(other.fired)
        self.schedules.update(other.schedules)
        self.violations += other.violations


def resumed(path: Path | None, seed: int, only: str) -> Tally:
    """The tally kept at ``path``, an empty one where there is none. Raises SettingsError where it is of
    another run, DataError where it can't be read."""
    if path is None or not path.exists():
        return Tally()
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if (kept["seed"], kept["only"]) != (seed, only):
            raise SettingsError("simulate.other_run", path, seed=kept["seed"], only=kept["only"] or "-")
        return Tally(
            done=kept["done"],
            signals=kept["signals"],
            calls=kept["calls"],
            seconds=kept["seconds"],
            fired=Counter(kept["fired"]),
            schedules=Counter(kept["schedules"]),
            violations=[(int(number), str(told)) for number, told in kept["violations"]],
        )
    except (ValueError, KeyError, TypeError, OSError) as problem:
        raise DataError("simulate.unreadable", path, detail=str(problem)) from problem


def keep(path: Path, tally: Tally, seed: int, only: str) -> None:
    """Keep the tally of the run that begins at ``seed``. Raises FolderError."""
    LocalDisk().make_folder(path.absolute().parent)
    body = {"seed": seed, "only": only, **vars(tally)}
    DropFolder(path.absolute().parent).publish(path.name, json.dumps(body, ensure_ascii=False).encode())


def print_end(tally: Tally) -> None:
    """Faults seen, schedules, signals, calls, time, and what broke."""
    from test_offline.world.faults import FAULTS, NUMBERS

    print()
    print(say("simulate.faults"))
    for name, fault in sorted(FAULTS.items(), key=lambda item: (item[1].number, item[0])):
        if tally.fired[name]:
            print(f"{fault.number:4d} {name:24s} {tally.schedules[name]:8d} {tally.fired[name]:10d}")
    seen = {FAULTS[name].number for name in tally.fired if tally.fired[name]}
    print(say("simulate.seen", seen=len(seen), all=len(NUMBERS)))
    print(
        say(
            "simulate.end",
            done=tally.done,
            signals=tally.signals,
            calls=tally.calls,
            seconds=f"{tally.seconds:.0f}",
            rate=f"{tally.done / tally.seconds if tally.seconds else 0:.1f}",
        )
    )
    seeds = ", ".join(str(seed) for seed, _ in tally.violations[:20])
    print(say("simulate.broken", count=len(tally.violations), seeds=seeds) if seeds else say("simulate.held"))
