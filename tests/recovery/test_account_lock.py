"""One executor an account: a live one on the whole machine, a simulated one per RUNTIME_DIR."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shared_schema.errors import SettingsError
from shared_schema.ids import AccountAlias
from windows_side.single_instance import hold_account, machine_locks

MAIN, OTHER = AccountAlias("main"), AccountAlias("other")


def test_a_live_account_is_held_across_runtime_folders_and_aliases(tmp_path: Path) -> None:
    """Same number, other alias, other RUNTIME_DIR: out, and told who holds it; the number is never shown."""
    locks = tmp_path / "locks"
    lock = hold_account("live", MAIN, "12345678", tmp_path / "a", locks)
    with pytest.raises(SettingsError) as raised:
        hold_account("live", OTHER, "12345678", tmp_path / "b", locks)
    assert "pid" in str(raised.value) and "12345678" not in str(raised.value)
    hold_account("live", MAIN, "87654321", tmp_path / "a", locks).release()
    lock.release()
    hold_account("live", OTHER, "12345678", tmp_path / "b", locks).release()
    assert not any("12345678" in path.name for path in locks.iterdir())


def test_simulated_accounts_run_side_by_side_in_their_own_runtime_folders(tmp_path: Path) -> None:
    """Tests and demos beside a simulating executor; twice in one RUNTIME_DIR is one too many."""
    first = hold_account("simulate", MAIN, None, tmp_path / "a")
    hold_account("simulate", MAIN, None, tmp_path / "b").release()
    with pytest.raises(SettingsError):
        hold_account("simulate", MAIN, None, tmp_path / "a")
    first.release()


@pytest.mark.slow
def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    """kill -9 leaves nothing to clear up."""
    code = (
        "import sys, time; from pathlib import Path; from windows_side.single_instance import hold_account;"
        "lock = hold_account('live', 'main', '1', Path(sys.argv[1]), Path(sys.argv[2]));"
        "print('held', flush=True); time.sleep(60)"
    )
    root = Path(__file__).resolve().parents[2]
    typed = [sys.executable, "-c", code, str(tmp_path / "a"), str(tmp_path / "locks")]
    with subprocess.Popen(typed, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline().strip() == "held"
        with pytest.raises(SettingsError) as raised:
            hold_account("live", MAIN, "1", tmp_path / "b", tmp_path / "locks")
        assert str(process.pid) in str(raised.value)
        process.kill()
    hold_account("live", MAIN, "1", tmp_path / "b", tmp_path / "locks").release()


def test_the_machines_place_is_no_runtime_folder() -> None:
    """The same for every RUNTIME_DIR and working folder."""
    assert machine_locks().is_absolute() and machine_locks() == machine_locks()
