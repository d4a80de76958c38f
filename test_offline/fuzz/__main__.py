"""``python -m test_offline.fuzz --inputs N --seed S [--target signal] [--index I]``"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from test_offline.fuzz.runner import Counts, Failure, run, try_one
from test_offline.fuzz.targets import TARGETS

FAILING = ("crash", "hang", "wrongly accepted")


def main(arguments: list[str] | None = None) -> int:
    """Run the ring, print the table; 1 where any input failed."""
    options = _parser().parse_args(arguments)
    chosen = {name: TARGETS[name] for name in options.target or TARGETS}
    if options.index is not None:
        return _replay(chosen, options.seed, options.index)
    failures: list[Failure] = []

    def tell(failure: Failure) -> None:
        failures.append(failure)
        if len(failures) <= options.show:
            print(_text(failure, options.seed), file=sys.stderr)
        _keep(failure, options.seed, options.keep)

    counts = run(chosen, options.inputs, options.seed, tell=tell)
    print(table(counts))
    if failures:
        print(f"{len(failures)} failing inputs in {options.keep}", file=sys.stderr)
    return 1 if failures else 0


def table(counts: dict[str, Counts]) -> str:
    """The counts per target and in all."""
    head = f"{'target':<12}{'inputs':>9}{'accepted':>10}{'refused':>9}{'crash':>7}{'hang':>6}{'wrong':>7}"
    lines = [head + f"{'inputs/s':>10}{'slowest':>10}"]
    whole = Counts()
    for name, found in counts.items():
        whole.outcomes.update(found.outcomes)
        whole.seconds += found.seconds
        whole.slowest = max(whole.slowest, found.slowest)
        lines.append(_row(name, found))
    return "\n".join((*lines, _row("all", whole)))


def _row(name: str, found: Counts) -> str:
    words = found.outcomes
    return (
        f"{name:<12}{found.inputs:>9}{words['accepted']:>10}{words['refused']:>9}"
        f"{words['crash']:>7}{words['hang']:>6}{words['wrongly accepted']:>7}"
        f"{found.inputs / max(found.seconds, 1e-9):>10.0f}{found.slowest * 1000:>7.0f} ms"
    )


def _replay(chosen: dict, seed: int, index: int) -> int:  # type: ignore[type-arg]
    failed = False
    for name, (make, _) in chosen.items():
        with tempfile.TemporaryDirectory(prefix="miniqmt-fuzz-") as folder:
            outcome, failure, taken = try_one(name, make, seed, index, Path(folder))
        print(f"{name} {index}: {outcome}, {taken * 1000:.1f} ms")
        if failure is not None:
            failed = True
            print(_text(failure, seed), f"input: {failure.raw[:4000]!r}", sep="\n")
    return 1 if failed else 0


def _text(failure: Failure, seed: int) -> str:
    again = f"python -m test_offline.fuzz --target {failure.target} --seed {seed} --index {failure.index}"
    return f"{failure.kind}: {failure.made[:200]}\n{failure.detail[-1500:]}\n  {again}\n"


def _keep(failure: Failure, seed: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{failure.target}-{seed}-{failure.index}"
    (folder / f"{stem}.input").write_bytes(failure.raw)
    (folder / f"{stem}.txt").write_text(_text(failure, seed), encoding="utf-8", errors="backslashreplace")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m test_offline.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000, help="how many in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--target", action="append", choices=sorted(TARGETS), help="only this one; may be repeated"
    )
    parser.add_argument("--index", type=int, help="replay one input")
    parser.add_argument("--keep", type=Path, default=Path("fuzz_failures"), help="folder for failing inputs")
    parser.add_argument("--show", type=int, default=10, help="failures printed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
