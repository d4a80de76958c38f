"""Starts real executors in milliseconds: imports them once, then forks one per line of its input.

Run as a script. A line is a JSON object of environment variables; answered by the child's process id,
and when it has ended by its exit status (negative: the signal that killed it).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def serve() -> None:
    """Fork for each line until the input ends."""
    from windows_side import order_executor

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.environ.update(json.loads(line))
            silent = os.open(os.environ["LOG_DIR"] + "/console.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            for number in (1, 2):
                os.dup2(silent, number)
            status = 99
            try:
                status = order_executor.main(["--simulate"])
            finally:
                os._exit(status)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    serve()
