"""One thread of one process at a time uses a bridge, and nobody once it is closed."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from mac_side.bridge_client.handle import BridgeError


@dataclass
class OneUser:
    """A context for whatever reads and writes a bridge's memory: two at once would give one id to two orders.

    A forked child holds a copy of the memory and shares the parent's lock: to it the bridge is closed. A
    signal handler runs in the very thread it breaks into: within an order half made it is a second user too.
    """

    path: Path
    _process: int = field(default_factory=os.getpid)
    _turn: threading.RLock = field(default_factory=threading.RLock)
    _at_it: bool = False
    _closed: bool = False

    def __enter__(self) -> None:
        self._check_process()
        self._turn.acquire()
        if self._at_it or self._closed:
            self._turn.release()
            raise BridgeError(f"dashboard.bridge_{'busy' if self._at_it else 'closed'}", self.path)
        self._at_it = True

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._at_it = False
        self._turn.release()

    def leave(self) -> bool:
        """Close, once whoever is at it has finished; whether its lock may go.

        Not in a forked child, whose parent goes on, nor in a signal handler within an order half made.
        """
        if os.getpid() != self._process:
            return False
        with self._turn:
            self._closed = True
            return not self._at_it

    def _check_process(self) -> None:
        if os.getpid() != self._process:
            raise BridgeError("dashboard.bridge_forked", self.path, opened=self._process, here=os.getpid())
