"""Settings: which source wins, where a value came from, and what is said of a wrong one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_schema.errors import SettingsError
from shared_schema.settings import Settings, known_settings, load_settings
from shared_schema.settings_sources import line_of, read_dotenv
from shared_schema.settings_values import masked
from shared_schema.sync_defaults import SYNC_TOOLS, sync_defaults
from shared_schema.words import use_language

Load = Callable[..., Settings]


def rooted(name: str) -> Path:
    """What ``/name`` means on either system: a folder at the root of the drive that the tests work on."""
    return Path(tempfile.gettempdir()).absolute().joinpath(f"/{name}")


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads settings on a fresh host: ``toml`` and ``dotenv`` are texts or bytes, the rest are variables."""

    def load_here(
        toml: str | bytes = "",
        dotenv: str | bytes = "",
        overrides: dict[str, object] | None = None,
        **variables: str,
    ) -> Settings:
        for name, content in (("miniqmt.toml", toml), (".env", dotenv)):
            raw = content if isinstance(content, bytes) else content.encode()
            (tmp_path / name).write_bytes(raw)
        return load_settings(environment=variables, working_folder=tmp_path, overrides=overrides)

    return load_here


def refused(load: Load, *texts: str, **given: object) -> str:
    """The sentence of the SettingsError that loading must end with; it holds every one of ``texts``."""
    with pytest.raises(SettingsError) as problem:
        load(**given)
    assert problem.value.exit_code == 2
    sentence = str(problem.value)
    for text in texts:
        assert text in sentence, sentence
    return sentence


def test_the_defaults_are_those_of_the_contract(load: Load) -> None:
    """Limits stand as the contract gives them, and simulate is neither on nor off."""
    settings = load()
    limits = settings.limits
    assert limits.allow_list == ("159201.SZ", "512890.SH")
    assert (limits.max_buy_shares, limits.max_buy_yuan) == (100_000, 60_000)
    assert (limits.max_sell_shares, limits.max_sell_yuan) == (500_000, 300_000)
    assert (limits.orders_per_second, limits.waiting, limits.orders_per_day) == (2, 100, 200)
    assert (limits.turnover_yuan, limits.cash_buffer, limits.expires_seconds) == (1_000_000, 0.01, 300)
    assert (limits.future_seconds, limits.skew_seconds, limits.end_after_seconds) == (30, 30, 120)
    assert (limits.duplicate_window_seconds, limits.max_quote_age_seconds) == (10, 300)
    assert settings.executor.simulate is None
    assert settings.executor.simulate_cash == 1_000_000


def test_command_line_over_environment_over_dotenv_over_file(load: Load) -> None:
    """Each source wins over the one below it, and says that it did."""
    sources: dict[str, object] = {"toml": "log_dir = '/toml'"}
    origins = []
    steps = (
        ({}, "/toml"),
        ({"dotenv": "LOG_DIR=/dotenv"}, "/dotenv"),
        ({"LOG_DIR": "/variable"}, "/variable"),
        ({"overrides": {"log_dir": "/typed"}}, "/typed"),
    )
    for step, expected in steps:
        sources |= step
        settings = load(**sources)
        assert settings.log_dir == rooted(expected[1:])
        origins.append(settings.origin("log_dir"))
    assert origins[0].endswith("miniqmt.toml:1") and origins[1].endswith(".env:1 LOG_DIR")
    assert "LOG_DIR" in origins[2] and len(set(origins)) == 4


@pytest.mark.parametrize(
    ("variable", "key", "text", "value"),
    [
        ("MINIQMT_SHARED_DIR", "shared_dir", "/share", rooted("share")),
        ("SHARED_DIR", "shared_dir", "/share", rooted("share")),
        ("DASHBOARD_WORK_DIR", "dashboard.work_dir", "/work", rooted("work")),
        ("ORDER_EXECUTOR_SIMULATE", "executor.simulate", " Yes ", True),
        ("QMT_DATA_PATH", "qmt.data_path", r"D:\QMT\userdata_mini", Path(r"D:\QMT\userdata_mini")),
        ("QMT_USERDATA_PATH", "qmt.data_path", "/qmt", rooted("qmt")),
        ("QMT_ACCOUNT_ID", "account.id", "0012345678", "0012345678"),
        ("ACCOUNT_ID", "account.id", "12345678", "12345678"),
        ("QMT_ACCOUNT_TYPE", "account.type", "stock", "STOCK"),
        ("ACCOUNT_TYPE", "account.type", "CREDIT", "CREDIT"),
        ("QMT_SESSION_ID", "qmt.session_id", "100", 100),
        ("LOG_DIR", "log_dir", "/logs", rooted("logs")),
        ("RUNTIME_DIR", "runtime_dir", "/runtime", rooted("runtime")),
        ("DASHBOARD_SYMBOL", "strategy.symbol", "512890.sh", "512890.SH"),
        ("MINIQMT_LANGUAGE", "language", "EN", "en"),
    ],
)
def test_every_variable_of_the_field_is_read(
    variable: str, key: str, text: str, value: object, load: Load
) -> None:
    """The names users know work, in the environment and in .env."""
    assert load(**{variable: text}).value(key) == value
    assert load(dotenv=f"{variable}={text}").value(key) == value


