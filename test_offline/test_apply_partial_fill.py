"""Phase 4 by hand: ``python3 test_apply_partial_fill.py`` applies the result that lies here to the books.

An ``order_result.json`` and ``dashboard_state.json`` here that belong together are applied in place, by the
product's own code; then the two prepared pairs are applied in a temporary folder and every number is
checked. pytest collects the same checks.
"""

from __future__ import annotations

if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from miniqmt import ensure_environment

    ensure_environment(__file__)

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from shared_schema.drop_folder.names import RESULT_SLOT
from shared_schema.words import say
from test_offline.phases import phase_4_partial_fill
from test_offline.phases.checks import print_checks
from test_offline.phases.offline_folder import make_offline_folder, read_json, run_script, to_bytes
from test_offline.phases.phase_4_partial_fill import PREPARED, STATE, apply_lying, belongs, shown

HERE = Path(__file__).resolve().parent


def main(here: Path = HERE) -> int:
    """Apply the pair that lies in ``here``, then the prepared ones; 0 when every number is right, else 1."""
    passed = True
    if belongs(here):
        print(say("offline.fill_lying"))
        passed = print_checks(apply_lying(here))
    elif (here / RESULT_SLOT).exists() or (here / STATE).exists():
        print(say("offline.fill_unrelated"))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        for name, pair in (("buy", phase_4_partial_fill.buy_pair), ("sell", phase_4_partial_fill.sell_pair)):
            print(say("offline.fill_prepared", name=f"phases/phase_4_{name}"))
            print(say("offline.before"), shown(read_json(PREPARED / f"phase_4_{name}" / STATE) or {}))
            checks = pair(Path(place) / name)
            print(say("offline.after"), shown(read_json(Path(place) / name / STATE) or {}))
            passed = print_checks(checks) and passed
    print(say("offline.script_passed" if passed else "offline.script_failed"))
    return 0 if passed else 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An OFFLINE folder with the prepared buy in it, as a person would put it there."""
    path = make_offline_folder(tmp_path / "test_offline").path
    for name in (STATE, RESULT_SLOT):
        shutil.copyfile(PREPARED / "phase_4_buy" / name, path / name)
    return path


def _state(folder: Path) -> dict[str, Any]:
    return read_json(folder / STATE) or {}


def test_phase_4_holds(tmp_path: Path) -> None:
    """Both prepared pairs settle to the exact numbers, once; an old top-up is dropped."""
    assert [one.line for one in phase_4_partial_fill.run(tmp_path) if not one.passed] == []


def test_a_pair_that_lies_here_is_applied_in_place_and_once(folder: Path) -> None:
    """The person's own file changes; the same line typed again changes nothing and passes too."""
    for _ in range(2):
        assert main(folder) == 0
        assert (_state(folder)["hold_t0_volume"], _state(folder)["pending_buy_shares"]) == (1100, 1100)


def test_a_result_typed_without_a_time_is_taken(folder: Path) -> None:
    """The result as short as the plan shows it: five fields."""
    result = {
        "signal_id": "sig-buy-001",
        "status": "success",
        "requested_shares": 2200,
        "filled_shares": 1100,
    }
    (folder / RESULT_SLOT).write_bytes(to_bytes({**result, "direction": "BUY"}))
    assert main(folder) == 0
    assert _state(folder)["hold_t0_volume"] == 1100


def test_a_result_of_another_signal_touches_nothing(folder: Path) -> None:
    """A result left by the executor for another id leaves the books as they are, byte for byte."""
    before = (folder / STATE).read_bytes()
    (folder / RESULT_SLOT).write_bytes(to_bytes({"signal_id": "abc123", "status": "success"}))
    assert main(folder) == 0
    assert (folder / STATE).read_bytes() == before


def test_a_result_that_contradicts_its_signal_fails(folder: Path) -> None:
    """Requested shares that are not the signal's: nothing is applied and the script ends with 1."""
    result = read_json(folder / RESULT_SLOT) or {}
    (folder / RESULT_SLOT).write_bytes(to_bytes({**result, "requested_shares": 3300}))
    assert main(folder) == 1
    assert _state(folder)["hold_t0_volume"] == 2200


if __name__ == "__main__":
    sys.exit(run_script(main))
