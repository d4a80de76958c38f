"""The Windows side on Windows code: a real Windows CPython, its share modes, its consoles, its errors."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from shared_schema.disk import REPLACE_BUDGET
from test_offline.wine_ring.scene import Scene, scene, trade, wait_until
from test_offline.wine_ring.windows_python import WindowsPython, windows_path
from windows_side.executor_places import files_of

pytestmark = pytest.mark.slow


def test_the_folder_ledger_and_name_rooms_hold(windows_python: WindowsPython) -> None:
    """The drop folder, the name grammar and the ledgers keep their promises on Windows code too."""
    assert _passed(windows_python, "tests/shared_schema", "tests/execution/test_ledgers.py") > 550


def test_every_room_of_the_windows_side_holds(windows_python: WindowsPython) -> None:
    """So do settings, executor, producer, brokers and the locks (about two minutes)."""
    locks = ("tests/recovery/test_account_lock.py", "tests/recovery/test_migrations.py")
    rooms = ("tests/settings", "tests/execution", "tests/producer", "tests/brokers", *locks)
    assert _passed(windows_python, *rooms) > 500


def _passed(windows_python: WindowsPython, *rooms: str) -> int:
    """How many tests of ``rooms`` passed; none may fail."""
    code, printed = windows_python.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", *rooms)
    text = printed.decode("utf-8", "replace")
    assert code == 0, text[-4000:]
    passed = re.search(r"(\d+) passed", text)
    assert passed, text[-500:]
    return int(passed[1])


def test_a_file_held_open_is_waited_for_and_then_named(windows_python: WindowsPython, tmp_path: Path) -> None:
    """Replacing a file that is read succeeds once it is closed; after two seconds it fails and says so."""
    code, printed = windows_python.run("test_offline/wine_ring/open_handle.py", windows_path(tmp_path))
    let_go, kept = printed.decode("utf-8").strip().splitlines()
    assert code == 0
    assert re.fullmatch(r"let go: published \d+\.\d after \[\]", let_go), let_go
    refused = re.fullmatch(r"kept: refused PermissionError (\d+\.\d) before \[\]", kept)
    assert refused and float(refused[1]) >= REPLACE_BUDGET, kept


def test_nothing_is_lost_or_doubled_under_readers_and_a_kill(
    windows_python: WindowsPython, tmp_path: Path
) -> None:
    """Producer and executor as Windows processes, two readers holding files, the executor killed once."""
    with scene(tmp_path / "scene", windows_python) as place:
        outcomes = trade(place, signals=24, kill_after=11)
        errors = place.errors_met()
    assert [outcome.answer for outcome in outcomes] == ["done"] * 24, [
        outcome.message for outcome in outcomes
    ]
    assert _orders_at_the_broker(place.ledger) == [1] * 24
    assert errors["5"] + errors["32"] > 0, f"no open handle stood in the way: {errors}"
    for role in ("producer", "executor"):
        assert "Traceback" not in place.words(role), place.words(role)[-3000:]


@pytest.mark.parametrize("encoding", ["cp1252", "cp936"])
def test_chinese_reaches_console_and_log(
    windows_python: WindowsPython, tmp_path: Path, encoding: str
) -> None:
    """No code page of the console ends a command, and what is printed there is Chinese in UTF-8."""
    more = {
        "PYTHONIOENCODING": encoding,
        "LOG_DIR": windows_path(tmp_path),
        "RUNTIME_DIR": windows_path(tmp_path),
    }
    code, printed = windows_python.run("-m", "commands.main", "config", more=more)
    assert code == 0, printed
    assert re.search(r"[\u4e00-\u9fff]{2}", printed.decode("utf-8")), printed


def test_the_real_xtquant_imports(windows_python: WindowsPython) -> None:
    """The wheel's native modules load; its network check at import is switched off as the product does."""
    line = "import sys; sys.modules['requests'] = None; from xtquant import xtpythonclient; print('native')"
    code, printed = windows_python.run("-c", line)
    assert (code, printed.strip()) == (0, b"native"), printed


ARM = """
import sys
from typer.testing import CliRunner
from commands.main import app_for
told = CliRunner().invoke(app_for(["arm"]), ["arm"], input="88001234\\n60000\\nLIVE\\n")
print(ascii((told.output, str(told.exception))))
sys.exit(told.exit_code)
"""


def test_live_without_a_terminal_says_what_to_do(windows_python: WindowsPython, tmp_path: Path) -> None:
    """Armed, with the real xtquant and no QMT: a sentence says what to do; a kill ends it."""
    place = Scene(tmp_path / "scene", windows_python)
    place.prepare()
    (tmp_path / "userdata_mini").mkdir()
    more = {
        "MINIQMT_CONFIG": windows_path(place.root / "windows.toml"),
        "ORDER_EXECUTOR_SIMULATE": "0",
        "QMT_DATA_PATH": windows_path(tmp_path / "userdata_mini"),
        "QMT_ACCOUNT_ID": "88001234",
    }
    code, printed = windows_python.run("-c", ARM, more=more)
    assert code == 0, printed
    for role, script in (("executor", "order_executor"), ("producer", "bridge_producer")):
        place.start(role, f"windows_side/{script}.py", counted=False, more=more)
    told = {"executor": "up_queue_xtquant", "producer": "是否开启"}
    try:
        wait_until(lambda: all(word in place.words(role) for role, word in told.items()), place)
    finally:
        for role in told:
            place.kill(role)


def _orders_at_the_broker(runtime: Path) -> list[int]:
    """How many orders the simulated broker holds for each signal, from its own database."""
    books = sqlite3.connect(files_of(runtime, "simulate", "wine").simulated_books)
    try:
        return sorted(Counter(row[0] for row in books.execute("select remark from orders")).values())
    finally:
        books.close()
