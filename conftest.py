"""Every test runs as on a fresh host: no setting, ledger or log of the user who runs the tests is touched."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings

from shared_schema.settings import known_settings

_OURS = ("MINIQMT_", "ORDER_EXECUTOR_", "DASHBOARD_", "QMT_")
_HOMES = tempfile.TemporaryDirectory(prefix="miniqmt-tests-", ignore_cleanup_errors=True)

# Properties meet the same examples in every run, and a machine may be as slow as it likes.
hypothesis_settings.register_profile("seeded", derandomize=True, deadline=None)
# For mutants: the first counterexample is a catch, a search for the shortest takes a slow disk minutes.
hypothesis_settings.register_profile(
    "first-catch", hypothesis_settings.get_profile("seeded"), phases=(Phase.explicit, Phase.generate)
)
hypothesis_settings.load_profile("seeded")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--kills N``: how often the chain test kills a process (CI asks for 30).

    ``--fuzz N``: inputs of the fuzz slice (CI asks for 20,000).
    ``--syncthing``: also the tests with two real Syncthing engines.
    ``--wine``: also the tests on a Windows Python under Wine.
    """
    parser.addoption("--crash-rounds", type=int, default=1, metavar="N", help="arrivals at each crash point")
    parser.addoption("--fuzz", type=int, default=2000, metavar="N", help="inputs of tests/fuzz/test_slice.py")
    parser.addoption("--kills", type=int, default=5, metavar="N", help="runs of tests/chain/test_kill.py")
    parser.addoption("--syncthing", action="store_true", help="tests with two real Syncthing engines")
    parser.addoption("--wine", action="store_true", help="tests on a Windows Python under Wine")


def pytest_configure(config: pytest.Config) -> None:
    """Forget the user's variables and let platformdirs' places lie in a temporary folder.

    Done before collection, so that child processes of the tests inherit it too.
    """
    known = {variable for _, rule in known_settings() for variable in rule.environment}
    for variable in [name for name in os.environ if name in known or name.startswith(_OURS)]:
        del os.environ[variable]
    home = Path(_HOMES.name)
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "LOCALAPPDATA", "APPDATA"):
        os.environ[variable] = str(home / variable.lower())
    os.environ["RUNTIME_DIR"] = str(home / "runtime")
    os.environ["LOG_DIR"] = str(home / "logs")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the temporary folder."""
    _HOMES.cleanup()


@pytest.fixture(autouse=True)
def _chinese_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test inherits the language another one chose."""
    import shared_schema.words

    monkeypatch.setattr(shared_schema.words, "_language", None)
