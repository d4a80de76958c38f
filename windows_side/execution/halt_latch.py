"""The halt, once seen, is latched: a file that disappears resumes nothing. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared_schema.integrity import Key
from shared_schema.messages.halt import halted_at, reads_as_halt

OWN = "executor"
"""The name under which the executor halts itself."""
ROLLED_BACK = "rolled_back"
"""The name under which it halts because the folder was put back: lifted at its keyboard only."""
PUT_BACK = "executor.ledger"
"""The name under which it halts because its ledger may not be the newest one."""
_UNDATED = "undated "
"""Before the digest of a file that doesn't say when it was written: made by hand, it may be made again."""


@dataclass(frozen=True)
class ActiveHalt:
    """One halt in force."""

    since: float
    """When it was confirmed here, Unix seconds."""
    reason: str
    digest: str
    """Of the file's bytes, so that the very same file does not halt again after a resume."""
    at: float = 0.0
    """When its writer halted, by the writer's clock: only a file that is not older lifts it."""


@dataclass(frozen=True)
class HaltLatch:
    """Every halt in force, and the files a person has lifted by hand."""

    active: Mapping[str, ActiveHalt] = field(default_factory=dict)
    lifted: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_halted(self) -> bool:
        """Whether any halt is in force."""
        return bool(self.active)

    @property
    def since(self) -> float | None:
        """When the first of them was confirmed, Unix seconds."""
        return min((halt.since for halt in self.active.values()), default=None)

    @property
    def reason(self) -> str:
        """The reasons in force, joined."""
        return "; ".join(f"{name}: {halt.reason}" for name, halt in sorted(self.active.items()))

    def was_lifted(self, name: str, raw: bytes | None) -> bool:
        """Whether a person resumed over this very file."""
        digest = _digest(raw)
        # Ledgers of before 2026-11-21 have the digest alone.
        return self.lifted.get(name) in (digest, digest.removeprefix(_UNDATED))

    def seeing(self, files: Mapping[str, bytes | None], now: float, key: Key | None = None) -> HaltLatch:
        """The latch after a look into ``control/``: name to bytes (None: unreadable)."""
        active = dict(self.active)
        # A halt made by hand once more is a new one, and looks like the one that was lifted.
        lifted = {
            name: known
            for name, known in self.lifted.items()
            if name in files or not known.startswith(_UNDATED)
        }
        for name, raw in files.items():
            halts, reason = reads_as_halt(raw, key, name)
            known, at = active.get(name), halted_at(raw)
            if not halts:
                # A rolled-back folder shows the writer's last "resumed" again: that is no resume.
                if known is not None and at >= known.at:
                    del active[name]
            elif known is None:
                if not self.was_lifted(name, raw):
                    active[name] = ActiveHalt(now, reason, _digest(raw), at)
            elif at > known.at:
                active[name] = ActiveHalt(known.since, reason, _digest(raw), at)
        seen = HaltLatch(active, lifted)
        return self if seen == self else seen

    def halting(self, reason: str, now: float, name: str = OWN) -> HaltLatch:
        """The latch with a halt of the executor's own; one that stands keeps its time."""
        if name in self.active and self.active[name].reason == reason:
            return self
        return HaltLatch({**self.active, name: ActiveHalt(now, reason, "")}, self.lifted)

    def resumed(
        self, files: Mapping[str, bytes | None], shown: Mapping[str, str] | None = None
    ) -> HaltLatch:
        """The latch after a person typed ``miniqmt resume`` here: nothing halts until a new file comes.

        ``shown`` are the digests of the files the person was shown (None: not told): what has come or
        changed since then was not meant and goes on halting.
        """
        unseen = {
            name for name, raw in files.items() if shown is not None and shown.get(name) != _digest(raw)
        }
        active = {name: halt for name, halt in self.active.items() if name in unseen}
        lifted = {name: halt.digest for name, halt in self.active.items()}
        lifted |= {name: _digest(raw) for name, raw in files.items()}
        return HaltLatch(active, {name: digest for name, digest in lifted.items() if name not in unseen})

    def to_json(self) -> dict[str, Any]:
        """For the ledger."""
        active = {name: [halt.since, halt.reason, halt.digest, halt.at] for name, halt in self.active.items()}
        return {"active": active, "lifted": dict(self.lifted)}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> HaltLatch:
        """From the ledger; an empty table is a latch that never halted."""
        active = {name: ActiveHalt(*entry) for name, entry in plain.get("active", {}).items()}
        return cls(active, dict(plain.get("lifted", {})))


def digests_of(files: Mapping[str, bytes | None]) -> dict[str, str]:
    """What tells these halt files from later ones, by name."""
    return {name: _digest(raw) for name, raw in files.items()}


def _digest(raw: bytes | None) -> str:
    if raw is None:
        return "unreadable"
    digest = hashlib.sha256(raw).hexdigest()
    return digest if halted_at(raw) else _UNDATED + digest
