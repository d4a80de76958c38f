"""Several strategies on one host: ``[strategy]`` is the first, each ``[strategies.<name>]`` a further one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from shared_schema import settings_values as check
from shared_schema.errors import SettingsError
from shared_schema.settings_sections import Strategy
from shared_schema.settings_values import BadValue, Rule, nearest
from shared_schema.words import say


def strategies_of(first: Strategy, further: Mapping[str, Any], place: str = "") -> tuple[Strategy, ...]:
    """The first strategy and the further ones, in the order of the file.

    Raises SettingsError for an unknown key, a value that can't be used, and a name or code given twice:
    one position can't be split between two sets of books.
    """
    found = [first, *(_strategy(name, content, place) for name, content in further.items())]
    for key in ("name", "symbol"):
        values = [getattr(strategy, key) for strategy in found]
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise SettingsError("settings.strategy_twice", place, value=twice)
    return tuple(found)


def _strategy(name: str, content: object, place: str) -> Strategy:
    prefix = f"strategies.{name}"
    rules: dict[str, Rule] = {item.name: item.metadata["rule"] for item in fields(Strategy)}
    del rules["name"]
    values = {"name": _checked(prefix, name, check.name, place)}
    for key, value in _checked(prefix, content, check.table, place).items():
        if key not in rules:
            close = nearest(key, tuple(rules))
            hint = say("settings.nearest", name=close) if close else say("settings.no_nearest")
            raise SettingsError("settings.unknown_key", place, name=f"{prefix}.{key}", hint=hint)
        values[key] = _checked(f"{prefix}.{key}", value, rules[key].check, place)
    if "symbol" not in values:
        raise SettingsError("settings.strategy_without_symbol", place, name=prefix)
    return Strategy(**values)


def _checked(key: str, value: object, rule: check.Check, place: str) -> Any:
    try:
        return rule(value)
    except BadValue as problem:
        expected = str(problem)
        raise SettingsError(
            "settings.wrong_value", place, name=key, value=repr(value), expected=expected
        ) from None
