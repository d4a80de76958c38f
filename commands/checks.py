"""What ``doctor`` looks at: each check returns its findings, with what to do about them."""

from __future__ import annotations

import shutil
import sys
import uuid
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum
from importlib import metadata
from pathlib import Path

import miniqmt
from commands.round_trip import measure
from shared_schema.exchange_folder import checked_exchange_folder, is_offline_folder
from shared_schema.keys import fingerprint, load_key
from shared_schema.settings import Settings
from shared_schema.trading_calendar import calendar_of_this_host
from shared_schema.words import say

LITTLE_SPACE, NO_SPACE = 2e9, 0.2e9
"""Bytes: below the first a warning, below the second a failure."""
SHANGHAI = timezone(timedelta(hours=8))


class Level(Enum):
    """How bad a finding is; only a failure must be solved before trading."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: a stable ``name``, a sentence, and what to do where something is odd."""

    name: str
    level: Level
    text: str
    advice: str = ""
    measured: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The finding in plain JSON types."""
        return {**asdict(self), "level": self.level.value}


def _words(key: str, **values: object) -> str:
    return say(f"commands.doctor.{key}", **values)


def python() -> list[Finding]:
    """The running Python."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] in miniqmt.SUPPORTED and sys.maxsize > 2**32:
        return [Finding("python", Level.OK, _words("python", version=version))]
    text = _words("python_bad", version=version)
    return [Finding("python", Level.FAILURE, text, _words("python_advice"))]


def packages(requirements: Path | None = None) -> list[Finding]:
    """Installed versions against the pins of ``requirements.txt`` (or the Windows host's small set)."""
    root = Path(miniqmt.ROOT)
    file = requirements or root / "requirements.txt"
    if not file.exists():
        advice = _words("packages_unknown_advice")
        return [Finding("packages", Level.WARNING, _words("packages_unknown"), advice)]
    small = root / "requirements-windows.txt"
    wrong = _wrong_packages(file)
    if wrong and requirements is None and sys.platform == "win32" and not _wrong_packages(small):
        file, wrong = small, []
    if wrong:
        text = _words("packages_bad", file=file.name, names=", ".join(wrong))
        return [Finding("packages", Level.FAILURE, text, _words("packages_advice", file=file.name))]
    count = len(miniqmt.pins_of(str(file)))
    return [Finding("packages", Level.OK, _words("packages", count=count, file=file.name))]


def _wrong_packages(file: Path) -> list[str]:
    wrong = []
    for name, version in miniqmt.pins_of(str(file)):
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = "-"
        if found != version:
            wrong.append(f"{name} {found} ({version})")
    return wrong


def settings(current: Settings) -> list[Finding]:
    """Where the settings came from, variables that nobody reads, and settings that contradict each other."""
    files = {origin.place.rpartition(":")[0] for origin in current.origins.values() if origin.kind == "file"}
    text = _words("settings", file=", ".join(sorted(files))) if files else _words("settings_defaults")
    findings = [Finding("settings", Level.OK, text)]
    for remark in current.remarks:
        findings.append(Finding("variable", Level.WARNING, remark, _words("settings_remark_advice")))
    for doubt in current.doubts:
        findings.append(Finding("contradiction", Level.WARNING, doubt, _words("settings_doubt_advice")))
    return findings


def exchange_folder(current: Settings) -> list[Finding]:
    """The exchange folder: there, writable, and how long a published file takes to be seen."""
    folder = checked_exchange_folder(current.exchange_folder())
    found = Finding("folder", Level.OK, _words("folder", folder=folder))
    return [found, *round_trip(current, folder)]


def round_trip(current: Settings, folder: Path) -> list[Finding]:
    """How long a published file takes to be seen, against what the sync tool's table expects."""
    pace = current.sync.defaults
    trip = measure(folder, pace)
    if trip.seen_ms is None:
        return [Finding("round_trip", Level.FAILURE, _words("unseen"), _words("unseen_advice"))]
    measured = {"publish_ms": trip.publish_ms, "seen_ms": trip.seen_ms}
    text = _words("publish", publish=trip.publish_ms, seen=trip.seen_ms)
    interval = pace.scan_interval * 1000
    if pace.watcher and not trip.woken:
        text += "; " + _words("watcher_dead", interval=interval)
        advice = _words("watcher_advice", problem=trip.problem or "-")
        return [Finding("round_trip", Level.WARNING, text, advice, measured)]
    if trip.seen_ms > trip.publish_ms + 3 * interval:
        advice = _words("publish_slow", tool=current.sync.tool, interval=interval)
        return [Finding("round_trip", Level.WARNING, text, advice, measured)]
    return [Finding("round_trip", Level.OK, text, "", measured)]


def own_folders(current: Settings) -> list[Finding]:
    """The ledger's and the logs' folders: writable, and the logs outside the exchange folder."""
    findings = []
    for name, folder in (("RUNTIME_DIR", current.runtime_dir), ("LOG_DIR", current.log_dir)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / f".check.{uuid.uuid4().hex}.tmp"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            text = _words("runtime_bad", folder=folder, reason=error.strerror)
            findings.append(Finding(name, Level.FAILURE, text, _words("runtime_advice", name=name)))
        else:
            findings.append(Finding(name, Level.OK, _words("runtime", folder=folder)))
    shared = current.shared_dir
    if shared is not None and current.log_dir.resolve().is_relative_to(shared.resolve()):
        text = _words("logs_inside", folder=current.log_dir)
        findings.append(Finding("LOG_DIR", Level.WARNING, text, _words("logs_inside_advice")))
    return findings


def signing_key(current: Settings) -> list[Finding]:
    """Whether what crosses the folder is signed."""
    folder = current.shared_dir or current.dashboard.work_dir
    if folder is not None and is_offline_folder(folder):
        return [Finding("signing_key", Level.OK, say("keys.doctor_offline"))]
    key = load_key(current)
    if key is None:
        advice = say("keys.doctor_none_advice")
        return [Finding("signing_key", Level.WARNING, say("keys.doctor_none"), advice)]
    return [Finding("signing_key", Level.OK, say("keys.doctor_ok", fingerprint=fingerprint(key)))]


def disk_space(current: Settings) -> list[Finding]:
    """Free space where the exchange folder and the ledger stand."""
    findings = []
    for place in (current.shared_dir, current.runtime_dir):
        if place is None or not place.exists():
            continue  # said by the checks of the folders themselves
        free = shutil.disk_usage(place).free
        level = Level.FAILURE if free < NO_SPACE else Level.WARNING if free < LITTLE_SPACE else Level.OK
        advice = "" if level is Level.OK else _words("disk_advice")
        text = _words("disk", place=place, free=free / 1e9)
        findings.append(Finding("disk", level, text, advice, {"free_bytes": float(free)}))
    return findings


def calendar(current: Settings, now: datetime | None = None) -> list[Finding]:
    """Days until the trading calendar ends: after that no order is placed."""
    today = (now or datetime.now(SHANGHAI)).astimezone(SHANGHAI).date()
    known = calendar_of_this_host()
    days = known.days_left(today)
    level = Level.FAILURE if days == 0 else Level.WARNING if known.ends_soon(today) else Level.OK
    text = _words("calendar", until=today + timedelta(days=days), days=days)
    advice = "" if level is Level.OK else _words("calendar_advice")
    return [Finding("calendar", level, text, advice, {"days_left": float(days)})]
