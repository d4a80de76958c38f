"""Where a replay goes on after it was cut off: a market clock must not run back under its readers."""

from __future__ import annotations

from collections.abc import Sequence

from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER, QUOTE, heartbeat_name
from shared_schema.errors import FolderError, MessageError
from shared_schema.ids import Code, InstanceId
from shared_schema.messages import decode_heartbeat, decode_quote
from windows_side.quotes.readers import STOPPED


def resume_time(folder: DropFolder, instance: InstanceId, codes: Sequence[Code], day: str) -> float | None:
    """Market time (Unix seconds) of the last quote of a replay of these codes and this day that was killed.

    None after a clean stop, of another replay, and where the files tell nothing: then it begins anew.
    """
    try:
        heartbeat_raw = folder.read(f"{HEARTBEAT_FOLDER}/{heartbeat_name('producer', instance)}")
        quote_raw = folder.read_large(QUOTE)
        if heartbeat_raw is None or quote_raw is None:
            return None
        heartbeat = decode_heartbeat(heartbeat_raw, key=folder.key)
        quote = decode_quote(quote_raw, QUOTE, folder.key)
    except (FolderError, MessageError):
        return None
    if heartbeat.body.state == STOPPED or quote.envelope is None or quote.envelope.mode != "simulate":
        return None
    same = quote.envelope.trading_day == day and set(quote.body.quotes) == set(codes)
    return quote.envelope.market_time if same else None
