"""The papers on faults keep their word: every number told, every proof there, every sentence real."""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from test_offline.world.faults import FAULTS

ROOT = Path(__file__).resolve().parents[2]
PAPERS = {"en": "docs/faults.md", "zh": "docs/faults.zh-CN.md"}
MARKS = {"en": ("Proved by: ", "Not yet: "), "zh": ("证明：", "尚缺：")}
COUNT = 78
_HEADING = re.compile(r"^### (\d+)\. ", re.MULTILINE)
_SECTION = re.compile(r"^##[^#]", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_WORLD = re.compile(r"`([a-z][a-z_0-9]*)`")
_PLACE = re.compile(r"\{(\w+)[^{}]*\}")


@dataclass(frozen=True)
class Told:
    """What a paper says of one fault."""

    number: int
    tests: tuple[tuple[str, str], ...]
    """File and name of each test named as a proof."""
    kinds: tuple[str, ...]
    """Faults of the simulated world named as a proof."""
    is_open: bool
    """Whether something is said to be missing."""
    sentences: tuple[str, ...]
    """What screen, result or log are quoted with."""


@cache
def told(language: str) -> tuple[Told, ...]:
    """The faults of a paper in the order they stand there."""
    text = (ROOT / PAPERS[language]).read_text(encoding="utf-8")
    parts = _HEADING.split(text)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return tuple(_told(int(number), _SECTION.split(body)[0], language) for number, body in pairs)


def _told(number: int, body: str, language: str) -> Told:
    proved, missing = MARKS[language]
    lines = body.splitlines()
    proofs = "".join(line for line in lines if line.startswith(proved))
    return Told(
        number,
        tuple(_TEST.findall(proofs)),
        tuple(_WORLD.findall(_TEST.sub("", proofs))),
        any(line.startswith(missing) for line in lines),
        tuple(line[2:] for line in lines if line.startswith("> ")),
    )


@cache
def names_in(file: str) -> frozenset[str]:
    """The names of the tests in a file, those of classes included."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@cache
def catalogue(language: str) -> frozenset[str]:
    """Every sentence of the program in a language, each value as ``{name}``."""
    found: set[str] = set()

    def walk(entry: Any) -> None:
        if isinstance(entry, dict):
            for value in entry.values():
                walk(value)
        else:
            sentence = entry[0 if language == "zh" else 1]
            found.add(_PLACE.sub(r"{\1}", sentence.replace("{{", "\0").replace("}}", "\1")))

    for path in (ROOT / "shared_schema" / "words").glob("*.toml"):
        walk(tomllib.loads(path.read_text(encoding="utf-8")))
    return frozenset(sentence.replace("\0", "{").replace("\1", "}") for sentence in found)


@pytest.mark.parametrize("language", PAPERS)
def test_every_fault_is_told_once_and_in_order(language: str) -> None:
    """1 to 78, whatever is added to the text."""
    assert [fault.number for fault in told(language)] == list(range(1, COUNT + 1))


@pytest.mark.parametrize("language", PAPERS)
def test_every_test_named_as_a_proof_is_there(language: str) -> None:
    """A test that was renamed or removed proves nothing any more."""
    named = [(fault.number, file, name) for fault in told(language) for file, name in fault.tests]
    gone = [entry for entry in named if not (ROOT / entry[1]).exists() or entry[2] not in names_in(entry[1])]
    assert gone == [] and named


@pytest.mark.parametrize("language", PAPERS)
def test_every_fault_of_the_world_is_named_under_its_own_number(language: str) -> None:
    """The simulated world injects it under the very number it is told under."""
    named = [(fault.number, kind) for fault in told(language) for kind in fault.kinds]
    assert [(number, kind) for number, kind in named if kind not in FAULTS] == []
    assert [(number, kind) for number, kind in named if FAULTS[kind].number != number] == []


@pytest.mark.parametrize("language", PAPERS)
def test_what_has_no_proof_says_so(language: str) -> None:
    """No fault stands there with neither a proof nor a word on what is missing."""
    silent = [f.number for f in told(language) if not (f.tests or f.kinds or f.is_open)]
    assert silent == []


def test_both_languages_name_the_same_proofs_and_gaps() -> None:
    """Neither reader is told more than the other, sentences of the screen included in number."""
    claims = [
        [(f.number, f.tests, f.kinds, f.is_open, len(f.sentences)) for f in told(language)]
        for language in PAPERS
    ]
    assert claims[0] == claims[1]


@pytest.mark.parametrize("language", PAPERS)
def test_quoted_sentences_are_the_programs_own(language: str) -> None:
    """What a trader reads here is what the screen will show, word for word."""
    quoted = [(fault.number, sentence) for fault in told(language) for sentence in fault.sentences]
    strange = [entry for entry in quoted if entry[1] not in catalogue(language)]
    assert strange == [] and quoted


def test_every_test_of_a_fault_is_told_under_its_number() -> None:
    """A file ``tests/faults/test_fault_NN_…`` that no fault NN names would be forgotten."""
    cited = {(fault.number, file) for fault in told("en") for file, _ in fault.tests}
    files = sorted((ROOT / "tests" / "faults").glob("test_fault_*.py"))
    numbered = [(int(path.name.split("_")[2]), path.relative_to(ROOT).as_posix()) for path in files]
    assert [entry for entry in numbered if entry not in cited] == [] and numbered
