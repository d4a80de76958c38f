"""The backtest of 159201, run by path; takes the options of ``miniqmt backtest``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from miniqmt import ensure_environment

    ensure_environment(__file__)
    # Whoever may import both sides runs the command; this file only starts it.
    from commands.main import main

    main(["backtest", *sys.argv[1:]])
