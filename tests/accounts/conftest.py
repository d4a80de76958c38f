"""The host of the tests with several accounts."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.accounts.stage import Stage


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A host whose executor is killed at the end of the test."""
    monkeypatch.chdir(tmp_path)
    made = Stage(tmp_path)
    yield made
    if made.process is not None:
        made.end(signal.SIGKILL)
