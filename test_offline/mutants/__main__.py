"""``python -m test_offline.mutants [--only NAME]``: every mutant up to its first catch, as a table."""

from __future__ import annotations

import argparse
import sys
import textwrap
import time

from test_offline.mutants.mutant import Mutant, load
from test_offline.mutants.verdict import SECONDS, Verdict, judge


def main(arguments: list[str] | None = None) -> int:
    """Judge the mutants, print the table; 1 where one survived."""
    options = _parser().parse_args(arguments)
    mutants = [mutant for mutant in load() if options.only in mutant.name]
    if not mutants:
        print(f"no mutant is named {options.only!r}", file=sys.stderr)
        return 2
    began, verdicts = time.monotonic(), []
    print(f"{'mutant':<44}{'what it would do':<72}{'caught by':<64}{'after':<18}said")
    for mutant in mutants:
        verdict = judge(mutant, options.seconds)
        verdicts.append(verdict)
        print(_row(mutant, verdict), flush=True)
    survived = [verdict.mutant for verdict in verdicts if not verdict.good]
    print(
        f"{len(mutants) - len(survived)} of {len(mutants)} mutants caught, "
        f"{time.monotonic() - began:.0f} s in all" + "".join(f"\n  not caught: {name}" for name in survived)
    )
    return 1 if survived else 0


def _row(mutant: Mutant, verdict: Verdict) -> str:
    after = f"{verdict.attempts} tries {verdict.seconds:.1f} s"
    said = verdict.problem or verdict.caught or "NOT CAUGHT"
    if verdict.attempts > 1:
        said = f"[{verdict.number}] {said}"
    said = " ".join(said.split())
    risk, harness = (
        textwrap.shorten(text, width, placeholder=" …")
        for text, width in ((mutant.risk, 70), (verdict.harness, 62))
    )
    return f"{mutant.name:<44}{risk:<72}{harness:<64}{after:<18}{said[:120]}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m test_offline.mutants", description=__doc__)
    parser.add_argument("--only", default="", metavar="NAME", help="mutants with NAME in their name")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="processor time for each")
    return parser


if __name__ == "__main__":
    sys.exit(main())
