"""Writing the settings file: a commented template, or the user's own file with the answers put in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Item

from shared_schema.settings_sources import read_text

TEMPLATE = Path(__file__).with_name("init_template.toml")


def filled_in(text: str, answers: Mapping[str, object]) -> str:
    """The TOML ``text`` with each dotted key of ``answers`` set; everything else, comments too, stays."""
    document = tomlkit.parse(text)
    for key, value in answers.items():
        table_name, _, last = key.rpartition(".")
        if not table_name and last not in document:
            # A key after the first table header would belong to that table: put it on top.
            text = tomlkit.dumps(document)
            document = tomlkit.parse(f"{last} = ''\n{text}")
        if table_name and table_name not in document:
            document[table_name] = tomlkit.table()
        table: Any = document[table_name] if table_name else document
        item = _item(value)
        if last in table:
            item.trivia.comment_ws = table[last].trivia.comment_ws
            item.trivia.comment = table[last].trivia.comment
        table[last] = item
    return tomlkit.dumps(document)


def _item(value: object) -> Item:
    """A TOML value; texts and paths in single quotes, so that backslashes stay backslashes."""
    if isinstance(value, Path | str):
        plain = str(value)
        return tomlkit.string(plain, literal="'" not in plain)
    if isinstance(value, float) and value.is_integer():
        return tomlkit.item(int(value))
    return tomlkit.item(value)


def starting_text(file: Path) -> str:
    """What to fill in: the file as it is, else the template."""
    return read_text(file) if file.exists() else TEMPLATE.read_text(encoding="utf-8")


def backup_name(file: Path, now: datetime) -> Path:
    """A free name beside ``file`` for its old content."""
    wanted = file.with_name(f"{file.name}.{now:%Y%m%d-%H%M%S}.bak")
    count = 1
    while wanted.exists():
        count += 1
        wanted = file.with_name(f"{file.name}.{now:%Y%m%d-%H%M%S}-{count}.bak")
    return wanted


def write(file: Path, text: str, now: datetime) -> Path | None:
    """Put ``text`` into ``file`` in one step, readable by its owner only; returns the backup, if any."""
    file.parent.mkdir(parents=True, exist_ok=True)
    backup = None
    if file.exists():
        backup = backup_name(file, now)
        shutil.copy2(file, backup)
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(file)
    return backup
