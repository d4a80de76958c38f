"""The README's example of a script runs as it stands there."""

from __future__ import annotations

import contextlib
import io
import re
import threading
from pathlib import Path

import pytest

from shared_schema.messages import decode_result
from shared_schema.settings import load_settings
from windows_side.order_executor import run

ROOT = Path(__file__).resolve().parents[2]
_EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MOST_LINES = 15


def _example(name: str) -> str:
    (block,) = _EXAMPLE.findall((ROOT / name).read_text(encoding="utf-8"))
    return block


def test_both_readmes_show_the_same_short_example() -> None:
    """One example, short enough to be read at once; only one is run below."""
    assert _example("README.md") == _example("README.zh-CN.md")
    assert len(_example("README.md").splitlines()) <= MOST_LINES


@pytest.mark.slow
def test_the_example_buys_from_a_simulating_executor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing but an executor in simulate mode the example ends with its 1,000 shares filled."""
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINIQMT_SHARED_DIR", str(exchange))
    monkeypatch.setenv("RUNTIME_DIR", str(tmp_path / "runtime_script"))
    settings = load_settings(
        overrides={
            "runtime_dir": str(tmp_path / "runtime_executor"),
            "log_dir": str(tmp_path / "logs"),
            "executor.simulate": True,
        }
    )
    stop = threading.Event()
    executor = threading.Thread(target=run, args=(settings, stop), kwargs={"console": False})
    executor.start()
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(_example("README.md"), "README.md", "exec"), {})
    finally:
        stop.set()
        executor.join(120.0)

    assert printed.getvalue().splitlines()[-1] == "filled 1000"
    (file,) = (exchange / "order_results").glob("*.json")
    result = decode_result(file.read_bytes()).body
    assert (result.state, result.filled_shares, result.strategy) == ("filled", 1000, "myscript")
    assert not list(exchange.glob("order_signal*.json")), "the signal was not consumed"
