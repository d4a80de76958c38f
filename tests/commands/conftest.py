"""The host the operating commands run on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.hosts import Host, make_host


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A fresh host named ``mac``."""
    for module in ("halt_writing", "resume", "status_report", "own_files"):
        monkeypatch.setattr(f"commands.{module}.host_name", lambda: "mac")
    return make_host(tmp_path, monkeypatch)
