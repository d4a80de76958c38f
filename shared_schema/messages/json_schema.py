"""The records as JSON Schema, for whoever reads or writes the folder without this code.

``python -m shared_schema.messages.json_schema docs/schema`` writes them again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from shared_schema.messages.account import AccountSnapshot
from shared_schema.messages.halt import Halt
from shared_schema.messages.heartbeat import Heartbeat
from shared_schema.messages.quote import QuoteSnapshot
from shared_schema.messages.record import SCHEMA_VERSION, Envelope, Record
from shared_schema.messages.result import OrderResult
from shared_schema.messages.signal import OrderSignal
from shared_schema.messages.views import ExecutedSignals, SharedPool

FILES: dict[str, type[Record]] = {
    "shared_quote": QuoteSnapshot,
    "account_snapshot": AccountSnapshot,
    "order_signal": OrderSignal,
    "order_result": OrderResult,
    "executed_signals": ExecutedSignals,
    "shared_pool": SharedPool,
    "heartbeat": Heartbeat,
    "halt": Halt,
}


def schema_of(name: str) -> dict[str, Any]:
    """The schema of one file: its body's fields beside the envelope's, as they stand in the flat JSON."""
    body, envelope = FILES[name].model_json_schema(), Envelope.model_json_schema()
    seals = {seal: {"type": "string"} for seal in ("checksum", "signature")}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{name}, version {SCHEMA_VERSION}",
        "type": "object",
        "properties": {**envelope["properties"], **seals, **body["properties"]},
        "required": sorted({*envelope["required"], "checksum", *body.get("required", [])}),
        "additionalProperties": bool(body.get("additionalProperties", False)),
        "$defs": body.get("$defs", {}),
    }


def text_of(name: str) -> str:
    """The schema file's text."""
    return json.dumps(schema_of(name), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def export(folder: Path) -> None:
    """Write every schema into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / f"{name}.schema.json").write_text(text_of(name), encoding="utf-8")


if __name__ == "__main__":
    export(Path(sys.argv[1]))
