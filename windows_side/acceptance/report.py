"""The report: what was asked and seen, what is still open; Markdown to read, JSON to compare."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared_schema.words import say

Answers = Sequence[tuple[str, dict[str, Any]]]
PREFIX = "acceptance_"


def write_report(
    folder: Path,
    stamp: str,
    header: dict[str, Any],
    answers: Answers,
    sent: Sequence[int],
    left: Sequence[int],
) -> Path:
    """``acceptance_STAMP.md`` and ``.json`` in ``folder``; the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{PREFIX}{stamp}.md"
    lines = [f"# {say('acceptance.title')} {stamp}", ""]
    lines += [f"- {name}: {value}" for name, value in header.items()]
    for name, facts in answers:
        lines += ["", f"## {say(f'acceptance.question.{name}')}", ""]
        lines += [f"- {key}: {_text(value)}" for key, value in facts.items()] or [
            f"- {say('acceptance.left_out')}"
        ]
    lines += [
        "",
        say("acceptance.all_taken_back") if not left else say("acceptance.still_open", ids=_ids(left)),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    content = {"format": 1, **header, "answers": dict(answers), "sent": list(sent), "left_open": list(left)}
    path.with_suffix(".json").write_text(
        json.dumps(content, ensure_ascii=False, indent=1, default=repr), encoding="utf-8"
    )
    return path


def earlier_ids(folder: Path, today: str) -> frozenset[int]:
    """Order ids of the runs of days before ``today`` (YYYYMMDD)."""
    found: set[int] = set()
    for path in sorted(folder.glob(f"{PREFIX}*.json")):
        if not path.stem.startswith(f"{PREFIX}{today}"):
            found.update(json.loads(path.read_text(encoding="utf-8")).get("sent", []))
    return frozenset(found)


def _text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "`" + json.dumps(value, ensure_ascii=False, default=repr) + "`"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _ids(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
