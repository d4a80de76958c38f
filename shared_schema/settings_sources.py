"""Where settings are written: the TOML file of the host, ``.env`` in the working folder, the environment."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared_schema.errors import SettingsError
from shared_schema.words import say

FILE_NAME = "miniqmt.toml"

OTHER_VARIABLES = (
    "MINIQMT_CONFIG",
    "MINIQMT_VENV",
    "MINIQMT_REQUIREMENTS",
    "MINIQMT_HANDED_OVER",
    "MINIQMT_ALIVE_FILE",
)
"""Variables that are no settings; the last two are set by the bootstrap and the supervisor."""
CRASH_VARIABLES = ("MINIQMT_CRASH_AT", "MINIQMT_ALLOW_CRASH")
"""Of crash tests only (shared_schema.points)."""
"""Variables of ours that are no settings."""


@dataclass(frozen=True)
class Origin:
    """Where a value came from: ``kind`` names the sentence, ``place`` the file and line or the variable."""

    kind: str
    place: str = ""

    def __str__(self) -> str:
        return say(f"settings.origin.{self.kind}", place=self.place)


@dataclass(frozen=True)
class Written:
    """A value as it was written, the folder its relative paths start from, and its place."""

    value: object
    base: Path
    origin: Origin


def config_file(environment: Mapping[str, str], working_folder: Path) -> Path | None:
    """The TOML file of this host: MINIQMT_CONFIG, else the working folder's, else the user's; None = none."""
    named = environment.get("MINIQMT_CONFIG", "").strip()
    if named:
        chosen = working_folder / Path(named).expanduser()
        if not chosen.is_file():
            raise SettingsError("settings.no_file", chosen)
        return chosen
    beside = working_folder / FILE_NAME
    if beside.is_file():
        return beside
    users = user_config_file()
    return users if users.is_file() else None


def user_config_file() -> Path:
    """Where ``init`` writes the file by default: platformdirs' place for this user's configuration."""
    import platformdirs

    return platformdirs.user_config_path("miniqmt", appauthor=False) / FILE_NAME


def read_text(path: Path) -> str:
    """The text of a file people edit: UTF-8 with or without BOM, UTF-16 with BOM (PowerShell), else GBK."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError("settings.unreadable", path, reason=error.strerror) from error
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    for attempt in (encoding, "gb18030"):
        try:
            return content.decode(attempt)
        except UnicodeDecodeError:
            continue
    raise SettingsError("settings.unreadable", path, reason=say("settings.not_text"))


def read_toml(path: Path) -> dict[str, Written]:
    """Every value of the TOML file by its dotted key, whether known or not.

    Raises SettingsError with file and line; a backslash in double quotes gets its own sentence.
    """
    text = read_text(path)
    try:
        parsed = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers of 4300 digits, 1000 brackets
        line = _line_of_error(str(error), text)
        guilty = text.splitlines()[line - 1] if 0 < line <= len(text.splitlines()) else ""
        if marks := _chinese_marks(guilty):
            right = "  ".join(f"{mark} → {_CHINESE_MARKS[mark]}" for mark in marks)
            place, shown = f"{path}:{line}", " ".join(marks)
            words = {"line": guilty.strip(), "marks": shown, "right": right}
            raise SettingsError("settings.chinese_marks", place, **words) from error
        key = "settings.backslash" if _has_eaten_backslash(guilty) else "settings.not_toml"
        raise SettingsError(key, f"{path}:{line}", line=guilty.strip(), reason=str(error)) from error
    return {
        key: Written(value, path.parent, Origin("file", f"{path}:{line_of(text, key)}"))
        for key, value in _leaves(parsed)
    }


FREE_TABLES = ("strategy.overrides", "strategies", "accounts")
"""Tables that are one value: whoever uses them checks what they hold."""


def _leaves(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        dotted = f"{prefix}{key}"
        # An empty table below a section stands where a value belongs: it is told as the value it is.
        is_table = isinstance(value, dict) and (bool(value) or not prefix)
        if isinstance(value, dict) and is_table and dotted not in FREE_TABLES:
            yield from _leaves(value, f"{dotted}.")
        else:
            yield dotted, value


def _line_of_error(message: str, text: str) -> int:
    found = re.search(r"at line (\d+)", message)
    return int(found[1]) if found else len(text.splitlines())


def _has_eaten_backslash(line: str) -> bool:
    return re.search(r'"[^"]*\\', line) is not None


_CHINESE_MARKS = {"“": '"', "”": '"', "‘": "'", "’": "'", "＂": '"', "＇": "'"}
_CHINESE_MARKS |= {"＝": "=", "，": ",", "、": ",", "．": ".", "＃": "#"}
_CHINESE_MARKS |= {"［": "[", "］": "]", "【": "[", "】": "]"}


def _chinese_marks(line: str) -> list[str]:
    """The full-width marks of a line that stand where TOML's own belong: not in quotes, nor in a comment."""
    bare = re.sub(r"""(?x) "[^"]*" | '[^']*' | \#.* """, "", line)
    return [mark for mark in _CHINESE_MARKS if mark in bare]


def line_of(text: str, dotted: str) -> int:
    """The line (from 1) of the TOML ``text`` on which ``dotted`` is set; its table's where not found."""
    table, _, last = dotted.rpartition(".")
    current, header = "", 1
    for count, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        heading = re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line)
        if heading:
            current = heading[1].replace('"', "").replace(" ", "")
            # A free table stands where the first of its own tables does.
            is_first_below = header == 1 and current.startswith(f"{dotted}.")
            header = count if current in (dotted, table) or is_first_below else header
            continue
        assigned = re.match(r"""\s*["']?([A-Za-z0-9_.-]+)["']?\s*=""", line)
        if assigned and (f"{current}.{assigned[1]}" if current else assigned[1]) in (dotted, table):
            return count
        if assigned and current == table and assigned[1] == last:
            return count
    return header


_ASSIGNMENT = re.compile(r"(?:(?:export|set)\s+)?([A-Za-z_]\w*)\s*=\s*(.*)$", re.IGNORECASE | re.ASCII)


def read_dotenv(path: Path) -> dict[str, tuple[str, int]]:
    """The variables of a ``.env`` file with their lines; an absent file is an empty one.

    ``KEY=value``, also after ``export`` or ``set``; quotes are taken off and nothing inside them is
    changed (a Windows path stays itself); ``#`` begins a comment on its own line, and after a value
    where a blank stands before it.
    """
    if not path.is_file():
        return {}
    variables: dict[str, tuple[str, int]] = {}
    for count, line in enumerate(read_text(path).splitlines(), start=1):
        content = line.strip()
        if not content or content.startswith(("#", ";")):
            continue
        assigned = _ASSIGNMENT.match(content)
        if assigned is None:
            raise SettingsError("settings.dotenv_line", f"{path}:{count}", line=content[:60])
        variables[assigned[1]] = (_dotenv_value(assigned[2], f"{path}:{count}"), count)
    return variables


def _dotenv_value(written: str, place: str) -> str:
    quote = written[:1]
    if quote in ("'", '"'):
        closed = re.fullmatch(rf"{quote}([^{quote}]*){quote}\s*(?:#.*)?", written)
        if closed is None:
            raise SettingsError("settings.dotenv_line", place, line=written[:60])
        return closed[1]
    # Looking back for one blank: a pattern that eats them all takes minutes over a long row of blanks.
    return re.sub(r"(^|(?<=\s))#.*$", "", written).strip()
