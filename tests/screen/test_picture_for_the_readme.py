"""The SVG picture of a screen: whole, aligned, and fetching nothing from elsewhere."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from mac_side.screen.picture import picture
from tests.screen import sample_views as sample

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
SVG = "{http://www.w3.org/2000/svg}"


def _texts(svg: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(f"{SVG}text"))


def test_wide_characters_take_two_cells() -> None:
    """Chinese stands in runs of its own, each as wide as in a terminal, and nothing overlaps it."""
    texts = [text for text in _texts(picture(sample.trading(), 120, 40)) if "textLength" in text.attrib]
    (label,) = [text for text in texts if text.text == "今日委托"]
    assert float(label.attrib["textLength"]) == pytest.approx(8 * 12.2, abs=0.2)
    rows: dict[str, list[tuple[float, float]]] = {}
    for text in texts:
        at, length = float(text.attrib["x"]), float(text.attrib["textLength"])
        rows.setdefault(text.attrib["y"], []).append((at, at + length))
    for row in rows.values():
        row.sort()
        assert all(before[1] <= after[0] + 0.2 for before, after in itertools.pairwise(row))


def test_promised_values_are_in_the_picture() -> None:
    """What the screen shows stands in its picture too."""
    text = "".join(part.text or "" for part in _texts(picture(sample.trading(), 120, 40)))
    assert all(value in text for value in ("1.023", "341,900", "SIMULATE", "66,210.00", "L3_77c0d1e2"))


@pytest.mark.parametrize("name", ["dashboard.svg", "dashboard.zh-CN.svg"])
def test_the_shipped_pictures_load_nothing(name: str) -> None:
    """The README's pictures are whole, small, and refer to nothing outside themselves."""
    svg = (PICTURES / name).read_text(encoding="utf-8")
    assert len(svg) < 200_000 and len(_texts(svg)) > 200
    assert "@font-face" not in svg and not re.search(r"(href|src|url\()\s*=?\s*[\"']?https?:", svg)
