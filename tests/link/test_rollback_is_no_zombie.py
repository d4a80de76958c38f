"""One old file is a zombie; all three kinds going back together are a folder that was put back (rule 14)."""

from __future__ import annotations

import itertools

import pytest

from shared_schema.rollback import GROUPS, WITHIN, Group, RollbackWatch


def watch() -> RollbackWatch:
    """Everything seen at number 10."""
    found = RollbackWatch()
    for group in GROUPS:
        found.look(group, ("e1", 10), 0.0)
    return found


@pytest.mark.parametrize("fell", [s for n in (0, 1, 2) for s in itertools.combinations(GROUPS, n)])
def test_less_than_all_three_hold_nothing(fell: tuple[Group, ...]) -> None:
    """Each alone and each two are zombies, or files of ours to be written again."""
    seen = watch()
    for group in GROUPS:
        seen.look(group, ("e1", 3 if group in fell else 11), 1.0)
    assert not seen.is_rolled_back(1.0)


@pytest.mark.parametrize("order", list(itertools.permutations(GROUPS)))
def test_all_three_in_any_order_are_a_rollback(order: tuple[Group, ...]) -> None:
    """A sync tool delivers a restored folder in pieces."""
    seen = watch()
    for place, group in enumerate(order):
        assert not seen.is_rolled_back(float(place))
        seen.look(group, ("e1", 3), float(place))
    assert seen.is_rolled_back(3.0)


def test_a_heartbeat_written_again_at_once_does_not_hide_it() -> None:
    """Its writer lives and overwrites it within seconds; that it fell is remembered a while."""
    seen = watch()
    seen.look("heartbeat", ("e1", 3), 1.0)
    seen.look("heartbeat", ("e1", 11), 2.0)
    seen.look("results", ("e1", 3), 20.0)
    seen.look("slot", None, 21.0)
    assert seen.is_rolled_back(21.0)


def test_falls_far_apart_are_zombies() -> None:
    """What does not come within the window did not come together."""
    seen = watch()
    seen.look("heartbeat", ("e1", 3), 1.0)
    seen.look("results", ("e1", 3), 1.0)
    seen.look("slot", ("e1", 3), 2.0 + WITHIN)
    assert not seen.is_rolled_back(2.0 + WITHIN)


def test_a_new_epoch_is_no_regression() -> None:
    """A writer whose memory was made anew begins at one, in a later epoch."""
    seen = watch()
    for group in GROUPS:
        seen.look(group, ("e2", 1), 1.0)
    assert not seen.is_rolled_back(1.0)


def test_what_was_never_seen_can_not_go_back() -> None:
    """A first look at an empty folder is no fall."""
    seen = RollbackWatch()
    for group in GROUPS:
        seen.look(group, None, 0.0)
    assert not seen.is_rolled_back(0.0)


def test_it_is_told_once() -> None:
    """After it was acted upon only another fall is news."""
    seen = watch()
    for group in GROUPS:
        seen.look(group, ("e1", 3), 1.0)
    seen.said()
    assert not seen.is_rolled_back(1.5)
    for group in GROUPS:
        seen.look(group, ("e1", 2), 2.0)
    assert seen.is_rolled_back(2.0)
