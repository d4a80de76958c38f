"""What a pair of synced folders does to files, asked of any pair: the real engines, or a simulated one.

Each behaviour is a function that does something to a pair and names the outcome it saw. ``BEHAVIOURS``
holds beside it every outcome the real pair was seen to have (observed.md): a real pair may show no other,
and a simulated one must be able to show each of them and nothing worse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from shared_schema.drop_folder.names import is_conflict_pattern

Side = Literal["a", "b"]
View = dict[str, bytes | None]
"""What stood under each watched name; None: nothing."""
FIRST, SECOND, THIRD = b'{"first": 1}', b'{"second": 22}', b'{"third": 333}'
SAME_SIZE = b'{"FIRST": 1}'
BIG = bytes(range(256)) * 12_000
"""3 MB."""


class SyncedPair(Protocol):
    """Two folders and the engine between them. Names are relative to the folder, times in seconds."""

    def write(self, side: Side, name: str, raw: bytes, *, age: float = 0.0, keep_time: bool = False) -> None:
        """Put a whole file under ``name`` in one step, with a time ``age`` seconds ago or as it was."""

    def move(self, side: Side, name: str, to: str) -> None:
        """Rename."""

    def delete(self, side: Side, name: str) -> None:
        """Remove."""

    def touch(self, side: Side, name: str) -> None:
        """Give the file the present time; its bytes stay."""

    def files(self, side: Side) -> dict[str, bytes]:
        """Every file of one side but temp names."""

    def disconnect(self) -> None:
        """Nothing travels any more; both sides go on looking at their own folder."""

    def connect(self) -> None:
        """It travels again."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""

    def settle(self) -> None:
        """Let time pass until nothing moves any more."""

    def watch(self, *names: str) -> None:
        """Note from now on, as a reader on side b sees it, each change of what stands under ``names``."""

    def seen(self) -> list[View]:
        """Stop watching; the views in their order."""


Observe = Callable[[SyncedPair, str], str]
"""Does the behaviour under a name of its own; the outcome."""
APART = 2.5
"""Seconds after which both sides have noticed what changed while they were apart."""


@dataclass(frozen=True)
class Behaviour:
    """One thing a sync tool may do to us."""

    observe: Observe
    may: frozenset[str]
    """Outcomes of a real pair."""
    must: frozenset[str] = frozenset()
    """Of these the ones that appear within a few dozen tries."""


def overwrite(pair: SyncedPair, name: str) -> str:
    """A file is replaced on side a: what does a reader on side b see between the two?"""
    pair.write("a", name, FIRST)
    pair.settle()
    pair.watch(name)
    pair.write("a", name, SECOND)
    pair.settle()
    seen = [view[name] for view in pair.seen()]
    if any(raw not in (None, FIRST, SECOND) for raw in seen):
        return "part of a file"
    if seen[-1] != SECOND:
        return "never arrived"
    return "missing between" if None in seen else "one step"


def new_file(pair: SyncedPair, name: str) -> str:
    """A new file on side a: does a reader on side b ever see a part of it?"""
    pair.watch(name)
    pair.write("a", name, BIG)
    pair.settle()
    seen = [view[name] for view in pair.seen()]
    if any(raw not in (None, BIG) for raw in seen):
        return "part of a file"
    return "whole" if seen[-1] == BIG else "never arrived"


def two_together(pair: SyncedPair, name: str) -> str:
    """Two files written one right after the other: which is seen first?"""
    return _first_of_two(pair, name, FIRST)


def big_then_small(pair: SyncedPair, name: str) -> str:
    """A file of 3 MB, then a small one."""
    return _first_of_two(pair, name, BIG)


def many_versions(pair: SyncedPair, name: str) -> str:
    """One name overwritten ten times, 0.2 s apart: is every version seen?"""
    pair.write("a", name, FIRST)
    pair.settle()
    versions = [b'{"version": %d}' % number for number in range(10)]
    pair.watch(name)
    for raw in versions:
        pair.write("a", name, raw)
        pair.wait(0.2)
    pair.settle()
    if pair.files("b").get(name) != versions[-1]:
        return "the last one never arrived"
    seen = {view[name] for view in pair.seen()}
    return "all seen" if set(versions) <= seen else "some never seen"


def both_edit(pair: SyncedPair, name: str) -> str:
    """Both sides change a file while apart, side b later."""
    pair.write("a", name, FIRST)
    pair.settle()
    pair.disconnect()
    pair.write("a", name, SECOND)
    pair.wait(1.2)
    pair.write("b", name, THIRD)
    return _conflict(pair, name, newer=THIRD, older=SECOND)


def both_edit_a_later(pair: SyncedPair, name: str) -> str:
    """Both sides change a file while apart, side a later."""
    pair.write("a", name, FIRST)
    pair.settle()
    pair.disconnect()
    pair.write("b", name, SECOND)
    pair.wait(1.2)
    pair.write("a", name, THIRD)
    return _conflict(pair, name, newer=THIRD, older=SECOND)


def both_create(pair: SyncedPair, name: str) -> str:
    """Both sides make the same new name while apart, side b later."""
    pair.disconnect()
    pair.write("a", name, SECOND)
    pair.wait(1.2)
    pair.write("b", name, THIRD)
    return _conflict(pair, name, newer=THIRD, older=SECOND)


def both_create_alike(pair: SyncedPair, name: str) -> str:
    """Both sides make the same new name with the same bytes while apart."""
    pair.disconnect()
    pair.write("a", name, FIRST)
    pair.wait(1.2)
    pair.write("b", name, FIRST)
    return _conflict(pair, name, newer=FIRST, older=FIRST)


