"""Conflict copies below the top folder are moved aside and said; what only looks like one stays."""

from __future__ import annotations

from pathlib import Path

from shared_schema.drop_folder.names import DONE_FOLDER, QUARANTINE_FOLDER, RESULTS_FOLDER
from tests.execution.shell import Shell

COPY = ".sync-conflict-20261120-155211-QFUOC7P"


def _copied(shell: Shell, folder: str) -> str:
    """A conflict copy of the one file in ``folder``; its name."""
    (name,) = shell.names(folder)
    stem, ending = name.rsplit(".", 1)
    raw = shell.folder.read(f"{folder}/{name}")
    assert raw is not None
    shell.folder.publish(f"{folder}/{stem}{COPY}.{ending}", raw)
    return f"{stem}{COPY}.{ending}"


def _after_one_signal(place: Path, signal_id: str) -> Shell:
    shell = Shell(place).ready()
    shell.drop(shell.signal(signal_id))
    shell.settled(signal_id)
    shell.until(lambda: shell.names(DONE_FOLDER))
    return shell


def test_copies_of_results_and_archived_signals_go_to_quarantine(tmp_path: Path) -> None:
    """Both are moved with their reason and reported; the files they are copies of stay."""
    shell = _after_one_signal(tmp_path, "BUY_159201.SZ_s_1a2b3c4d")
    copies = [_copied(shell, folder) for folder in (RESULTS_FOLDER, DONE_FOLDER)]
    shell.skip += 11
    shell.until(lambda: not any("sync-conflict" in name for name in shell.names(RESULTS_FOLDER)))
    shell.until(lambda: not any("sync-conflict" in name for name in shell.names(DONE_FOLDER)))
    kept = shell.names(QUARANTINE_FOLDER)
    assert all(any(name.endswith(copy) for name in kept) for copy in copies)
    assert shell.lines.actions.count("quarantined") == 2
    assert len(shell.names(RESULTS_FOLDER)) == len(shell.names(DONE_FOLDER)) == 1
    shell.kill()


def test_an_id_of_digits_only_is_no_copy(tmp_path: Path) -> None:
    """``order_result_…_12345678.json`` looks like one tool's second copy and is its payload's own name."""
    shell = _after_one_signal(tmp_path, "BUY_159201.SZ_s_12345678")
    shell.skip += 11
    for _ in range(3):
        shell.executor.turn()
    assert shell.names(RESULTS_FOLDER) == ["order_result_BUY_159201.SZ_s_12345678.json"]
    assert "quarantined" not in shell.lines.actions
    shell.kill()
