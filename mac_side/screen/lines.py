"""Without a terminal: one line when something changes. Prices alone print nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mac_side.screen.aging import aged, silence_of
from mac_side.screen.look import age, clock, count, money, price, price_digits, session_word, word
from mac_side.screen.notices import notices
from mac_side.view import SignalView, View, read_view
from shared_schema.words import say


def changes(before: View | None, after: View, silence: float = 0.0, silence_before: float = 0.0) -> list[str]:
    """The lines to print between two views; all of what stands where there was none before."""
    at = clock(after.market)
    lines = [] if before is not None else [_opening(after)]
    if before is None or before.session != after.session:
        lines.append(say("screen.line.session", session=session_word(after.session) or "-"))
    lines += _notices(before, after, silence, silence_before)
    known = {signal.signal_id: signal for signal in before.signals} if before else {}
    for signal in after.signals:
        earlier = known.get(signal.signal_id)
        if earlier is None or (earlier.state, earlier.filled) != (signal.state, signal.filled):
            lines.append(_signal(signal, after))
    if before is not None and before.grid.layers != after.grid.layers:
        lines.append(_position(after))
    return [f"{at} {line}" for line in lines]


def follow(
    paths: Sequence[Path],
    *,
    print_line: Callable[[str], None],
    stopped: Callable[[], bool],
    pause: Callable[[float], None] = time.sleep,
    wall_clock: Callable[[], float] = time.time,
) -> None:
    """Print what changes in the view files until ``stopped`` or the last view of every engine."""
    followed = [_Followed(path) for path in paths]
    while not stopped():
        for one in followed:
            for line in one.news(wall_clock()):
                print_line(f"{one.code} {line}" if len(followed) > 1 else line)
        if all(one.ended for one in followed):
            return
        pause(0.5)


@dataclass
class _Followed:
    """One view file and what was printed of it."""

    path: Path
    before: View | None = None
    silence: float = 0.0

    def news(self, now: float) -> list[str]:
        """The lines for what changed since the last look."""
        view = None if self.ended else read_view(self.path)
        if view is None:
            return []
        shown, silence = aged(view, now), silence_of(view, now)
        lines = changes(self.before, shown, silence, self.silence)
        self.before, self.silence = shown, silence
        return lines

    @property
    def code(self) -> str:
        """What is traded."""
        return self.before.code if self.before is not None else "?"

    @property
    def ended(self) -> bool:
        """Whether its engine wrote its last view."""
        return self.before is not None and self.before.ended


def _opening(view: View) -> str:
    mode = say("screen.mode.live" if view.mode == "live" else "screen.mode.simulate")
    return f"[{mode}] {view.code} {say('screen.account_is', account=view.account or '-')}"


def _notices(before: View | None, after: View, silence: float, silence_before: float) -> list[str]:
    then = {n.kind for n in notices(before, silence_before)} if before is not None else set()
    now = notices(after, silence)
    lines = [
        " ".join(part for part in (f"! {n.text}", n.what_to_do) if part) for n in now if n.kind not in then
    ]
    if then and not now:
        lines.append(say("screen.line.calm"))
    return lines


def _signal(signal: SignalView, view: View) -> str:
    text = say(
        "screen.line.signal",
        signal=signal.signal_id,
        side=say("screen.buy" if signal.direction == "BUY" else "screen.sell"),
        price=price(signal.price, price_digits(signal.code or view.code)),
        filled=count(signal.filled),
        shares=count(signal.shares),
        state=word("state", signal.state),
        latency=age(signal.latency),
    )
    return f"{text} {signal.message}".rstrip()


def _position(view: View) -> str:
    return say(
        "screen.line.position",
        layers=view.grid.layers,
        most=view.grid.max_layers,
        volume=count(view.position.volume),
        floating=money(view.position.floating_profit, sign=True),
        realised=money(view.counts.realised_profit, sign=True),
    )