def touched_and_consumed(pair: SyncedPair, name: str) -> str:
    """Side a touches a file that side b moves away meanwhile."""
    pair.write("a", name, FIRST)
    pair.settle()
    pair.disconnect()
    pair.touch("a", name)
    pair.move("b", name, f"done/{name}")
    return _after(pair, name, moved=True)


def rewritten_and_consumed(pair: SyncedPair, name: str) -> str:
    """Side a puts the next file under a name that side b moves away meanwhile."""
    pair.write("a", name, FIRST)
    pair.settle()
    pair.disconnect()
    pair.write("a", name, SECOND)
    pair.move("b", name, f"done/{name}")
    return _after(pair, name, moved=True)


def rewritten_then_deleted(pair: SyncedPair, name: str) -> str:
    """Side a changes a file; side b deletes it later."""
    pair.write("a", name, FIRST)
    pair.settle()
    pair.disconnect()
    pair.write("a", name, SECOND)
    pair.wait(1.2)
    pair.delete("b", name)
    return _after(pair, name)


def deleted_then_rewritten(pair: SyncedPair, name: str) -> str:
    """Side b deletes a file; side a changes it later."""
    pair.write("a", name, FIRST)
    pair.settle()
    pair.disconnect()
    pair.delete("b", name)
    pair.wait(1.2)
    pair.write("a", name, SECOND)
    return _after(pair, name)


def consumed(pair: SyncedPair, name: str) -> str:
    """Side b moves a file away, nobody else does anything."""
    pair.write("a", name, FIRST)
    pair.settle()
    pair.move("b", name, f"done/{name}")
    return _after(pair, name, moved=True)


def older_time(pair: SyncedPair, name: str) -> str:
    """A file is replaced by one with a time fifty years back."""
    pair.write("a", name, FIRST)
    pair.settle()
    pair.write("a", name, SECOND, age=50 * 365 * 86_400.0)
    pair.settle()
    return "travels" if pair.files("b").get(name) == SECOND else "never travels"


def same_size_and_time(pair: SyncedPair, name: str) -> str:
    """A file is replaced by one of the same size and time."""
    pair.write("a", name, FIRST)
    pair.settle()
    pair.write("a", name, SAME_SIZE, keep_time=True)
    pair.settle()
    return "travels" if pair.files("b").get(name) == SAME_SIZE else "never travels"


def _first_of_two(pair: SyncedPair, name: str, raw: bytes) -> str:
    one, two = f"1-{name}", f"2-{name}"
    pair.watch(one, two)
    pair.write("a", one, raw)
    pair.write("a", two, SECOND)
    pair.settle()
    for view in pair.seen():
        if view[one] is not None:
            return "together" if view[two] is not None else "in order"
        if view[two] is not None:
            return "reversed"
    return "never arrived"


def _conflict(pair: SyncedPair, name: str, *, newer: bytes, older: bytes) -> str:
    pair.wait(APART)
    pair.connect()
    pair.settle()
    sides = [_of(pair, side, name) for side in ("a", "b")]
    if sides[0] != sides[1]:
        return "the sides differ"
    copies = {found: raw for found, raw in sides[0].items() if found != name}
    if any(not is_conflict_pattern(found) for found in copies):
        return f"a name of no known pattern: {sorted(copies)}"
    kept = sides[0].get(name)
    if not copies:
        return "no conflict" if newer == older and kept == newer else "one is lost without a copy"
    if kept == newer and list(copies.values()) == [older]:
        return "newer keeps the name"
    return "older keeps the name" if kept == older and list(copies.values()) == [newer] else "something else"


def _after(pair: SyncedPair, name: str, *, moved: bool = False) -> str:
    pair.wait(APART)
    pair.connect()
    pair.settle()
    sides = [_of(pair, side, name) for side in ("a", "b")]
    if sides[0] != sides[1]:
        return "the sides differ"
    if moved and sides[0].get(f"done/{name}") != FIRST:
        return "the moved one is lost"
    left = sides[0].get(name)
    outcomes = {None: "gone", FIRST: "back, the same bytes", SECOND: "back, the new bytes"}
    return outcomes.get(left, "something else")


def _of(pair: SyncedPair, side: Side, name: str) -> dict[str, bytes]:
    stem = name.rsplit(".", 1)[0]
    return {found: raw for found, raw in pair.files(side).items() if stem in found}


BEHAVIOURS: dict[str, Behaviour] = {
    behaviour.observe.__name__: behaviour
    for behaviour in (
        Behaviour(overwrite, frozenset({"missing between", "one step"}), must=frozenset({"missing between"})),
        Behaviour(new_file, frozenset({"whole"})),
        Behaviour(
            two_together,
            frozenset({"in order", "reversed", "together"}),
            must=frozenset({"in order", "reversed"}),
        ),
        Behaviour(
            big_then_small, frozenset({"in order", "reversed", "together"}), must=frozenset({"reversed"})
        ),
        Behaviour(many_versions, frozenset({"some never seen"})),
        Behaviour(both_edit, frozenset({"newer keeps the name"})),
        Behaviour(both_edit_a_later, frozenset({"newer keeps the name"})),
        Behaviour(both_create, frozenset({"newer keeps the name"})),
        Behaviour(both_create_alike, frozenset({"no conflict"})),
        Behaviour(touched_and_consumed, frozenset({"back, the same bytes"})),
        Behaviour(rewritten_and_consumed, frozenset({"back, the new bytes"})),
        Behaviour(rewritten_then_deleted, frozenset({"back, the new bytes"})),
        Behaviour(deleted_then_rewritten, frozenset({"back, the new bytes"})),
        Behaviour(consumed, frozenset({"gone"})),
        Behaviour(older_time, frozenset({"travels"})),
        Behaviour(same_size_and_time, frozenset({"never travels"})),
    )
}
