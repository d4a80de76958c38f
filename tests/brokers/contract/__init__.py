"""The broker contract, in numbered cases: what the executor may rely on from any broker.

Written against BrokerPort and a small driver, so that the simulated broker and the QMT
stand-in pass the same cases. A subclass gives the fixture ``driver`` and pytest runs it.
Nothing here sleeps: every wait is for an event, with a limit that only a failure reaches.
"""

from __future__ import annotations

from tests.brokers.contract.cancels import CancelCases
from tests.brokers.contract.link import LinkCases
from tests.brokers.contract.lists import ListCases
from tests.brokers.contract.matching import MatchingCases
from tests.brokers.contract.money import MoneyCases
from tests.brokers.contract.nights import NightCases
from tests.brokers.contract.submits import SubmitCases


class BrokerContract(MatchingCases, CancelCases, MoneyCases, SubmitCases, ListCases, NightCases, LinkCases):
    """All cases. ``driver`` starts with 100,000 yuan, no position, and the port started."""
