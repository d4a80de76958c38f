"""The files a run leaves: trades as CSV, metrics as JSON. Written whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mac_side.backtest.result import Trade
from shared_schema.errors import FolderError
from shared_schema.shanghai import shanghai

TRADE_COLUMNS = ("time", "type", "price", "shares", "reason")


def write_trades(path: Path, trades: Sequence[Trade]) -> None:
    """Write ``trades`` as CSV: Shanghai time, BUY or SELL, yuan, shares, reason (empty for a buy)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(TRADE_COLUMNS)
    for trade in trades:
        time = shanghai(trade.time).isoformat(" ")
        writer.writerow((time, trade.type, repr(trade.price), trade.shares, trade.reason))
    write_whole(path, text.getvalue().encode())


def write_metrics(path: Path, document: Mapping[str, Any]) -> None:
    """Write the metrics document as JSON, numbers unrounded."""
    write_whole(path, (json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode())


def write_whole(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` by a temporary neighbour and a rename; FolderError where that fails."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise FolderError("backtest.not_writable", path, reason=error.strerror or error) from error
