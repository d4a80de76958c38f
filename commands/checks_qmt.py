"""What ``doctor`` looks at on a host with QMT: the package, the terminal's folder, the arming."""

from __future__ import annotations

from pathlib import Path

from commands.checks import Finding, Level
from shared_schema.errors import MiniqmtError
from shared_schema.settings import Settings
from shared_schema.words import say
from windows_side.arming import arming_path, check_armed
from windows_side.brokers.qmt_diagnosis import path_findings
from windows_side.brokers.qmt_package import BROKER, broker_copy, is_installed


def qmt(current: Settings) -> list[Finding]:
    """Package, and folder and arming of each account; nothing where the settings name no terminal at all."""
    accounts = [current.for_account(alias) for alias in current.aliases]
    folders = dict.fromkeys(account.qmt.data_path for account in accounts)  # a terminal may serve several
    if folders.keys() == {None}:
        return []
    findings = _package(current)
    for folder in folders:
        findings += _folder(folder)
    for account in accounts:
        findings += _arming(account)
    return findings


def _package(current: Settings) -> list[Finding]:
    if current.qmt.xtquant == BROKER:
        try:
            text = say("qmt.doctor.broker_copy", folder=broker_copy(current.qmt.data_path))
        except MiniqmtError as problem:
            return [Finding("xtquant", Level.FAILURE, problem.what, problem.next_step)]
        return [Finding("xtquant", Level.OK, text)]
    if is_installed():
        return [Finding("xtquant", Level.OK, say("qmt.doctor.installed"))]
    advice = say("qmt.no_package.next")
    return [Finding("xtquant", Level.WARNING, say("qmt.no_package.why"), advice)]


def _folder(folder: Path | None) -> list[Finding]:
    found = path_findings(folder)
    if not found:
        return [Finding("userdata", Level.OK, say("qmt.doctor.userdata", folder=folder))]
    return [Finding("userdata", Level.FAILURE, str(finding)) for finding in found]


def _arming(current: Settings) -> list[Finding]:
    if not arming_path(current).exists():
        return [Finding("armed", Level.OK, say("qmt.doctor.not_armed", alias=current.account.alias))]
    try:
        check_armed(current)
    except MiniqmtError as problem:
        return [Finding("armed", Level.WARNING, f"{problem.what}: {problem.why}", problem.next_step)]
    return [Finding("armed", Level.OK, say("qmt.doctor.armed", alias=current.account.alias))]
