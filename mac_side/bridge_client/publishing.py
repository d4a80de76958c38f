"""Putting a script's signals into the folder: each at once, and again what is missing and unanswered."""

from __future__ import annotations

from dataclasses import dataclass, field

from mac_side.bridge_client.entry import OutboxEntry
from mac_side.bridge_client.inbox import Inbox
from mac_side.bridge_client.outbox import first_publication, publications, since_when
from mac_side.state_file import DashboardState
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import FolderError
from shared_schema.ids import SignalId


@dataclass
class Publishing:
    """Remembers what was published when. ``republish_after``: seconds (rule 13 of the contract)."""

    folder: DropFolder
    inbox: Inbox
    republish_after: float
    _published_at: dict[SignalId, float] = field(default_factory=dict)
    _damaged_since: dict[SignalId, float] = field(default_factory=dict)

    def first(self, state: DashboardState, entry: OutboxEntry, wall: float) -> None:
        """Publish ``entry``, which is saved; where the folder refuses, the next ``again`` does it."""
        publication = first_publication(state.outbox, entry, state.strategy, self.folder.read)
        self._published_at[entry.signal_id] = wall
        try:
            self.folder.publish(publication.name, publication.raw)
        except FolderError:
            # It is in the outbox and on the disk: it counts as sent, and the next look publishes it.
            self._published_at[entry.signal_id] = wall - self.republish_after

    def again(self, state: DashboardState, wall: float) -> None:
        """Publish what is missing and unanswered for long enough. Raises FolderError."""
        missing = self.inbox.without_answer(state.outbox, wall)
        self._damaged_since = since_when(self._damaged_since, missing, wall)
        due = publications(
            state.outbox,
            state.strategy,
            self.folder.read,
            wall,
            self.republish_after,
            self._published_at,
            self._damaged_since,
        )
        for publication in due:
            self._published_at[publication.signal_id] = wall
            self.folder.publish(publication.name, publication.raw)
