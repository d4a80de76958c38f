"""Tests with two real Syncthing engines: only where ``--syncthing`` asks and the program is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from test_offline.syncthing_ring.pair import SyncthingPair, syncthing, syncthing_pair


@pytest.fixture(scope="session")
def needs_syncthing(request: pytest.FixtureRequest) -> None:
    """Skip, and say so, unless real engines are asked for and installed."""
    if not request.config.getoption("--syncthing"):
        pytest.skip("REAL SYNC NOT TESTED: ask for it with --syncthing")
    if syncthing() is None:
        pytest.skip("REAL SYNC NOT TESTED: no syncthing, see test_offline/syncthing_ring/install.sh")


@pytest.fixture(scope="session")
def real_engines(needs_syncthing: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SyncthingPair]:
    """One pair for all behaviours: each uses names of its own."""
    root = tmp_path_factory.mktemp("pair")
    with syncthing_pair(root, root / "a", root / "b") as pair:
        yield pair
