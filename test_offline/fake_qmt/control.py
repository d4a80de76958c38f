"""The remote control of a stand-in terminal: switches faults, restarts it, places orders by hand."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from test_offline.fake_qmt.wire import dial


class Control:
    """One control line to the terminal of ``userdata``."""

    def __init__(self, userdata: Path, at_most: float = 120.0) -> None:
        """Wait for the terminal to listen. Raises TimeoutError where it never does."""
        deadline = time.monotonic() + at_most
        while (found := dial(userdata, "control")) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no terminal at {userdata}")
            time.sleep(0.02)
        self._connection = found[0]

    def __call__(self, name: str, *values: Any) -> Any:
        """Ask for one thing; its answer. Raises RuntimeError where the terminal refuses it."""
        self._connection.send((name, *values))
        verdict, answer = self._connection.recv()
        if verdict != "done":
            raise RuntimeError(answer)
        return answer

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
