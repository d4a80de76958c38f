"""Two clocks, and stamps that only rise."""

from __future__ import annotations

import re

from shared_schema.clock import Moment, ReplayFollower, Stamper, host_name, live_moment, new_epoch
from shared_schema.ids import AccountAlias, Epoch


def test_the_market_clock_stands_where_the_replay_put_it() -> None:
    """Wall time goes on; market time moves with the quotes alone, and back to wall time without a replay."""
    wall = [1000.0]
    clock = ReplayFollower(lambda: wall[0])
    assert clock.now() == Moment(1000.0, 1000.0) and not clock.replaying
    clock.quote_seen(1000.0, 50.0)
    wall[0] = 1003.0
    assert clock.now() == Moment(1003.0, 50.0) and clock.replaying
    clock.quote_seen(1003.0, 1003.5)
    assert clock.now() == Moment(1003.0, 1003.0) and not clock.replaying


def test_later_epochs_sort_after_earlier_ones() -> None:
    """As text, to the millisecond, whatever the random part."""
    made = ((1.0, "ffff"), (1.002, "0000"), (9e9, "aaaa"))
    epochs = [new_epoch(at, (lambda: "ffff") if part == "ffff" else (lambda: "0000")) for at, part in made]
    assert epochs == sorted(epochs) and len(set(epochs)) == 3
    assert new_epoch(1.0) != new_epoch(1.0) or new_epoch(1.0) != new_epoch(1.0)


def test_a_stamper_never_repeats_a_seq() -> None:
    """Rising by one; the account of one file may differ from the writer's own."""
    stamper = Stamper("producer@win", Epoch("e"), "live", AccountAlias("main"), seq=4)
    stamps = [stamper.next(Moment(5.0, 6.0), "2026-11-18") for _ in range(3)]
    assert [stamp.seq for stamp in stamps] == [5, 6, 7]
    assert (stamps[0].written_at, stamps[0].market_time, stamps[0].account) == (5.0, 6.0, "main")
    assert stamper.next(Moment(5.0, 6.0), "2026-11-18", AccountAlias("*")).account == "*"


def test_the_host_name_is_safe() -> None:
    """It becomes part of file names."""
    assert re.fullmatch(r"[A-Za-z0-9_-]+", host_name())


def test_live_time_is_one_time() -> None:
    """Without a replay both clocks agree."""
    now = live_moment()
    assert now.wall == now.market
