"""Another program on the Windows host that opens files and keeps them: an indexer, a sync tool.

    python test_offline/wine_ring/holder.py FOLDER SEED STOP_FILE

It opens one file of the folder after the other as most programs do, so that nobody may replace it
meanwhile, and keeps it for 5 to 150 ms.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path


def main(folder: Path, seed: int, stop_file: Path) -> None:
    """Hold files until ``stop_file`` is there; then print how often that was."""
    dice, held = random.Random(seed), 0
    while not stop_file.exists():
        files = [path for path in folder.rglob("*") if path.is_file()]
        if not files:
            time.sleep(0.01)
            continue
        try:
            with open(dice.choice(files), "rb") as file:
                file.read()
                time.sleep(dice.uniform(0.005, 0.15))
                held += 1
        except OSError:
            continue  # just replaced or taken away: another one will do
    print(f"held {held}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
