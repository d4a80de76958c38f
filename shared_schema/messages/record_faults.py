"""What pydantic and orjson have against a record, in the words of the catalogue.

A kind without an entry keeps their own English.
"""

from __future__ import annotations

from typing import Any

import orjson
from pydantic_core import ErrorDetails

from shared_schema.words import has, say


def value_fault(error: ErrorDetails) -> str:
    """What is wrong with one value, a clause without a full stop."""
    key = f"record.{error['type']}"
    if not has(key):
        return error["msg"]
    return say(key, **{name: _shown(value) for name, value in error.get("ctx", {}).items()})


def _shown(value: Any) -> str:
    # pydantic joins choices with an English "or".
    return f"{value:g}" if isinstance(value, float) else str(value).replace(" or ", f" {say('record.or')} ")


def json_fault(problem: orjson.JSONDecodeError) -> str:
    """Why a file is no JSON, a clause without a full stop; its line and column where they are known."""
    said = problem.msg.lower()
    if "utf-8" in said:
        return say("record.not_utf8")
    if "empty document" in said:
        return say("record.empty")
    entry = "cut_off" if "end of data" in said else "not_json"
    return say(f"record.{entry}", line=problem.lineno, column=problem.colno)
