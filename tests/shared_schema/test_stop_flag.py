"""Asked to stop by a signal, a process stops: the handler runs in the very thread that waits."""

from __future__ import annotations

import signal
import time

import pytest

from shared_schema.stop_flag import LOOK_EVERY, StopFlag


def test_a_handler_inside_the_wait_ends_it() -> None:
    """What the handler does, at the worst moment: in the waiting thread, in the middle of the wait."""
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds
        if clock[0] > 1.0:
            flag.set()

    flag = StopFlag(lambda: clock[0], sleep)
    assert flag.wait(60.0)
    assert clock[0] <= 1.0 + 2 * LOOK_EVERY
    assert flag.is_set() and flag.wait(60.0)


def test_without_a_request_the_whole_time_is_waited() -> None:
    """And not more."""
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    assert not StopFlag(lambda: clock[0], sleep).wait(0.25)
    assert clock[0] == pytest.approx(0.25)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
def test_hundreds_of_real_signals_never_hang_it() -> None:
    """An Event hangs here within a few of them."""
    for _ in range(300):
        flag = StopFlag(sleep=lambda seconds: time.sleep(min(seconds, 0.0002)))
        before = signal.signal(signal.SIGALRM, lambda *_, flag=flag: flag.set())  # type: ignore[misc]
        signal.setitimer(signal.ITIMER_REAL, 0.0005)
        try:
            assert flag.wait(5.0)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, before)