def test_of_two_names_the_first_wins(load: Load) -> None:
    """MINIQMT_SHARED_DIR is stronger than SHARED_DIR, which other programs may use too."""
    settings = load(MINIQMT_SHARED_DIR="/ours", SHARED_DIR="/theirs")
    assert settings.shared_dir == rooted("ours")
    assert "MINIQMT_SHARED_DIR" in settings.origin("shared_dir")


@pytest.mark.parametrize("word", ["1", "true", "YES", " on ", "True"])
def test_simulate_is_chosen(word: str, load: Load) -> None:
    """The words for simulate, blanks and case ignored."""
    assert load(ORDER_EXECUTOR_SIMULATE=word).executor.simulate is True


@pytest.mark.parametrize("word", ["0", "false", "No", " OFF "])
def test_live_is_chosen(word: str, load: Load) -> None:
    """The words for live."""
    assert load(ORDER_EXECUTOR_SIMULATE=word).executor.simulate is False


@pytest.mark.parametrize("word", ["", "   "])
def test_a_blank_simulate_is_unset(word: str, load: Load) -> None:
    """An empty variable chooses neither."""
    assert load(ORDER_EXECUTOR_SIMULATE=word).executor.simulate is None


@pytest.mark.parametrize("word", ["2", "simulate", "ture", "1 # test", "yes!", "是"])
def test_any_other_simulate_stops(word: str, load: Load) -> None:
    """A typing error must never become live trading, nor simulated: exit 2."""
    refused(load, "executor.simulate", "ORDER_EXECUTOR_SIMULATE", ORDER_EXECUTOR_SIMULATE=word)


@pytest.mark.parametrize(
    ("toml", "line", "nearest"),
    [
        ("[limits]\nmax_buy_share = 5", 2, "limits.max_buy_shares"),
        ("\nmax_buy_yuan = 5", 2, "limits.max_buy_yuan"),
        ("[limit]\n# three\nmax_sell_yuan = 5", 3, "limits.max_sell_yuan"),
        ("share_dir = '/x'", 1, "shared_dir"),
        ("[account]\nalias='a'\nidd = '1'", 3, "account.id"),
    ],
)
def test_an_unknown_key_is_named_with_line_and_nearest(
    toml: str, line: int, nearest: str, load: Load
) -> None:
    """Misspelt keys and keys in the wrong table stop, with file, line and the right name."""
    refused(load, f"miniqmt.toml:{line}", nearest, toml=toml)


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("limits.max_buy_shares", "100.5"),
        ("limits.max_buy_shares", "true"),
        ("limits.max_buy_shares", "-100"),
        ("limits.max_buy_yuan", "nan"),
        ("limits.max_buy_yuan", "inf"),
        ("limits.cash_buffer", "1.5"),
        ("limits.orders_per_second", "0"),
        ("limits.allow_list", "[]"),
        ("limits.allow_list", "['159201']"),
        ("limits.allow_list", "'159201.SZ;512890.SH'"),
        ("strategy.symbol", "'000300.SH'"),
        ("sync.tool", "'dropbox'"),
        ("mode", "'real'"),
        ("account.alias", "'../x'"),
        ("account.type", "'STOK'"),
        ("strategy.decide_on", "'minute'"),
        ("strategy.overrides", "3"),
        ("shared_dir", "''"),
        ("shared_dir", "7"),
        ("qmt.session_id", "'abc'"),
    ],
)
def test_a_wrong_value_is_named(key: str, written: str, load: Load) -> None:
    """Wrong kinds and values out of range stop, with key, file and line."""
    table, _, last = key.rpartition(".")
    toml = f"[{table}]\n{last} = {written}" if table else f"\n{last} = {written}"
    refused(load, key, "miniqmt.toml:2", toml=toml)


