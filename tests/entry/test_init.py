"""``init`` writes a file that reads back, and never loses or leaks what the user had."""

from __future__ import annotations

import stat
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from commands.main import app_for
from commands.settings_file import TEMPLATE, backup_name, filled_in
from shared_schema.errors import FolderError, SettingsError
from shared_schema.settings import Settings, load_settings


def init(*typed: str, keys: str = "") -> Any:
    """Run ``init`` with options and typed answers; an error of ours is raised."""
    result = CliRunner().invoke(app_for(["init"]), ["init", *typed], input=keys)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def read(file: Path) -> Settings:
    """The settings of one file alone."""
    return load_settings(environment={}, working_folder=file.parent, config_file=file)


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "share"
    folder.mkdir()
    return folder


def test_the_template_holds_the_defaults(tmp_path: Path, share: Path) -> None:
    """Every key of the template exists, commented ones too, and its value is the default."""
    text = TEMPLATE.read_text(encoding="utf-8").replace("shared_dir = ''", f"shared_dir = '{share}'")
    file = tmp_path / "all.toml"
    file.write_text(text, encoding="utf-8")
    plain = read(file)
    assert plain.limits == Settings().limits and plain.sync == Settings().sync
    uncommented = "\n".join(
        line[2:] if line.startswith("# ") and " = " in line.partition("#")[2][:20] else line
        for line in text.splitlines()
    )
    file.write_text(uncommented, encoding="utf-8")
    assert read(file).account.id == "12345678" and read(file).executor.simulate is True


def test_answers_without_questions(tmp_path: Path, share: Path) -> None:
    """With --yes and options nothing is asked; Windows paths stand in single quotes."""
    file = tmp_path / "host.toml"
    options = ("--yes", "--role", "trading", "--folder", str(share), "--file", str(file))
    init(*options, "--account-id", "12345678", "--qmt-path", r"D:\QMT\new\table", "--tool", "smb")
    settings = read(file)
    assert settings.shared_dir == share and settings.sync.tool == "smb"
    assert settings.account.id == "12345678" and settings.limits.max_buy_yuan == 30_000
    assert str(settings.qmt.data_path) == r"D:\QMT\new\table"
    assert r"'D:\QMT\new\table'" in file.read_text(encoding="utf-8")
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_conversation(tmp_path: Path) -> None:
    """Bad answers are asked again, the folder is made on request, a strategy host is asked for no account."""
    file, folder = tmp_path / "host.toml", tmp_path / "new"
    answers = ["strategist", "strategy", str(folder), "y", "syncthin", "syncthing", "mine", "none"]
    result = init("--file", str(file), keys="".join(f"{answer}\n" for answer in answers))
    assert result.exit_code == 0 and folder.is_dir()
    settings = read(file)
    assert (settings.sync.tool, settings.account.alias, settings.account.id) == ("syncthing", "mine", None)
    assert settings.limits.max_buy_yuan == 60_000


@pytest.mark.parametrize("role", ["strategy", "trading"])
def test_enter_does_not_make_one_host_of_two(tmp_path: Path, share: Path, role: str) -> None:
    """The sync tool of a host with one role has no default: "local" would be wrong, whatever it is."""
    answers = [role, str(share), "", "坚果云", "cloud", "mine", *[""] * 5, "none"]
    result = init("--file", str(tmp_path / "host.toml"), keys="".join(f"{answer}\n" for answer in answers))
    assert result.exit_code == 0, result.output
    assert read(tmp_path / "host.toml").sync.tool == "cloud"
    assert "[local]" not in result.output and "allow_orders" in result.output


def test_an_existing_file_is_kept(tmp_path: Path, share: Path) -> None:
    """--yes is no leave to overwrite, and a "no" changes nothing."""
    file = tmp_path / "host.toml"
    file.write_text("log_dir = '/own'")
    with pytest.raises(SettingsError) as problem:
        init("--yes", "--folder", str(share), "--file", str(file))
    assert problem.value.key == "commands.init.exists"
    assert init("--folder", str(share), "--file", str(file), keys="n\n").exit_code == 1
    assert file.read_text() == "log_dir = '/own'"
    assert [entry.name for entry in tmp_path.glob("*.bak")] == []


def test_overwriting_keeps_a_backup_and_the_users_own_lines(tmp_path: Path, share: Path) -> None:
    """Answers are put into the user's file: other keys and comments stay, the old text is beside it."""
    file = tmp_path / "host.toml"
    old = "# mine\nlog_dir = '/own'\n[limits]\nmax_buy_yuan = 100 # careful\n[strategy.overrides]\nx = 1\n"
    file.write_text(old)
    init("--yes", "--overwrite", "--folder", str(share), "--file", str(file), "--trial-yuan", "5000")
    text = file.read_text(encoding="utf-8")
    settings = read(file)
    assert "# mine" in text and "max_buy_yuan = 5000 # careful" in text
    assert settings.log_dir == Path("/own") and settings.strategy.overrides == {"x": 1}
    assert settings.shared_dir == share
    assert [backup.read_text() for backup in tmp_path.glob("*.bak")] == [old]


def test_the_account_number_never_enters_the_exchange_folder(share: Path) -> None:
    """A settings file inside the folder is refused before anything is written."""
    with pytest.raises(SettingsError) as problem:
        init("--yes", "--folder", str(share), "--file", str(share / "sub" / "host.toml"))
    assert problem.value.key == "commands.init.inside"
    assert list(share.iterdir()) == []


@pytest.mark.parametrize(
    "options", [(), ("--folder", "{gone}"), ("--folder", "{share}", "--tool", "dropbox")]
)
def test_bad_options_write_nothing(options: tuple[str, ...], tmp_path: Path, share: Path) -> None:
    """A missing folder option, a folder that is not there, an unknown tool: exit 2 and no file."""
    file = tmp_path / "host.toml"
    given = [option.format(gone=tmp_path / "gone", share=share) for option in options]
    with pytest.raises((SettingsError, FolderError)) as problem:
        init("--yes", "--file", str(file), *given)
    assert problem.value.exit_code == 2 and not file.exists()


def test_quotes_and_top_level_keys_are_written_right() -> None:
    """A path with an apostrophe, and a top-level key where tables come first."""
    text = filled_in("[limits]\nmax_buy_yuan = 1\n", {"shared_dir": "/it's", "sync.tool": "smb"})
    assert text.startswith('shared_dir = "/it\'s"') and "[sync]\ntool = 'smb'" in text


def test_backups_never_replace_each_other(tmp_path: Path) -> None:
    """Two in one second have two names."""
    now = datetime(2026, 7, 1, 9, 30)
    first = backup_name(tmp_path / "a.toml", now)
    first.touch()
    assert backup_name(tmp_path / "a.toml", now) != first
