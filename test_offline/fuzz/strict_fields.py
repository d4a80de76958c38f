"""What a field of a record may hold: one rule for each kind of value, written without the product's code."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

Rule = Callable[[Any], bool]


def text(value: Any) -> bool:
    return isinstance(value, str)


def filled_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def positive(value: Any) -> bool:
    return number(value) and value > 0


def not_negative(value: Any) -> bool:
    return number(value) and value >= 0


def whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def count(value: Any) -> bool:
    return whole(value) and value >= 0


def some(value: Any) -> bool:
    return whole(value) and value > 0


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def identity(value: Any) -> bool:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", value):
        return False
    stem = value.split(".")[0].upper()
    reserved = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))}
    return value[0] != "." and value[-1] != "." and stem not in reserved


def one_of(*words: str) -> Rule:
    return lambda value: isinstance(value, str) and value in words


def maybe(rule: Rule) -> Rule:
    return lambda value: value is None or rule(value)


def list_of(rule: Rule) -> Rule:
    return lambda value: isinstance(value, list) and all(map(rule, value))


def table_of(rule: Rule) -> Rule:
    return lambda value: isinstance(value, dict) and all(map(rule, value.values()))


def record(required: Mapping[str, Rule], optional: Mapping[str, Rule]) -> Rule:
    def holds(value: Any) -> bool:
        return isinstance(value, dict) and not faults(value, required, optional)

    return holds


def faults(value: Mapping[str, Any], required: Mapping[str, Rule], optional: Mapping[str, Rule]) -> list[str]:
    """The fields of ``value`` that break a rule, are missing or are not known."""
    found = [f"{name} missing" for name in required if name not in value]
    for name, content in value.items():
        rule = required.get(name) or optional.get(name)
        if rule is None:
            found.append(f"{name} unknown")
        elif not rule(content):
            found.append(f"{name} = {str(content)[:60]!r}")
    return found
