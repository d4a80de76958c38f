"""When the demo is over: the day replayed, every signal settled, every order ended."""

from __future__ import annotations

import sqlite3
import time

from commands.demo_room.actors import Actor, DemoError, check_alive, heartbeat, heartbeats
from commands.demo_room.stage import Stage
from commands.demo_room.summary import read_state
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import QUOTE
from shared_schema.errors import StateError
from shared_schema.messages import Envelope, decode_quote
from windows_side.execution.sqlite_ledger import read_only
from windows_side.quotes.readers import QUOTE_STREAM

SETTLES_WITHIN = 120.0
"""Seconds after the last quote within which everything must have ended."""


def wait_for_end(stage: Stage, actors: dict[str, Actor]) -> None:
    """Wait until the replay has finished and everything has settled. Raises DemoError."""
    while not replay_is_over(stage):
        check_alive(actors)
        time.sleep(0.1)
    last = newest_quote(stage)
    deadline = time.monotonic() + SETTLES_WITHIN
    while time.monotonic() < deadline:
        check_alive(actors)
        if have_seen(stage, last) and is_settled(stage):
            return
        time.sleep(0.1)
    # Not an error of its own: the comparison names what has not ended.


def replay_is_over(stage: Stage) -> bool:
    """Whether the producer says that the day has been shown."""
    told = heartbeat(stage, "producer")
    return told is not None and told.state == "finished"


def have_seen(stage: Stage, quote: Envelope | None) -> bool:
    """Whether every dashboard has decided on this quote: before that it may have an order yet to send."""
    if quote is None:
        return False
    told = [body.seen.get(QUOTE_STREAM) for body in heartbeats(stage, "dashboard")]
    return bool(told) and all(
        seen is not None and seen.epoch == quote.epoch and seen.seq >= quote.seq for seen in told
    )


def is_settled(stage: Stage) -> bool:
    """Whether the outbox is answered and no order is open."""
    try:
        outbox_open = read_state(stage.state_file).outbox.open
    except StateError:
        return False  # caught between two writings
    return not outbox_open and open_orders(stage) == 0


def open_orders(stage: Stage) -> int:
    """Rows of the ledger that have not ended."""
    database = read_only(stage.executor_files.ledger)
    try:
        return int(database.execute("SELECT count(*) FROM orders WHERE terminal = 0").fetchone()[0])
    except sqlite3.OperationalError as problem:
        raise DemoError(
            "demo.waited_in_vain", stage.executor_files.ledger, what=str(problem), seconds=0
        ) from problem
    finally:
        database.close()


def newest_quote_seq(stage: Stage) -> int:
    """How many quote files the producer has written."""
    envelope = newest_quote(stage)
    return envelope.seq if envelope is not None else 0


def newest_quote(stage: Stage) -> Envelope | None:
    """The envelope of the newest quote file, None while there is none."""
    raw = DropFolder(stage.exchange).read_large(QUOTE)
    return decode_quote(raw).envelope if raw is not None else None
