"""Phase 3 by hand: ``python3 test_executor_dryrun.py`` answers the ``order_signal.json`` that lies here.

The real executor runs in this process, simulated, over this folder, with its ledger in ``.runtime/``. pytest
collects the same checks and runs them in temporary folders.
"""

from __future__ import annotations

if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from miniqmt import ensure_environment

    ensure_environment(__file__)

import sys
import tempfile
import time
from pathlib import Path

import pytest

from shared_schema.drop_folder.names import SIGNAL_SLOT
from shared_schema.words import say
from test_offline.phases import phase_3_executor
from test_offline.phases.checks import print_checks
from test_offline.phases.dry_run import Bench, lying_signal_checks
from test_offline.phases.offline_folder import make_offline_folder, run_script
from test_offline.phases.phase_3_executor import good_signal

HERE = Path(__file__).resolve().parent


def main(here: Path = HERE, *, everything: bool = True) -> int:
    """Answer the signal in ``here``, then (``everything``) all kinds in a temporary folder; 0 or 1."""
    bench = Bench(here, here / ".runtime")
    if (here / SIGNAL_SLOT).exists():
        print(say("offline.dry_run_lying"))
    else:
        signal = good_signal(f"dryrun-{time.time_ns() // 1_000_000}")
        print(say("offline.dry_run_prepared", signal_id=signal["signal_id"]))
        bench.drop(signal)
    passed = print_checks(lying_signal_checks(bench))
    if everything:
        print(say("offline.dry_run_rest"))
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
            passed = print_checks(phase_3_executor.run(Path(place))) and passed
    print(say("offline.script_passed" if passed else "offline.script_failed"))
    return 0 if passed else 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty OFFLINE folder."""
    return make_offline_folder(tmp_path / "test_offline").path


@pytest.mark.slow
def test_phase_3_holds(tmp_path: Path) -> None:
    """A good signal is executed once and its id never again; each bad one is refused with its reason."""
    assert [one.line for one in phase_3_executor.run(tmp_path) if not one.passed] == []


@pytest.mark.slow
def test_the_typed_line_works_twice(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """abc123 typed again a second later is answered from the ledger: consumed, and no second order."""
    bench = Bench(folder, folder / ".runtime")
    for age in (-1.0, 0.0):
        bench.drop(good_signal("abc123", timestamp=age))
        assert main(folder, everything=False) == 0, capsys.readouterr().out
        assert bench.orders_at_broker() == 1
    assert say("offline.known_not_executed", signal_id="abc123") in capsys.readouterr().out


@pytest.mark.slow
def test_without_a_signal_one_is_prepared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty folder is no failure: the script drops a signal of its own and executes it."""
    assert main(folder, everything=False) == 0, capsys.readouterr().out
    assert Bench(folder, folder / ".runtime").orders_at_broker() == 1


@pytest.mark.slow
def test_an_unexpected_refusal_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A signal that looks good and is refused all the same (off its tick) ends with 1 and the reason."""
    Bench(folder, folder / ".runtime").drop(good_signal("off-tick", price=1.0505))
    assert main(folder, everything=False) == 1
    assert "1.0505" in capsys.readouterr().out


@pytest.mark.slow
def test_an_id_reused_for_another_order_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """abc123 with other shares is never executed; the person is told that it went into quarantine."""
    bench = Bench(folder, folder / ".runtime")
    bench.drop(good_signal("abc123"))
    assert main(folder, everything=False) == 0
    bench.drop(good_signal("abc123", shares=3300))
    assert main(folder, everything=False) == 1
    assert "id_reused" in capsys.readouterr().out
    assert bench.orders_at_broker() == 1


if __name__ == "__main__":
    sys.exit(run_script(main))
