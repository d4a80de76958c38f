"""Whether the executors sign as this host does: a key on one host only would else look like silence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER
from shared_schema.errors import FolderError, MessageError
from shared_schema.heartbeats import STOPPED
from shared_schema.ids import InstanceId
from shared_schema.messages import decode_heartbeat
from shared_schema.messages.record import UNSIGNED
from shared_schema.words import say


@dataclass(frozen=True)
class KeyTrouble:
    """An executor whose key is not ours."""

    word: Literal["peer_with", "peer_without"]
    """It signs and we have no key; or we have one and its signature does not hold under it."""
    instance: InstanceId
    written_at: float
    """Of its heartbeat, Unix seconds; as unproven as the rest of it."""

    @property
    def sentence(self) -> str:
        """What a person should know and do."""
        return say(f"keys.{self.word}", instance=self.instance)


@dataclass
class KeyWatch:
    """Looks at the executors' heartbeats for nothing but their signatures."""

    folder: DropFolder
    _marks: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    _found: dict[str, KeyTrouble] = field(default_factory=dict)

    def look(self) -> tuple[KeyTrouble, ...]:
        """The trouble with each executor's newest heartbeat. Raises FolderError."""
        files = {
            file.name: (file.size, file.modified_ns, file.inode)
            for file in self.folder.list_folder(HEARTBEAT_FOLDER)
            if file.name.startswith("executor-") and file.name.endswith(".json")
        }
        for gone in set(self._found) - set(files):
            del self._found[gone]
        for name, mark in files.items():
            if self._marks.get(name) != mark and self._look_at(name):
                self._marks[name] = mark
        return tuple(self._found.values())

    def _look_at(self, name: str) -> bool:
        """Judge one heartbeat; False where it is torn or gone just now, and is to be looked at again."""
        try:
            raw = self.folder.read(f"{HEARTBEAT_FOLDER}/{name}")
            if raw is None:
                return False
            plain = decode_heartbeat(raw, name)
        except (FolderError, MessageError):
            return False
        trouble: Literal["peer_with", "peer_without"] | None = None
        if self.folder.key is None:
            trouble = "peer_with" if plain.carries_signature else None
        else:
            try:
                decode_heartbeat(raw, name, self.folder.key)
            except MessageError as problem:
                trouble = "peer_without" if problem.error_code in UNSIGNED else None
        if trouble is None or plain.envelope is None or plain.body.state == STOPPED:
            self._found.pop(name, None)
        else:
            self._found[name] = KeyTrouble(trouble, plain.body.instance, plain.envelope.written_at)
        return True


def trouble_with(
    found: Iterable[KeyTrouble], bound: InstanceId | None, now: float, red_after: float
) -> KeyTrouble | None:
    """What keeps us from the executor ``bound``, or while none is bound from any that is alive at ``now``."""
    return next(
        (
            trouble
            for trouble in found
            if (trouble.instance == bound if bound is not None else now - trouble.written_at <= red_after)
        ),
        None,
    )
