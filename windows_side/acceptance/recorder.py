"""Keeps the raw fields of every native object, so that one real session can be replayed and compared.

``python -m test_offline.fake_qmt.recorded FILE`` does that.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

ACCOUNT_FIELDS = ("account_id", "m_strAccountID")


@dataclass(frozen=True)
class Heard:
    """One native object as it was shown to us."""

    at: float
    """Monotonic seconds."""
    kind: str
    fields: dict[str, Any]


class Recorder:
    """Takes native objects from any thread; ``file`` gets a JSON line each where one is named."""

    def __init__(self, file: Path | None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.heard: list[Heard] = []
        self._monotonic = monotonic
        self._turn = threading.Lock()
        self._file: TextIO | None = file.open("a", encoding="utf-8") if file is not None else None

    def __call__(self, kind: str, native: Any) -> None:
        """Copy the fields and forget the object: it may not outlive the callback."""
        heard = Heard(self._monotonic(), kind, fields_of(native))
        with self._turn:
            self.heard.append(heard)
            if self._file is not None:
                line = {"wall": time.time(), "monotonic": heard.at, "kind": kind, "fields": heard.fields}
                self._file.write(json.dumps(line, ensure_ascii=False, default=repr) + "\n")
                self._file.flush()

    def since(self, at: float, kind: str) -> list[Heard]:
        """What was shown of ``kind`` after ``at``."""
        with self._turn:
            return [heard for heard in self.heard if heard.kind == kind and heard.at >= at]

    def close(self) -> None:
        """End the file."""
        with self._turn:
            if self._file is not None:
                self._file.close()
                self._file = None


def fields_of(native: Any) -> dict[str, Any]:
    """The public fields of a native object, or its value; account numbers lose all but their last digits."""
    if native is None or isinstance(native, (bool, int, float, str)):
        return {"value": native}
    fields: dict[str, Any] = {}
    for name in dir(native):
        if name.startswith("_"):
            continue
        try:
            value = getattr(native, name)
        except Exception as problem:
            # A text cut inside a character can't be read: that it can't is what we want to know.
            value = f"unreadable: {type(problem).__name__}"
        if callable(value):
            continue
        fields[name] = f"***{str(value)[-3:]}" if name in ACCOUNT_FIELDS else value
    return fields
