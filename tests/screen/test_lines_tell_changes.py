"""Without a terminal one line tells each change, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mac_side.screen.lines import changes, follow
from mac_side.view import write_view
from shared_schema.words import language, use_language
from tests.screen import sample_views as sample


@pytest.fixture(autouse=True)
def _same_language() -> Iterator[None]:
    before = language()
    use_language("zh")
    yield
    use_language(before)


def test_the_first_line_names_mode_and_account() -> None:
    """Whoever reads the log sees first whether money is real."""
    lines = changes(None, sample.trading())
    assert "模拟 SIMULATE" in lines[0] and "main" in lines[0]
    assert any("BUY_159201.SZ_L3_77c0d1e2" in line and "8,400/21,900" in line for line in lines)


def test_nothing_new_prints_nothing() -> None:
    """A price or an age that moves is no line."""
    view = sample.trading()
    price = view.price.model_copy(update={"price": 1.024})
    link = view.link.model_copy(update={"quote_age": 3.0})
    assert changes(view, sample.with_changes(view, price=price, link=link)) == []


def test_a_growing_age_is_told_once() -> None:
    """A lost executor is one line, not one per second; its return is another."""
    lost = sample.disconnected()
    later = sample.with_changes(lost, link=lost.link.model_copy(update={"executor_age": 46.0}))
    assert len(changes(sample.trading(), lost)) == 1
    assert changes(lost, later) == []
    assert "告警解除" in changes(later, sample.trading())[0]


def test_halt_and_its_confirmation_are_two_lines() -> None:
    """The halt is told, and when the executor confirmed it."""
    unconfirmed = changes(sample.trading(), sample.halted(False))
    assert len(unconfirmed) == 1 and "执行器尚未确认" in unconfirmed[0]
    confirmed = changes(sample.halted(False), sample.halted())
    assert len(confirmed) == 1 and "已确认" in confirmed[0]


def test_a_signal_is_told_at_each_state() -> None:
    """Sent, partly filled, filled: one line each."""
    view = sample.trading()
    filled = view.signals[2].model_copy(update={"state": "filled", "filled": 21900})
    after = sample.with_changes(view, signals=(*view.signals[:2], filled, *view.signals[3:]))
    (line,) = changes(view, after)
    assert "L3_77c0d1e2" in line and "已成" in line and "21,900/21,900" in line


def test_following_ends_with_the_engine(tmp_path: Path) -> None:
    """A missing file is waited for, a torn one passed over, the last view ends it."""
    path = tmp_path / "view.json"
    ended = sample.with_changes(sample.trading(), ended=True)
    steps = iter(
        [
            lambda: path.write_bytes(b"{"),
            lambda: write_view(path, sample.trading()),
            lambda: write_view(path, ended),
        ]
    )
    printed: list[str] = []

    def run(step: Callable[[], object]) -> None:
        step()

    follow(
        [path],
        print_line=printed.append,
        stopped=lambda: False,
        pause=lambda seconds: run(next(steps)),
        wall_clock=lambda: sample.NOW,
    )
    assert "SIMULATE" in printed[0] and "引擎已结束" in printed[-1]
