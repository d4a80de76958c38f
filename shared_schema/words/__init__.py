"""The one catalogue of text that people read, Chinese with English beside it.

Each TOML file beside this module is one area of the catalogue; the key
``executor.waiting`` is the entry ``waiting`` in ``executor.toml``. An entry is a
pair ``[chinese, english]`` of format strings, or for an error a table of such
pairs (``what``, ``why``, ``next``).
"""

from __future__ import annotations

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

Language = Literal["zh", "en"]

_language: Language | None = None


def language() -> Language:
    """The language in force: set by ``use_language``, else MINIQMT_LANGUAGE, else Chinese."""
    if _language is not None:
        return _language
    return "en" if os.environ.get("MINIQMT_LANGUAGE", "").strip().lower().startswith("en") else "zh"


def use_language(chosen: str) -> None:
    """Choose ``"zh"`` or ``"en"`` for every sentence said from now on in this process."""
    global _language
    _language = "en" if chosen.lower().startswith("en") else "zh"


@cache
def area(name: str) -> dict[str, Any]:
    """All entries of one area, parsed once."""
    with (Path(__file__).parent / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


def pair(key: str) -> tuple[str, str]:
    """The Chinese and English format strings of ``key``; KeyError names a missing key."""
    area_name, _, rest = key.partition(".")
    entry: Any = area(area_name)
    for part in rest.split("."):
        if not isinstance(entry, dict) or part not in entry:
            raise KeyError(f"no words for {key!r} in shared_schema/words/{area_name}.toml")
        entry = entry[part]
    chinese, english = entry
    return chinese, english


def say(key: str, **values: object) -> str:
    """The sentence for ``key`` in the language in force, with ``values`` filled in."""
    chinese, english = pair(key)
    return (english if language() == "en" else chinese).format(**values)


def say_both(key: str, **values: object) -> str:
    """Chinese and English of ``key`` on one line, for help texts."""
    chinese, english = pair(key)
    return f"{chinese.format(**values)} / {english.format(**values)}"


def has(key: str) -> bool:
    """Whether the catalogue holds ``key``."""
    try:
        pair(key)
    except (KeyError, FileNotFoundError, ValueError):
        return False
    return True
