"""Several accounts on one host: each has its own room, memory, number and limits, or they are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands.config import shown_settings
from shared_schema.errors import SettingsError
from shared_schema.keys import key_path
from shared_schema.settings import Settings, load_settings
from shared_schema.settings_watch import SettingsWatch

TWO = """
shared_dir = 'share'
runtime_dir = 'runtime'
log_dir = 'logs'
[account]
alias = "main"
id = '11112222'
[qmt]
data_path = 'terminal'
[limits]
max_buy_yuan = 50000
orders_per_day = 7
[accounts.b]
id = '33334444'
data_path = 'other_terminal'
[accounts.b.limits]
max_buy_yuan = 9000
[accounts.c]
"""


def _load(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "miniqmt.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(environment={}, config_file=file, working_folder=tmp_path)


def test_each_account_has_everything_of_its_own(tmp_path: Path) -> None:
    """Room, memory, logs, number, terminal, session ids and limits; what is not said is the host's."""
    settings = _load(tmp_path, TWO)
    assert settings.aliases == ("main", "b", "c")
    own = settings.for_account("b")
    assert (own.account.alias, own.account.id, own.account.type) == ("b", "33334444", "STOCK")
    assert own.shared_dir == tmp_path / "share" / "accounts" / "b"
    assert own.runtime_dir == tmp_path / "runtime" / "accounts" / "b"
    assert own.log_dir == tmp_path / "logs" / "accounts" / "b"
    assert own.qmt.data_path == tmp_path / "other_terminal"
    assert own.limits.max_buy_yuan == 9000 and own.limits.orders_per_day == 7
    assert settings.for_account("c").limits == settings.limits
    assert settings.for_account("c").qmt.data_path == tmp_path / "terminal"
    first = [settings.for_account(alias).qmt.session_id or 7100 for alias in settings.aliases]
    assert first == [7100, 7108, 7116]


def test_the_first_accounts_settings_are_the_hosts_own(tmp_path: Path) -> None:
    """Nothing changes for whoever has one account; from any account one comes to any other."""
    settings = _load(tmp_path, TWO)
    assert settings.for_account("main") is settings
    assert settings.for_account("b").for_account("main") is settings
    assert settings.for_account("b").for_account("c").account.alias == "c"


def test_one_key_seals_every_room(tmp_path: Path) -> None:
    """Two hosts share one key, not one an account."""
    settings = _load(tmp_path, TWO)
    assert key_path(settings.for_account("b")) == key_path(settings) == tmp_path / "runtime" / "signing.key"


def test_an_unknown_account_is_named_with_those_there_are(tmp_path: Path) -> None:
    """A slip of the hand never reaches another account."""
    with pytest.raises(SettingsError) as refused:
        _load(tmp_path, TWO).for_account("B")
    assert "main, b, c" in str(refused.value)


@pytest.mark.parametrize(
    "wrong, said",
    [
        ("[accounts.main]", "main"),
        ("[accounts.MAIN]", "MAIN"),
        ("[accounts.b]\nid = '1'\n[accounts.c]\nid = '1'", "*"),
        ("[accounts.con]", "con"),
        ("[accounts.'a/b']", "accounts.a/b"),
        ("[accounts.'..']", "accounts..."),
        ("[accounts.b]\nidd = '1'", "accounts.b.idd"),
        ("[accounts.b]\ntype = 'FUTURE'", "accounts.b.type"),
        ("[accounts.b.limits]\nmax_buy = 3", "max_buy_yuan"),
        ("[accounts.b.limits]\nmax_buy_yuan = -3", "accounts.b.limits.max_buy_yuan"),
        ("[accounts]\nb = 3", "accounts.b"),
        ("[accounts.b]\nsession_id = 7104", "main, b"),
    ],
)
def test_wrong_tables_are_refused_at_start(tmp_path: Path, wrong: str, said: str) -> None:
    """Twice the same alias or number, unusable names, misspelt keys and ids too near stop the start."""
    with pytest.raises(SettingsError) as refused:
        _load(tmp_path, wrong)
    assert said in str(refused.value)


def test_numbers_are_never_shown(tmp_path: Path) -> None:
    """Neither ``miniqmt config`` nor a refusal nor a debugger's look at the settings shows them."""
    settings = _load(tmp_path, TWO)
    assert "33334444" not in str(shown_settings(settings)) and "33334444" not in repr(settings)
    with pytest.raises(SettingsError) as refused:
        _load(tmp_path, "[accounts.b]\nid = '3333 4444'")
    assert "3333" not in str(refused.value)


def test_a_changed_file_is_told_of_the_account_it_concerns(tmp_path: Path) -> None:
    """Settings of a further account that are as they were started with are no news."""
    settings = _load(tmp_path, TWO)
    for account in ("main", "b"):
        watch = SettingsWatch(settings.for_account(account), {}, tmp_path)
        assert watch._read().word == "settings_as_started"
    watch = SettingsWatch(settings.for_account("b"), {}, tmp_path)
    (tmp_path / "miniqmt.toml").write_text(TWO.replace("9000", "8000"), encoding="utf-8")
    assert (watch._read().word, watch._read().detail) == ("settings_changed", "limits.max_buy_yuan")
