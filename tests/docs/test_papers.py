"""The papers say what the code has: a README that names a command we lost sends people nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from commands.main import COMMANDS, INTERRUPTED
from shared_schema import errors
from shared_schema.settings import known_settings
from shared_schema.settings_sources import OTHER_VARIABLES

ROOT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README.zh-CN.md")
PAPERS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "releases/**/*.md", "test_offline/*.md")
    for path in ROOT.glob(pattern)
)
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_MACHINE_PATH = re.compile(r"(?<![\w.~])/(?:work|tmp|root|home|users|private|var)/|C:\\Users\\", re.I)
_DECISION = re.compile(r"# (\d{4}) .+ \((\d{4}-\d\d-\d\d)\)")


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _headings(name: str) -> list[int]:
    """The levels of the headings, in order; comments in code blocks are none."""
    prose = _FENCE.sub("", _text(name))
    return [len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)]


@pytest.mark.parametrize("name", READMES)
def test_every_command_has_its_line_and_no_other_has_one(name: str) -> None:
    """The table of commands is the program's own list, in its order or not."""
    listed = re.findall(r"^\| `([a-z]+)` \|", _text(name), re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)


@pytest.mark.parametrize("name", READMES)
def test_every_variable_that_is_read_is_named(name: str) -> None:
    """Whoever looks for an environment variable finds it in the README."""
    variables = {variable for _, rule in known_settings() for variable in rule.environment}
    variables |= set(OTHER_VARIABLES) - {"MINIQMT_HANDED_OVER", "MINIQMT_ALIVE_FILE"}  # set by ourselves
    missing = {variable for variable in variables if f"`{variable}`" not in _text(name)}
    assert missing == set()


@pytest.mark.parametrize("name", READMES)
def test_every_exit_code_is_told(name: str) -> None:
    """Scripts rely on exit codes: those of the errors and of Ctrl+C stand in one place of the README."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")]
    codes = {0, INTERRUPTED, *(kind.exit_code for kind in kinds)}
    (told,) = re.findall(r"(?:Exit codes:|退出码：)(.*?)[.。]", _text(name), re.DOTALL)
    assert {int(code) for code in re.findall(r"\d+", told)} == codes


def test_both_languages_take_the_same_steps() -> None:
    """Same headings in the same order, same code blocks but for their comments and placeholders."""
    assert _headings("README.md") == _headings("README.zh-CN.md")
    kinds = [
        [block.splitlines()[0] + str(len(block.splitlines())) for block in _FENCE.findall(_text(name))]
        for name in READMES
    ]
    assert kinds[0] == kinds[1]
    rows = [len(re.findall(r"^\|", _text(name), re.MULTILINE)) for name in READMES]
    assert rows[0] == rows[1]


@pytest.mark.parametrize("name", PAPERS)
def test_links_to_files_lead_somewhere(name: str) -> None:
    """Every relative link names a file or folder of the project."""
    links = [link for link in _LINK.findall(_FENCE.sub("", _text(name))) if "://" not in link]
    dead = [link for link in links if not ((ROOT / name).parent / link.split("#")[0]).exists()]
    assert dead == []


@pytest.mark.parametrize("name", PAPERS)
def test_no_path_of_one_machine(name: str) -> None:
    """A paper never names a place that exists on its author's machine only."""
    assert [line for line in _text(name).splitlines() if _MACHINE_PATH.search(line)] == []


def test_decisions_are_numbered_without_a_gap_and_dated() -> None:
    """docs/decisions holds 0001, 0002, ...; each title carries its number and its day."""
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    titles = [_DECISION.fullmatch(file.read_text(encoding="utf-8").splitlines()[0]) for file in files]
    assert None not in titles
    numbers = [title[1] for title in titles if title is not None]
    assert numbers == [file.name[:4] for file in files]
    assert numbers == [f"{number:04d}" for number in range(1, len(files) + 1)]


def test_architecture_names_files_that_are_there() -> None:
    """Each file named in the table of promises stands where it says (rooms may be left out)."""
    named = set(re.findall(r"`([\w/]+\.py)`", _text("docs/architecture.md")))
    places = ("", "mac_side", "windows_side", "windows_side/execution", "shared_schema")
    lost = {file for file in named if not any((ROOT / place / file).is_file() for place in places)}
    assert len(named) > 10
    assert lost == set()
