"""Run one of the product's scripts and note each file error that its disk met and waited out.

    python test_offline/wine_ring/counted.py ERRORS_FILE SCRIPT [ARGUMENTS ...]

Each line of ERRORS_FILE: the Windows error's number, or ``errno`` and its number where Windows named none.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from shared_schema import disk


def main(errors: Path, script: str) -> None:
    """Watch the one function that judges file errors, then become the script."""
    judge = disk._is_busy

    def noted(problem: OSError) -> bool:
        with errors.open("a", encoding="ascii") as file:
            file.write(f"{getattr(problem, 'winerror', None) or f'errno {problem.errno}'}\n")
        return judge(problem)

    disk._is_busy = noted
    sys.argv = [script, *sys.argv[3:]]
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
