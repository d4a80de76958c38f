"""When an unusable file is given up: never while it changes, never a second copy."""

from __future__ import annotations

from shared_schema.drop_folder import Settling, Verdict


def test_a_file_that_changes_is_waited_for() -> None:
    """Each change begins the wait anew; 4.9 s are too short, 5 s are enough."""
    settling = Settling()
    for second in range(20):
        assert settling.judge("a", bytes([second]), float(second), None) is Verdict.WAIT
    assert settling.judge("a", bytes([19]), 19 + 4.9, None) is Verdict.WAIT
    assert settling.judge("a", bytes([19]), 19 + 5.0, None) is Verdict.TAKE_AWAY


def test_a_dated_file_is_copied_once_and_taken_away_when_it_has_expired() -> None:
    """A sync tool may still complete it until then."""
    settling = Settling()
    verdicts = [settling.judge("a", b"x", now, 60.0) for now in (0.0, 5.0, 6.0, 59.9, 60.0)]
    assert verdicts == [Verdict.WAIT, Verdict.COPY, Verdict.WAIT, Verdict.WAIT, Verdict.TAKE_AWAY]


def test_other_content_is_copied_too() -> None:
    """Nothing is lost: each state that settled is kept."""
    settling = Settling()
    assert [settling.judge("a", b"x", now, 99.0) for now in (0.0, 5.0)][-1] is Verdict.COPY
    assert [settling.judge("a", b"y", now, 99.0) for now in (6.0, 11.0)] == [Verdict.WAIT, Verdict.COPY]


def test_what_was_used_or_is_gone_begins_anew() -> None:
    """A name that comes back is another file."""
    settling = Settling()
    settling.judge("a", b"x", 0.0, None)
    settling.judge("b", b"x", 0.0, None)
    settling.forget("a")
    settling.forget_missing({"c"})
    assert settling.judge("a", b"x", 10.0, None) is Verdict.WAIT
    assert settling.judge("b", b"x", 10.0, None) is Verdict.WAIT


def test_a_file_taken_away_that_returns_waits_again() -> None:
    """Also where the move failed: it is tried again after another settle time."""
    settling = Settling(settle=1.0)
    assert [settling.judge("a", b"x", now, None) for now in (0.0, 1.0, 1.1, 2.1)] == [
        Verdict.WAIT,
        Verdict.TAKE_AWAY,
        Verdict.WAIT,
        Verdict.TAKE_AWAY,
    ]
