"""The QMT broker over the stand-in terminal keeps the broker contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from test_offline.fake_qmt.install import is_possible

if not is_possible():
    pytest.skip("xtquant is not installed (requirements-dev.txt)", allow_module_level=True)

from tests.brokers.contract import BrokerContract
from tests.brokers.qmt_driver import QmtDriver


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[QmtDriver]:
    driver = QmtDriver(tmp_path)
    yield driver
    driver.close()


class TestQmtBroker(BrokerContract):
    """All numbered cases."""
