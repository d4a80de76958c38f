"""The risk: a process that starts without the key its host has, and signs or checks nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from mac_side import mac_dashboard
from mac_side.engine import Place
from shared_schema.drop_folder.names import ACCOUNT_LIVE, QUOTE
from shared_schema.errors import SettingsError
from shared_schema.integrity import Key
from shared_schema.keys import KEY_FILE, write_key
from shared_schema.messages import decode_account, decode_heartbeat, decode_quote
from shared_schema.settings import load_settings
from tests.producer.world import DAY_1, bars_file
from windows_side import bridge_producer
from windows_side.order_executor import run as run_executor
from windows_side.producer_options import parse_options

KEY = Key(b"k" * 32)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host with an exchange folder ``x``; its key is written by the test."""
    (tmp_path / "x").mkdir()
    for name, part in (("MINIQMT_SHARED_DIR", "x"), ("RUNTIME_DIR", "runtime"), ("LOG_DIR", "logs")):
        monkeypatch.setenv(name, str(tmp_path / part))
    monkeypatch.setenv("ORDER_EXECUTOR_SIMULATE", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class FirstWait:
    """Asks the producer to stop after some waits."""

    def __init__(self, waits: int) -> None:
        self.left = waits

    def __call__(self, seconds: float) -> bool:
        """Whether to stop now."""
        self.left -= 1
        return self.left < 0


def test_the_producer_signs_quotes_account_and_heartbeat(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a replay writes with a key in RUNTIME_DIR holds under that key."""
    write_key(home / "runtime" / KEY_FILE, KEY)
    monkeypatch.setattr(bridge_producer, "_asked_to_stop", lambda: _Entered(FirstWait(10)))
    bars = bars_file(home, {"2026-11-20": DAY_1})
    options = parse_options(["--replay", str(bars), "--speed", "max"])
    assert bridge_producer.run(load_settings(), options) == 0
    assert decode_quote((home / "x" / QUOTE).read_bytes(), key=KEY).signed
    assert decode_account((home / "x" / ACCOUNT_LIVE).read_bytes(), key=KEY).signed
    (beat,) = (home / "x" / "heartbeat").glob("producer-*.json")
    assert decode_heartbeat(beat.read_bytes(), key=KEY).signed


class _Entered:
    def __init__(self, value: FirstWait) -> None:
        self._value = value

    def __enter__(self) -> FirstWait:
        return self._value

    def __exit__(self, *_: object) -> None:
        return None


@pytest.mark.parametrize("has_key", [True, False])
def test_the_dashboard_takes_the_key_and_says_when_there_is_none(
    home: Path, monkeypatch: pytest.MonkeyPatch, has_key: bool
) -> None:
    """Its engine works on a folder with the host's key; without one its log warns at the start."""
    if has_key:
        write_key(home / "runtime" / KEY_FILE, KEY)
    places: list[Place] = []
    monkeypatch.setattr(mac_dashboard.Engine, "run", lambda engine, *_: places.append(engine.place))
    assert mac_dashboard.run_engine(load_settings(), console=False) == 0
    assert places[0].folder.key == (KEY if has_key else None)
    said = (home / "logs" / "mac_dashboard.log").read_text(encoding="utf-8")
    assert ((" signing_key " in said), (" no_signing_key " in said)) == (has_key, not has_key)


def test_a_damaged_key_starts_nothing(home: Path) -> None:
    """Neither side goes on unsigned where a key was meant: exit code 2, before anything is written."""
    write_key(home / "runtime" / KEY_FILE, KEY)
    (home / "runtime" / KEY_FILE).write_text("damaged")
    for start in (
        lambda: run_executor(load_settings(), threading.Event(), console=False),
        lambda: mac_dashboard.run_engine(load_settings(), console=False),
    ):
        with pytest.raises(SettingsError) as problem:
            start()
        assert problem.value.exit_code == 2 and problem.value.key == "keys.wrong_length"
    assert list((home / "x").iterdir()) == []
