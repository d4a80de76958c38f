"""What ``publish`` does while another Windows process keeps the target open; prints one line a case.

python test_offline/wine_ring/open_handle.py FOLDER
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from shared_schema import disk
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import FolderError

_HOLD = """
import sys
with open(sys.argv[1], "rb"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def held(path: Path) -> subprocess.Popen[str]:
    """Another process that has ``path`` open from now on, until it is let go."""
    command = [sys.executable, "-c", _HOLD, str(path)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline().strip() == "held"
    return holder


def main(root: Path) -> None:
    """Publish over a file that is let go once it stood in the way, then over one that is not."""
    judge = disk._is_busy
    folder = DropFolder(root)
    folder.prepare()
    target = root / "shared_quote.json"
    for case in ("let go", "kept"):
        target.write_bytes(b"before")
        holder = held(target)

        def in_the_way(problem: OSError, case: str = case, holder: subprocess.Popen[str] = holder) -> bool:
            if case == "let go" and holder.poll() is None:
                holder.communicate("\n")
            return judge(problem)

        disk._is_busy = in_the_way
        began = time.monotonic()
        try:
            folder.publish(target.name, b"after")
            answer = "published"
        except FolderError as error:
            answer = f"refused {type(error.__cause__).__name__}"
        took = time.monotonic() - began
        leftover = [path.name for path in root.iterdir() if path.name.endswith(".tmp")]
        print(f"{case}: {answer} {took:.1f} {target.read_bytes().decode()} {leftover}", flush=True)
        if holder.poll() is None:
            holder.communicate("\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
