"""The rooms of further accounts in ``miniqmt status``: a report of each, one list of what needs a person."""

from __future__ import annotations

from typing import Any

from commands.place import further_settings, place_by
from commands.status_report import StatusReport
from shared_schema.drop_folder.names import ABOVE
from shared_schema.errors import MiniqmtError
from shared_schema.settings import Settings


def gather_rooms(report: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """``report`` of the first account with ``rooms``, one report for each further one; unchanged where none.

    What needs a person in a room stands in ``attention`` as well, with its account. A room that can't be
    read, or that no executor has made yet, is such a need and hides nothing else.
    """
    further = further_settings(settings)
    if not further:
        return report
    rooms: list[dict[str, Any]] = []
    attention = list(report["attention"])
    for own in further:
        alias = own.account.alias
        try:
            room = StatusReport(*place_by(own), report["at"]).gather()
        except MiniqmtError as problem:
            attention.append({"what": "room_unreadable", "text": f"[{alias}] {problem}", "account": alias})
            continue
        rooms.append({"account": alias, **room})
        attention += [
            {**need, "text": f"[{alias}] {need['text']}", "account": alias}
            for need in room["attention"]
            # Said once, of the folder above: it holds every account.
            if not (need["what"] == "halt_file" and ABOVE in need["text"])
        ]
    return {**report, "rooms": rooms, "attention": attention}
