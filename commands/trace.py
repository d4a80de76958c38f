"""``miniqmt trace SIGNAL_ID``: one signal's life on this host, and what the folder tells of the other."""

from __future__ import annotations

import difflib
import json
from typing import Annotated, Any

import typer

from commands.place import AccountOption, FolderOption, JsonOption, place_of
from commands.time_text import stamp_text
from commands.trace_sources import TraceEvent, TraceSources
from shared_schema.ids import SignalId
from shared_schema.words import say, say_both


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("trace")(trace)


def trace(
    signal_id: Annotated[str, typer.Argument(help=say_both("operate.help_signal_id"))],
    folder: FolderOption = None,
    account: AccountOption = "",
    as_json: JsonOption = False,
) -> None:
    """Print the timeline; 1 where nothing is known of the id."""
    found, settings = place_of(folder, account)
    sources = TraceSources(found, settings, SignalId(signal_id))
    events = sorted(sources.events(), key=lambda event: event.at)
    facts = sources.facts
    near = [] if events or facts else difflib.get_close_matches(signal_id, sorted(sources.all_ids()), n=3)
    if as_json:
        content = {
            "format": 1,
            "signal_id": signal_id,
            "events": [event.as_json() for event in events],
            "facts": facts,
            "looked_in": sources.looked_in,
            "nearest": near,
            "problems": sources.problems,
        }
        print(json.dumps(content, ensure_ascii=False, indent=2))
    else:
        for line in _lines(signal_id, events, facts, sources, near):
            typer.echo(line)
    raise typer.Exit(0 if events or facts else 1)


def _lines(
    signal_id: str,
    events: list[TraceEvent],
    facts: list[dict[str, Any]],
    sources: TraceSources,
    near: list[str],
) -> list[str]:
    lines = [f"! {problem}" for problem in sources.problems]
    if not events and not facts:
        lines.append(say("operate.trace.unknown", signal_id=signal_id))
        lines += [f"  {place}" for place in sources.looked_in]
        if near:
            lines.append(say("operate.trace.nearest", ids=", ".join(near)))
        return lines
    lines.append(signal_id)
    width = max((len(event.source) for event in events), default=0)
    previous: float | None = None
    for event in events:
        step = f"+{(event.at - previous) * 1000:.0f} ms" if previous is not None else ""
        text = f"{event.source:<{width}}  {event.what}  {event.detail}"
        lines.append(f"{stamp_text(event.at)} {step:>12}  {text}".rstrip())
        previous = event.at
    lines += ["- " + say(f"operate.trace.fact.{fact['what']}", **fact) for fact in facts]
    lines.append(say("operate.trace.clocks"))
    return lines
