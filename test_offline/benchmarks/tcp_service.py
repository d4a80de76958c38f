"""The peer: an order service over loopback TCP, as durable as ours.

One SQLite FULL commit before the broker's call and one after it, an answer over the
socket: the price of going through files is what ours costs above it.
"""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from test_offline.benchmarks.bench_folder import ROOT


def serve(root: str) -> None:
    """Serve one client; prints its port."""
    database = sqlite3.connect(Path(root) / "tcp.sqlite3", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE orders (id TEXT PRIMARY KEY, row TEXT, answer TEXT)")
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection.makefile("rwb") as stream:
        for line in stream:
            order = json.loads(line)
            database.execute("INSERT INTO orders VALUES (?, ?, '')", (order["signal_id"], line.decode()))
            submitted = time.time()
            database.execute("UPDATE orders SET answer = 'placed' WHERE id = ?", (order["signal_id"],))
            stream.write(json.dumps({"submitted": submitted}).encode() + b"\n")
            stream.flush()


class TcpClient:
    """Sends an order and waits for its answer."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = self._socket.makefile("rwb")

    def order(self, raw: bytes) -> tuple[float, float]:
        """Seconds to the broker's call, and to the answer."""
        began = time.time()
        self._stream.write(raw + b"\n")
        self._stream.flush()
        answer = json.loads(self._stream.readline())
        return answer["submitted"] - began, time.time() - began


@contextmanager
def tcp_service(root: Path) -> Iterator[TcpClient]:
    """The service, with a client connected."""
    command = [sys.executable, "-m", "test_offline.benchmarks.tcp_service", str(root)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield TcpClient(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    serve(sys.argv[1])
