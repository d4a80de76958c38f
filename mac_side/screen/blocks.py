"""Drawn panels as lines of segments: put beside and below each other without being drawn again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment

Line = list[Segment]
_PENCIL = Console(width=400, file=None, color_system="truecolor", legacy_windows=False)


@dataclass(frozen=True)
class Block:
    """A rectangle of a screen: ``lines`` of exactly ``width`` cells each."""

    width: int
    lines: tuple[Line, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for number, line in enumerate(self.lines):
            if number:
                yield Segment.line()
            yield from line


def drawn(body: RenderableType, width: int, rows: int | None = None) -> Block:
    """``body`` drawn ``width`` cells wide, cut or filled to ``rows`` lines where given."""
    options = _PENCIL.options.update(width=width, height=rows, no_wrap=None)
    lines = _PENCIL.render_lines(body, options, pad=True)
    if rows is not None:
        lines = Segment.set_shape(lines, width, rows)
    return Block(width, tuple(lines))


def beside(blocks: Sequence[Block]) -> Block:
    """Blocks of equal height in one row; a lower one is filled with blanks."""
    height = max(len(block.lines) for block in blocks)
    filled = [
        Segment.set_shape([list(line) for line in block.lines], block.width, height) for block in blocks
    ]
    joined = tuple([segment for line in row for segment in line] for row in zip(*filled, strict=True))
    return Block(sum(block.width for block in blocks), joined)


def below(blocks: Iterable[Block]) -> Block:
    """Blocks of equal width one below the other."""
    known = list(blocks)
    return Block(max(block.width for block in known), tuple(line for block in known for line in block.lines))


@dataclass
class Drawings:
    """The panels as last drawn: one whose facts and place have not changed is not drawn again."""

    _known: dict[str, tuple[Hashable, Block]] = field(default_factory=dict)
    made: int = 0
    """How often something was really drawn."""

    def get(self, name: str, facts: Hashable, draw: Callable[[], Block]) -> Block:
        """The drawing ``name`` of these ``facts``."""
        known = self._known.get(name)
        if known is not None and known[0] == facts:
            return known[1]
        block = draw()
        self.made += 1
        self._known[name] = (facts, block)
        return block
