"""What the dashboards of this host show, as plain values: the facts of the screen for scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mac_side.screen.aging import aged, silence_of
from mac_side.screen.notices import notices
from mac_side.view import View, read_view

BARS_LEFT_OUT = {"bars"}


def dashboards_report(runtime_dir: Path, folder: Path, now: float) -> list[dict[str, Any]]:
    """One entry for each engine of this host whose view can be read; ``now`` is wall Unix seconds.

    Ages are those at ``now``; ``silence`` is how long the engine has written nothing (seconds).
    """
    places = (runtime_dir, folder / ".runtime")
    files = [file for place in places for file in sorted(place.glob("dashboard_view*.json"))]
    views = [(file, view) for file in files if (view := read_view(file)) is not None]
    return [_dashboard(file, view, now) for file, view in views]


def _dashboard(file: Path, view: View, now: float) -> dict[str, Any]:
    silence = silence_of(view, now)
    told = [{"text": notice.text, "what_to_do": notice.what_to_do} for notice in notices(view, silence)]
    facts = aged(view, now).model_dump(mode="json", exclude=BARS_LEFT_OUT)
    return {"file": str(file), "silence": round(silence, 3), "notices": told, **facts}
