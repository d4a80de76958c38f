"""How our native modules and the terminal talk: pickled tuples, the address found by the folder."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any

ADDRESS_FILE = "standin.json"
"""In the userdata folder: where the stand-in listens. A real terminal has shared memory there."""
Message = tuple[Any, ...]


def listen(userdata: Path) -> Listener:
    """Listen, and leave the address in the userdata folder."""
    secret = secrets.token_bytes(16)
    # The system's own kind (socket file or pipe): loopback TCP would wait 40 ms for half of the messages.
    listener = Listener(authkey=secret, backlog=64)
    temporary = userdata / f".{ADDRESS_FILE}.tmp"
    temporary.write_text(json.dumps({"address": listener.address, "secret": secret.hex()}))
    temporary.replace(userdata / ADDRESS_FILE)
    return listener


def dial(userdata: Path, *hello: Any) -> tuple[Connection, Message] | None:
    """Connect and introduce oneself; the connection and the terminal's answer, None where nobody listens."""
    try:
        told = json.loads((userdata / ADDRESS_FILE).read_text())
        connection = Client(told["address"], authkey=bytes.fromhex(told["secret"]))
    except (OSError, ValueError, EOFError):
        return None
    try:
        connection.send(hello)
        return connection, connection.recv()
    except (OSError, EOFError):
        connection.close()
        return None


def hang_up(connection: Connection) -> None:
    """End a connection that another thread is reading: closing alone would not reach the other side."""
    with contextlib.suppress(OSError, ValueError):
        if os.name == "posix":
            other = socket.socket(fileno=os.dup(connection.fileno()))
            with contextlib.closing(other):
                other.shutdown(socket.SHUT_RDWR)
        else:
            connection.close()
