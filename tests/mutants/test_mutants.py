"""The risk: a harness that would notice nothing. Each breakage of the list is planted, and seen."""

from __future__ import annotations

import importlib
import os
from dataclasses import replace

import pytest

from test_offline.mutants import mutant as mutants
from test_offline.mutants.harness import Fuzz, Promise, World
from test_offline.mutants.mutant import Mutant, broken_code, function_at, planted
from test_offline.mutants.verdict import judge

ALL = mutants.load()
SLICE = (
    "order before journal",
    "dedupe by file presence",
    "resend on timeout",
    "resend after a restart",
    "empty means none",
    "unknown means rejected",
    "halt not looked at",
    "trade counted twice",
    "expiry ignored",
    "state after signal",
    "torn file read as valid",
    "signature not checked",
    "ledger synchronous NORMAL",
)
"""What the default run plants; CI plants all: ``python -m test_offline.mutants``."""


def named(name: str) -> Mutant:
    return next(mutant for mutant in ALL if mutant.name == name)


def test_the_list_is_long_and_every_entry_says_what_it_is() -> None:
    """At least 60 breakages, each named once, with its risk and what must catch it."""
    assert len({mutant.name for mutant in ALL}) == len(ALL) >= 60
    assert all(mutant.risk and mutant.was != mutant.becomes for mutant in ALL)
    kinds = [type(mutant.harness) for mutant in ALL]
    assert kinds.count(World) >= 20 and kinds.count(Fuzz) >= 8


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.name)
def test_every_mutant_fits_the_product_as_it_stands(mutant: Mutant) -> None:
    """Its text stands in its function exactly once, and what takes its place is Python of another meaning."""
    whole, broken = function_at(mutant.place).__code__, broken_code(mutant)
    assert (whole.co_code, whole.co_consts) != (broken.co_code, broken.co_consts)
    if isinstance(mutant.harness, Promise):
        path, _, test = mutant.harness.test.partition("::")
        assert (mutants.LIST.parents[2] / path).exists()
        assert not test or hasattr(importlib.import_module(path[:-3].replace("/", ".")), test)


def test_a_mutant_is_taken_out_again() -> None:
    """Whatever the harness does meanwhile, the product is whole afterwards."""
    mutant = named("trade counted twice")
    whole = function_at(mutant.place).__code__
    with pytest.raises(ZeroDivisionError), planted(mutant):
        assert function_at(mutant.place).__code__ is not whole
        raise ZeroDivisionError
    assert function_at(mutant.place).__code__ is whole


def test_a_mutant_the_product_has_outgrown_is_an_error() -> None:
    """A list that patches nothing would prove nothing."""
    with pytest.raises(ValueError, match="stands 0 times"):
        broken_code(replace(ALL[0], was="a line nobody wrote"))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("name", SLICE)
def test_the_harness_catches(name: str) -> None:
    """Within ten seconds of processor time, and by an attempt that the sound product passes."""
    verdict = judge(named(name))
    assert verdict.good, verdict


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_harness_that_looks_elsewhere_catches_nothing() -> None:
    """A breakage that no schedule can show is reported as surviving; one that always fails does not count."""
    harmless = replace(named("signature not checked"), harness=World("", "I"))
    verdict = judge(harmless, seconds=0.3)
    assert not verdict.good and not verdict.caught
    failing = replace(harmless, harness=Promise("tests/mutants/test_mutants.py::no_such_test"))
    assert "pytest ended with" in judge(failing).problem
