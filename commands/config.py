"""``miniqmt config``: each setting and where it came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from shared_schema.errors import SettingsError
from shared_schema.keys import fingerprint, key_path, load_key
from shared_schema.settings import Settings, known_settings, load_settings
from shared_schema.settings_accounts import shown_accounts
from shared_schema.settings_values import masked
from shared_schema.words import say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("config")(config)


def config(as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False) -> None:
    """Print every setting in force; account numbers and the signing key are masked."""
    settings = load_settings()
    rows = shown_settings(settings)
    if as_json:
        content = {key: {"value": value, "origin": origin} for key, value, origin in rows}
        print(json.dumps(content, ensure_ascii=False, indent=2))
        return
    for line in table_lines(rows):
        print(line)
    for remark in (*settings.remarks, *settings.doubts):
        print(f"! {remark}")


def shown_settings(settings: Settings) -> list[tuple[str, Any, str]]:
    """Each key with its value as it may be shown (plain JSON types) and its origin."""
    rows = []
    for key, rule in known_settings():
        value = settings.value(key)
        if key == "accounts":
            value = shown_accounts(value)
        elif rule.secret and value is not None:
            value = masked(value) if isinstance(value, str) else tuple(masked(part) for part in value)
        plain = str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value
        rows.append((key, plain, settings.origin(key)))
        if key == "key_file":
            rows.append(("signing_key", *_signing_key(settings)))
    return rows


def _signing_key(settings: Settings) -> tuple[str | None, str]:
    """The key as it may be shown, and where it stands; what is wrong with it where it can't be used."""
    try:
        key = load_key(settings)
        return (say("keys.masked", fingerprint=fingerprint(key)) if key else None), str(key_path(settings))
    except SettingsError as problem:
        return problem.what, problem.where


def table_lines(rows: list[tuple[str, Any, str]]) -> list[str]:
    """The rows as lines, a blank line before each section; ``-`` stands for unset."""
    texts = [(key, _text(value), origin) for key, value, origin in rows]
    key_width = max(len(key) for key, _, _ in texts)
    value_width = min(max(len(value) for _, value, _ in texts), 44)
    lines, section = [], ""
    for key, value, origin in texts:
        if key.rpartition(".")[0] != section:
            section = key.rpartition(".")[0]
            lines.append("")
        lines.append(f"{key:<{key_width}}  {value:<{value_width}}  # {origin}".rstrip())
    return lines


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
