"""The screens as text, kept beside the tests: what is shown changes only when somebody looks at it.

python -m tests.screen.snapshots        writes them anew, to be looked at in the diff
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from mac_side.screen.cancel import cancel_panel
from mac_side.screen.control import may_be_cancelled
from mac_side.screen.events import events_panel
from mac_side.screen.grid import grid_panel
from mac_side.screen.header import CodeTab
from mac_side.screen.help import help_panel
from mac_side.screen.layout import Shown, layout
from mac_side.screen.link import link_panel
from mac_side.screen.look import Look
from mac_side.screen.market import market_panel
from mac_side.screen.messages import messages_panel
from mac_side.screen.notices import notices
from mac_side.screen.orders import orders_panel
from mac_side.screen.position import position_panel
from mac_side.screen.signals import signals_panel
from mac_side.screen.unknown import unknown_panel
from mac_side.view import View
from shared_schema.words import use_language
from tests.screen import sample_views as sample
from tests.screen.rendering import lines_of

FOLDER = Path(__file__).with_name("pictures")
STATES: dict[str, Callable[[], View]] = {
    "waiting": sample.waiting,
    "trading": sample.trading,
    "lunch": sample.lunch,
    "closed": sample.closed,
    "holiday": sample.holiday,
    "stale": sample.stale,
    "halted": sample.halted,
    "unknown order": sample.unknown_order,
    "disconnected": sample.disconnected,
}
SIZES = ((80, 24), (120, 40))
LOOK = Look()


def pictures() -> Iterator[tuple[str, list[str]]]:
    """Every picture by its name: nine states at two sizes, one large screen, and each panel."""
    use_language("zh")
    for state, make in STATES.items():
        for width, height in SIZES:
            name = f"{state.replace(' ', '_')}_{width}x{height}"
            yield name, lines_of(layout(make(), LOOK, width, height), width, height)
    yield "trading_200x60", lines_of(layout(sample.trading(), LOOK, 200, 60), 200, 60)
    tabs = (CodeTab("159201.SZ", alarmed=True), CodeTab("512890.SH", chosen=True))
    yield "two_codes_80x24", lines_of(layout(sample.dividend(), LOOK, 80, 24, Shown(tabs=tabs)), 80, 24)
    yield "worst_80x24", lines_of(layout(sample.everything_at_once(), LOOK, 80, 24), 80, 24)
    yield from _panels()
    use_language("en")
    yield "trading_english_120x40", lines_of(layout(sample.trading(), LOOK, 120, 40), 120, 40)
    ascii_look = Look(unicode=False, red_up=False)
    yield "trading_ascii_80x24", lines_of(layout(sample.trading(), ascii_look, 80, 24), 80, 24)
    use_language("zh")


def _panels() -> Iterator[tuple[str, list[str]]]:
    view, unknown = sample.trading(), sample.unknown_order()
    offered = tuple(signal.signal_id for signal in may_be_cancelled(view))
    panels = {
        "market": market_panel(view, LOOK, 84, 26),
        "link": link_panel(view, LOOK, 48, 5),
        "grid": grid_panel(view, LOOK, 48, 12),
        "position": position_panel(view, LOOK, 48, 10),
        "signals": signals_panel(view, LOOK, 120, 8),
        "orders": orders_panel(view, LOOK, 80, 4),
        "messages": messages_panel(unknown, notices(unknown), LOOK, 72, 7),
        "events": events_panel(view, LOOK, 60, 4),
        "unknown": unknown_panel(unknown, LOOK, 80, 14),
        "cancel": cancel_panel(view, LOOK, 80, 7, offered),
        "help": help_panel(LOOK, 80, 18),
    }
    for name, panel in panels.items():
        yield f"panel_{name}", lines_of(panel, panel.width or 80)


def text_of(lines: list[str]) -> str:
    """A picture as its file holds it."""
    return "\n".join(line.rstrip() for line in lines) + "\n"


def main() -> None:
    """Write every picture; those of no name any more are removed."""
    FOLDER.mkdir(exist_ok=True)
    made = {f"{name}.txt": text_of(lines) for name, lines in pictures()}
    for old in FOLDER.glob("*.txt"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
