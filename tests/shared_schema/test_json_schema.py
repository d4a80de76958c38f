"""The published schemas are those of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared_schema.messages.json_schema import FILES, text_of

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schema"


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_published_schema_is_the_codes(name: str) -> None:
    """Whoever writes the folder by the schema in docs/ is understood by this very version."""
    published = (SCHEMAS / f"{name}.schema.json").read_text("utf-8")
    assert published == text_of(name), "run: python -m shared_schema.messages.json_schema docs/schema"
