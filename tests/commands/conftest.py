"""The host the operating commands run on."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from shared_schema.trading_calendar import FIRST_YEAR, TradingCalendar, YearDays
from tests.commands.hosts import Host, make_host


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A fresh host named ``mac``."""
    for module in ("halt_writing", "resume", "status_report", "own_files"):
        monkeypatch.setattr(f"commands.{module}.host_name", lambda: "mac")
    # Whatever the date: that the shipped holidays end is a need of its own, with a test of its own.
    years = range(FIRST_YEAR, date.today().year + 2)
    known = TradingCalendar({year: YearDays(complete=True) for year in years})
    for module in ("checklist", "status_report"):
        monkeypatch.setattr(f"commands.{module}.calendar_of_this_host", lambda: known)
    return make_host(tmp_path, monkeypatch)
