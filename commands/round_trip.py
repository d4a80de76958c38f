"""How long a published file takes to be seen in the exchange folder, as the executor would see it."""

from __future__ import annotations

import statistics
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from shared_schema.drop_folder import DropFolder
from shared_schema.errors import FolderError
from shared_schema.sync_defaults import SyncDefaults
from shared_schema.watch import FolderWatch

ROUNDS = 7
SEEN_AT_MOST = 3.0
"""Seconds after which a published file counts as not seen."""


@dataclass(frozen=True)
class RoundTrip:
    """Medians in milliseconds; ``seen_ms`` counts from the first byte written and is None when never seen."""

    publish_ms: float
    seen_ms: float | None
    woken: bool
    """Whether the watcher ended a wait at all."""
    problem: str
    """Why there is no watcher, where it could not be started."""


def measure(folder: Path, pace: SyncDefaults, rounds: int = ROUNDS) -> RoundTrip:
    """Publish and replace one file a few times while another thread waits for it; leaves nothing behind.

    The file's name is in nobody's grammar, so the processes that use the folder leave it alone. Raises
    FolderError where it cannot be published.
    """
    drop_folder = DropFolder(folder)
    name = f"doctor.{uuid.uuid4().hex[:8]}.check"
    watch = FolderWatch(folder, pace.scan_interval, use_watcher=pace.watcher)
    reader = _Reader(drop_folder, name, watch)
    published, seen = [], []
    try:
        for count in range(rounds):
            content = f"{count}\n".encode()
            reader.expect(content)
            begun = time.perf_counter()
            drop_folder.publish(name, content)
            published.append((time.perf_counter() - begun) * 1000)
            seen_at = reader.seen_at()
            if seen_at is None:
                return RoundTrip(statistics.median(published), None, reader.woken, watch.problem)
            seen.append((seen_at - begun) * 1000)
    finally:
        watch.stop()
        with suppress(FileNotFoundError):
            (folder / name).unlink()
    return RoundTrip(statistics.median(published), statistics.median(seen), reader.woken, watch.problem)


class _Reader:
    """Waits for a content in a thread of its own, as the executor's scan does."""

    def __init__(self, drop_folder: DropFolder, name: str, watch: FolderWatch) -> None:
        self.drop_folder, self.name, self.watch = drop_folder, name, watch
        self.woken = False
        self._seen: float | None = None
        self._thread: threading.Thread | None = None

    def expect(self, content: bytes) -> None:
        self._seen = None
        self._thread = threading.Thread(target=self._wait_for, args=(content,), daemon=True)
        self._thread.start()

    def seen_at(self) -> float | None:
        """When the content was read (``perf_counter``); None where it was not in time."""
        if self._thread is not None:
            self._thread.join()
        return self._seen

    def _wait_for(self, content: bytes) -> None:
        end = time.perf_counter() + SEEN_AT_MOST
        while time.perf_counter() < end:
            self.woken |= self.watch.wait()
            # In the middle of an overwrite a file may be unreadable: that is not yet seen.
            with suppress(FolderError):
                if self.drop_folder.read(self.name) == content:
                    self._seen = time.perf_counter()
                    return
