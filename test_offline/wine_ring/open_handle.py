"""What ``publish`` does while another Windows process keeps the target open; prints one line a case.

python test_offline/wine_ring/open_handle.py FOLDER
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from shared_schema.drop_folder import DropFolder
from shared_schema.errors import FolderError

_HOLD = """
import sys, time
with open(sys.argv[1], "rb"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def held_for(path: Path, seconds: float) -> subprocess.Popen[str]:
    """Another process that has ``path`` open from now on for ``seconds``."""
    command = [sys.executable, "-c", _HOLD, str(path), str(seconds)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline().strip() == "held"
    return holder


def main(root: Path) -> None:
    """Publish over a file held for 0.4 s, then over one held for 5 s."""
    folder = DropFolder(root)
    folder.prepare()
    target = root / "shared_quote.json"
    for seconds in (0.4, 5.0):
        target.write_bytes(b"before")
        holder = held_for(target, seconds)
        began = time.monotonic()
        try:
            folder.publish(target.name, b"after")
            answer = "published"
        except FolderError as error:
            answer = f"refused {type(error.__cause__).__name__}"
        took = time.monotonic() - began
        leftover = [path.name for path in root.iterdir() if path.name.endswith(".tmp")]
        print(f"{seconds} {answer} {took:.1f} {target.read_bytes().decode()} {leftover}", flush=True)
        holder.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
