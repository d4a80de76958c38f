"""Signal ids never repeat within an epoch."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shared_schema.ids import Epoch, permuted_digits

EPOCH = Epoch("01939f0c5a00-ab12")
counters = some.integers(0, 2**32 - 1)


def test_a_run_of_counters_gives_no_digits_twice() -> None:
    """The first 50,000 signals of an epoch, and the last ones."""
    tried = [*range(50_000), *range(2**32 - 1000, 2**32)]
    assert len({permuted_digits(counter, EPOCH) for counter in tried}) == len(tried)


@given(counters, counters, some.text(max_size=20))
@settings(max_examples=200)
def test_two_counters_never_meet(one: int, two: int, epoch: str) -> None:
    """A permutation, whatever the epoch; eight hex digits."""
    digits = permuted_digits(one, Epoch(epoch))
    assert re.fullmatch(r"[0-9a-f]{8}", digits)
    assert (digits == permuted_digits(two, Epoch(epoch))) is (one == two)


def test_every_half_is_reached() -> None:
    """The network is undone round by round: no two counters can share an image."""
    small = {permuted_digits(counter, EPOCH)[:2] for counter in range(20_000)}
    assert len(small) == 256


def test_epochs_give_other_digits() -> None:
    """A state made anew does not repeat the old one's ids."""
    other = Epoch("01939f0c5a01-ab12")
    same = sum(permuted_digits(counter, EPOCH) == permuted_digits(counter, other) for counter in range(5000))
    assert same <= 1


@pytest.mark.parametrize("counter", [-1, 2**32])
def test_a_counter_that_ran_out_raises(counter: int) -> None:
    """It never wraps around in silence."""
    with pytest.raises(ValueError, match="outside"):
        permuted_digits(counter, EPOCH)
