"""Each panel and each state of the whole screen looks as it did when somebody last looked at it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import pytest
from rich.cells import cell_len

from shared_schema.words import language, use_language
from tests.screen.snapshots import FOLDER, pictures, text_of


@pytest.fixture(scope="module")
def made() -> Iterator[dict[str, list[str]]]:
    """All pictures, drawn now."""
    before = language()
    yield dict(pictures())
    use_language(before)


def test_every_picture_is_as_it_was_looked_at(made: dict[str, list[str]]) -> None:
    """A change of any screen shows as a difference; ``python -m tests.screen.snapshots`` takes it over."""
    kept = {file.stem: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.txt")}
    assert set(kept) == set(made), "pictures without a test, or tests without a picture"
    for name, lines in made.items():
        now = text_of(lines)
        difference = "\n".join(difflib.unified_diff(kept[name].splitlines(), now.splitlines(), lineterm=""))
        assert now == kept[name], f"{name}:\n{difference}"


def test_frames_close_and_wide_characters_align(made: dict[str, list[str]]) -> None:
    """Every line of a screen is as wide as its terminal, Chinese counted as two, so all frames close."""
    for name, lines in made.items():
        size = name.rsplit("_", 1)[-1]
        if "x" in size and size.replace("x", "").isdigit():
            width, height = map(int, size.split("x"))
            assert len(lines) == height, name
            assert {cell_len(line) for line in lines} == {width}, name
