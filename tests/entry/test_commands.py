"""The command line: one command is loaded, errors have their sentence and exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from commands import main as entry
from commands import test as test_command
from commands.help_page import in_order
from shared_schema.errors import DataError, FolderError
from shared_schema.words import say, use_language


def run(*typed: str) -> object:
    """The exit code of a command line."""
    with pytest.raises(SystemExit) as end:
        entry.main(typed)
    return end.value.code


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A ``status`` whose body is given by the test: a list of what it raises or does, first entry first."""
    acts: list[object] = []

    def register(app: typer.Typer) -> None:
        @app.command("status")
        def status() -> None:
            act = acts.pop(0)
            if isinstance(act, BaseException):
                raise act
            if callable(act):
                act()

    monkeypatch.setitem(sys.modules, "commands.status", SimpleNamespace(register=register))  # type: ignore[arg-type]
    return acts


def test_every_command_has_its_help_line() -> None:
    """The table and the catalogue name the same commands, in both languages."""
    for name in entry.COMMANDS:
        for language in ("zh", "en"):
            use_language(language)
            assert say(f"commands.help.{name}")


def test_help_lists_all_and_loads_none(capsys: pytest.CaptureFixture[str]) -> None:
    """``--help`` and no arguments list every command without importing one."""
    before = {name for name in sys.modules if name.startswith("commands.")}
    for typed in ((), ("--help",), ("-h",)):
        assert run(*typed) == 0
        shown = capsys.readouterr().out
        assert all(name in shown for name in entry.COMMANDS)
    assert {name for name in sys.modules if name.startswith("commands.")} == before


def test_every_command_stands_under_one_heading() -> None:
    """The list of commands shows each of them, once."""
    assert sorted(in_order()) == sorted(entry.COMMANDS)


def test_help_in_a_narrow_window_loses_no_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Chinese has no spaces to break at: it is folded at 80 columns, never cut."""
    monkeypatch.setenv("COLUMNS", "80")
    for typed in (("simulate", "--help"), ("plan",), ("data", "--help"), ("backtest", "--help")):
        assert run(*typed) in (0, 2)
        shown = capsys.readouterr()
        assert "…" not in shown.out and not shown.err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """What one writes into a report of a fault: version, Python, and which of several copies runs."""
    assert run("--version") == 0
    shown = capsys.readouterr().out
    root = Path(entry.__file__).resolve().parent.parent
    assert entry.version_of(root) in shown and str(root) in shown


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (("config", "--jsonn"), ("--jsonn", "miniqmt config --help")),
        (("trace",), ("signal_id", "miniqmt trace --help")),
        (("data", "fetch", "159201.SZ"), ("--from", "miniqmt data fetch --help")),
        (("plan", "splitt"), ("splitt", "miniqmt plan --help")),
        (("demo", "--speed", "x"), ("--speed", "miniqmt demo --help")),
        (("demo", "--day", "2026-99-01"), ("2026-99-01", "YYYY-MM-DD")),
        (("reconcile", "2026-13-01"), ("2026-13-01", "YYYY-MM-DD")),
    ],
)
def test_what_was_typed_wrongly_is_said_in_one_sentence(
    typed: tuple[str, ...], named: tuple[str, ...], capsys: pytest.CaptureFixture[str],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Exit 2, the thing itself and what to type next, in the user's language; no page of English."""
    (tmp_path / "exchange").mkdir()
    monkeypatch.setenv("MINIQMT_SHARED_DIR", str(tmp_path / "exchange"))
    monkeypatch.setenv("RUNTIME_DIR", str(tmp_path / "none"))
    assert run(*typed) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("miniqmt: ") and shown.count("\n") == 1, shown
    assert all(part in shown for part in named) and "Usage" not in shown


@pytest.mark.parametrize(("stop", "code"), [(KeyboardInterrupt, 130), (EOFError, 1)])
def test_a_question_left_without_an_answer(
    stop: type[BaseException], code: int, monkeypatch: pytest.MonkeyPatch, stand_in: list[object],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Ctrl+C at a question ends with 130 as everywhere; without a keyboard that is what is said."""

    def nobody(*_: object, **__: object) -> str:
        raise stop

    monkeypatch.setattr("typer._click.termui.visible_prompt_func", nobody)
    stand_in.append(lambda: typer.prompt("?"))
    assert run("status") == code
    said = capsys.readouterr().err
    assert say("commands.broken_off" if code == 130 else "commands.no_keyboard") in said
    assert "Abort" not in said


def test_an_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error ends with 2 and a hint."""
    assert run("stats") == 2
    assert "status" in capsys.readouterr().err


def test_a_missing_module_breaks_only_its_own_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command that is not there says so with exit code 2; the others run."""
    monkeypatch.setattr(entry, "COMMANDS", ("absent", "config"))
    assert run("absent") == 2
    assert "absent" in capsys.readouterr().err
    assert run("config") == 0


def test_a_module_that_lacks_a_package_is_not_called_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the command's own module missing means absent; a broken import is shown as what it is."""

    def broken(name: str) -> object:
        raise ModuleNotFoundError("No module named 'pandas'", name="pandas")

    monkeypatch.setattr(entry.importlib, "import_module", broken)
    with pytest.raises(ModuleNotFoundError):
        entry.main(["status"])


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (FolderError("settings.folder_missing", "/nowhere"), 2),
        (DataError("settings.no_folder"), 2),
        (typer.Exit(3), 3),
        (KeyboardInterrupt(), 130),
        (PermissionError(13, "Permission denied", "/nowhere/miniqmt.toml"), 2),
        (None, 0),
    ],
)
def test_exit_codes(
    act: object, code: int, stand_in: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    """An error ends with its own code, Ctrl+C with 130, and none with a traceback."""
    stand_in.append(act)
    assert run("status") == code
    assert "Traceback" not in capsys.readouterr().err


def test_an_error_is_its_sentence(stand_in: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    """What stands on stderr is what happened, where, why and what to do."""
    error = FolderError("settings.folder_missing", "/nowhere")
    stand_in.append(error)
    run("status")
    assert capsys.readouterr().err == f"miniqmt: {error}\n"


def test_bad_options_end_with_two(stand_in: list[object]) -> None:
    """An option nobody knows is a usage error."""
    assert run("status", "--nonsense") == 2


def test_the_test_command_passes_arguments_and_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arguments go to pytest, its exit code comes back; without tests there is a sentence."""
    seen: dict[str, object] = {}

    def call(arguments: list[str], cwd: Path) -> int:
        seen.update(arguments=arguments, cwd=cwd)
        return 5

    monkeypatch.setattr(subprocess, "call", call)
    (tmp_path / "tests").mkdir()
    assert test_command.run_tests(["-k", "parity"], tmp_path) == 5
    assert seen == {"arguments": [sys.executable, "-m", "pytest", "-q", "-k", "parity"], "cwd": tmp_path}
    with pytest.raises(FolderError):
        test_command.run_tests([], tmp_path / "elsewhere")
