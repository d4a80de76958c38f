"""Tests on Windows code: only where ``--wine`` asks and Wine is there."""

from __future__ import annotations

import pytest

from test_offline.wine_ring.windows_python import WindowsPython, made, wine


@pytest.fixture(scope="session")
def windows_python(request: pytest.FixtureRequest) -> WindowsPython:
    """A Windows CPython with the Windows host's packages; skips loudly unless asked for and possible."""
    if not request.config.getoption("--wine"):
        pytest.skip("WINDOWS CODE NOT TESTED: ask for it with --wine")
    if wine() is None:
        pytest.skip("WINDOWS CODE NOT TESTED: no wine, see test_offline/wine_ring/install.sh")
    return made()