def test_a_code_of_the_wrong_exchange_names_the_right_one(load: Load) -> None:
    """It would hold the dashboard for ever; an index may be quoted all the same."""
    refused(load, "strategy.symbol", "159201.SZ？", toml="[strategy]\nsymbol = '159201.SH'")
    refused(load, "strategies.two.symbol", "512890.SH？", toml="[strategies.two]\nsymbol = '512890.SZ'")
    assert load("[producer]\ncodes = ['159201.SZ', '000300.SH']").producer.codes[1] == "000300.SH"


def test_a_backslash_in_double_quotes_is_explained(load: Load) -> None:
    r"""Both when TOML refuses it (C:\Mac) and when it quietly turns it into a tab (C:\temp)."""
    for path in (r"C:\Mac\Home", r"C:\temp\new"):
        refused(load, "miniqmt.toml:1", "'C:\\Mac\\Home", toml=f'shared_dir = "{path}"')


def test_windows_paths_in_single_quotes_stay_themselves(load: Load) -> None:
    """No escape, no joining with a folder, whatever system reads it."""
    assert str(load(toml="shared_dir = 'C:\\new\\table'").shared_dir) == "C:\\new\\table"


def test_broken_toml_names_its_line(load: Load) -> None:
    """A syntax error names file and line, and no value is guessed."""
    refused(load, "miniqmt.toml:2", toml="language = 'zh'\nmode = = 1")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_files_of_windows_editors_are_read(encoding: str, load: Load) -> None:
    """BOM, GBK and UTF-16 are no obstacle in either file."""
    settings = load(
        toml="# 共享目录\nshared_dir = '/共享'".encode(encoding),
        dotenv="# 日志\nLOG_DIR=/日志".encode(encoding),
    )
    assert (settings.shared_dir, settings.log_dir) == (rooted("共享"), rooted("日志"))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("LOG_DIR=/a # comment", "/a"),
        ("LOG_DIR = /a#b", "/a#b"),
        ("export LOG_DIR='/a # b' # comment", "/a # b"),
        ('set LOG_DIR="C:\\new\\table"', "C:\\new\\table"),
        ("  LOG_DIR=/a  ", "/a"),
        ("LOG_DIR=\t# nothing", ""),
        ("LOG_DIR=", ""),
    ],
)
def test_dotenv_lines(line: str, value: str, tmp_path: Path) -> None:
    """Inline comments, quotes, export and set; nothing inside quotes is changed."""
    (tmp_path / ".env").write_text(f"\n# first\n{line}\n")
    assert read_dotenv(tmp_path / ".env") == {"LOG_DIR": (value, 3)}


@pytest.mark.parametrize("line", ["LOG_DIR", "LOG DIR=/a", "LOG_DIR='/a", "LOG_DIR='/a' b"])
def test_a_bad_dotenv_line_is_named(line: str, load: Load) -> None:
    """A line that cannot be read stops; it is not passed over."""
    refused(load, ".env:2", dotenv=f"# one\n{line}")


@given(value=st.text(st.characters(exclude_characters="'\"\r\n", exclude_categories=("C", "Z"))))
def test_quoted_dotenv_values_survive(value: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Any text in quotes comes back as it was written."""
    file = tmp_path_factory.getbasetemp() / "property.env"
    file.write_text(f"A='{value}'\nB=\"{value}\"\n", encoding="utf-8")
    assert {name: text for name, (text, _) in read_dotenv(file).items()} == {"A": value, "B": value}


def test_a_misspelt_variable_is_remarked(load: Load) -> None:
    """A variable that looks like ours but is none is said, with the nearest one; others are left alone."""
    remarks = load(MINIQMT_SHARE_DIR="/x", PATH="/bin", dotenv="QMT_ACOUNT_ID=1\nOTHER=2").remarks
    assert len(remarks) == 2
    assert "QMT_ACCOUNT_ID" in remarks[0] and "MINIQMT_SHARED_DIR" in remarks[1]


def test_relative_paths_start_from_their_file(tmp_path: Path) -> None:
    """A path in the TOML file counts from the file's folder, one in a variable from the working folder."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "host.toml").write_text("shared_dir = 'share'")
    variables = {"MINIQMT_CONFIG": "etc/host.toml", "LOG_DIR": "logs"}
    settings = load_settings(environment=variables, working_folder=tmp_path)
    assert settings.shared_dir == tmp_path / "etc" / "share"
    assert settings.log_dir == tmp_path / "logs"


def test_a_named_file_that_is_missing_stops(load: Load) -> None:
    """MINIQMT_CONFIG is never replaced by another file."""
    refused(load, "MINIQMT_CONFIG", "gone.toml", MINIQMT_CONFIG="gone.toml")


def test_the_ledger_never_lives_in_the_exchange_folder(tmp_path: Path, load: Load) -> None:
    """RUNTIME_DIR inside the folder stops, through a symbolic link too; an OFFLINE folder may hold it."""
    share = tmp_path / "share"
    (share / ".runtime").mkdir(parents=True)
    variables = {"MINIQMT_SHARED_DIR": str(share), "RUNTIME_DIR": str(share / ".runtime")}
    refused(load, "RUNTIME_DIR", str(share), **variables)
    if os.name != "nt":  # making one needs an administrator there
        (tmp_path / "link").symlink_to(share / ".runtime")
        refused(load, "RUNTIME_DIR", **{**variables, "RUNTIME_DIR": str(tmp_path / "link")})
    (share / "OFFLINE").touch()
    assert load(**variables).runtime_dir == share / ".runtime"


def test_the_exchange_folder_of_each_role(load: Load) -> None:
    """DASHBOARD_WORK_DIR is the dashboard's alone; no folder at all stops."""
    settings = load(MINIQMT_SHARED_DIR="/share", DASHBOARD_WORK_DIR="/work")
    assert settings.exchange_folder("dashboard") == rooted("work")
    assert settings.exchange_folder("executor") == settings.exchange_folder() == rooted("share")
    with pytest.raises(SettingsError):
        load(DASHBOARD_WORK_DIR="/work").exchange_folder("executor")


def test_account_numbers_are_never_shown(load: Load) -> None:
    """Neither the record's text nor the error of a wrong number shows the number."""
    settings = load(QMT_ACCOUNT_ID="8812345678")
    assert "8812345678" not in repr(settings)
    assert masked("8812345678") == "*******678" and set(masked("123456")) == {"*"}
    assert "88/12345678" not in refused(load, "account.id", QMT_ACCOUNT_ID="88/12345678")


def test_a_bare_account_number_is_its_digits(load: Load) -> None:
    """TOML users leave out the quotes; a number must not reach the broker as one."""
    assert load(toml="[account]\nid = 12345678").account.id == "12345678"


def test_the_sync_tool_gives_the_pace(load: Load) -> None:
    """Signals over cloud drives live 900 s unless the user says otherwise; so do intervals and rings."""
    cloud = load(toml="[sync]\ntool = 'cloud'")
    assert cloud.limits.expires_seconds == 900 and "cloud" in cloud.origin("limits.expires_seconds")
    assert cloud.quote_interval == 10 and cloud.sync.defaults.quote_ring == 8
    own = load(toml="[sync]\ntool = 'cloud'\n[limits]\nexpires_seconds = 60\n[producer]\ninterval = 3")
    assert (own.limits.expires_seconds, own.quote_interval) == (60, 3)


def test_the_table_of_sync_tools() -> None:
    """Every row of the contract's table, the two of Syncthing included."""
    rows = {tool: sync_defaults(tool) for tool in SYNC_TOOLS}
    rows["syncthing fast"] = sync_defaults("syncthing", 1)
    table = {
        name: (row.scan_interval, row.watcher, row.quote_interval, row.quote_ring, row.heartbeat_red_after,
               row.republish_after, row.expires, row.orders_need_permission)
        for name, row in rows.items()
    }
    assert table == {
        "local": (0.05, True, 1, 0, 5, 3, 300, False),
        "parallels": (0.03, False, 1, 0, 5, 3, 300, False),
        "vmware": (0.03, False, 1, 0, 5, 3, 300, False),
        "smb": (0.2, False, 1, 0, 10, 5, 300, False),
        "nfs": (0.2, False, 1, 0, 10, 5, 300, False),
        "syncthing": (0.2, True, 2, 8, 90, 90, 300, False),
        "syncthing fast": (0.2, True, 2, 8, 10, 10, 300, False),
        "cloud": (1, False, 10, 8, 300, 90, 900, True),
    }


def test_every_setting_has_an_origin_and_every_sentence_a_language(load: Load) -> None:
    """No key is without its origin, in both languages."""
    settings = load()
    for language in ("zh", "en"):
        use_language(language)
        assert all(settings.origin(key) for key, _ in known_settings())


def test_lines_are_found_in_any_writing() -> None:
    """Dotted keys, inline tables and quoted keys are found; the table's line stands for what is not."""
    text = "[a]\nb = 1\nc = {d = 2}\n\n[x.y]\n'z' = 3\n"
    assert [line_of(text, key) for key in ("a.b", "a.c.d", "x.y.z", "x.y.q")] == [2, 3, 6, 5]
    assert line_of("a.b = 1\n", "a.b") == 1
