"""The risk: a signal published twice as two orders, or resurrected by a needless write (rules 6 and 13)."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from mac_side.books import Intention
from mac_side.bridge_client.entry import OutboxEntry, entry_from_json, entry_to_json
from mac_side.bridge_client.outbox import KEPT_SETTLED, Outbox, first_publication, publications, since_when
from mac_side.bridge_client.signal_ids import next_free, signal_id
from mac_side.engine_core import EngineCore
from shared_schema.drop_folder.names import SIGNAL_SLOT, signal_name
from shared_schema.ids import Code, Epoch, SignalId, StrategyName, permuted_digits
from tests.mac_side.world import beats, core, moment, quote

GRID = StrategyName("grid")
NOW = moment("10:00:30")


def nothing(_name: str) -> bytes | None:
    """An empty folder."""
    return None


def sent() -> tuple[EngineCore, OutboxEntry]:
    """A core that has just decided a buy."""
    made = core()
    made.state = replace(made.state, books=replace(made.state.books, anchor=1.06))
    made.handle(beats(NOW), NOW)
    made.handle(quote(NOW, 1.052), NOW)
    return made, made.state.outbox.entries[-1]


def test_the_slot_is_taken_only_when_it_is_empty_and_nothing_is_unanswered() -> None:
    """First strategy, empty slot: the slot. Anything in it, or an earlier unanswered one: an own name."""
    made, entry = sent()
    outbox = made.state.outbox
    own = signal_name(entry.signal_id)
    assert first_publication(outbox, entry, GRID, nothing).name == SIGNAL_SLOT
    assert first_publication(outbox, entry, GRID, lambda name: {SIGNAL_SLOT: b"other"}.get(name)).name == own
    assert first_publication(outbox, entry, StrategyName("mine"), nothing).name == own
    second = replace(entry, signal_id=SignalId("second"))
    both = outbox.added(second)
    assert first_publication(both, second, GRID, nothing).name == signal_name(SignalId("second"))
    answered = both.put(replace(entry, answered_at=1.0))
    assert first_publication(answered, second, GRID, nothing).name == SIGNAL_SLOT


def test_republished_only_when_missing_or_different_unanswered_and_old_enough() -> None:
    """Same bytes under either name: untouched. Gone or torn: the same bytes again, after the time."""
    made, entry = sent()
    outbox, wall = made.state.outbox, NOW.wall
    own = signal_name(entry.signal_id)

    def due(files: dict[str, bytes], after: float, box: Outbox = outbox) -> list[tuple[str, bytes]]:
        found = publications(box, GRID, lambda name: files.get(name), wall + after, 3.0, {})
        return [(publication.name, publication.raw) for publication in found]

    assert due({}, 2.9) == []
    assert due({}, 3.1) == [(own, entry.raw)]
    assert due({SIGNAL_SLOT: entry.raw}, 60) == []
    assert due({own: entry.raw}, 60) == []
    assert due({own: entry.raw[:-5]}, 60) == [(own, entry.raw)]
    assert due({SIGNAL_SLOT: entry.raw[:-5]}, 60) == [(own, entry.raw)]
    assert due({}, 60, outbox.put(replace(entry, answered_at=wall))) == []
    assert publications(outbox, GRID, nothing, wall + 60, 3.0, {entry.signal_id: wall + 58}) == []


def test_an_answer_that_lies_there_damaged_is_asked_for_again() -> None:
    """A pending answer was seen, then the file of the end was damaged on this host (a loss of power): no sync
    tool sends it again by itself, so the signal is offered once more, when the damage has lasted."""
    made, entry = sent()
    wall, identity = NOW.wall, entry.signal_id
    answered = made.state.outbox.put(replace(entry, answered_at=wall))

    def due(after: float, since: dict[SignalId, float]) -> list[bytes]:
        found = publications(answered, GRID, nothing, wall + after, 3.0, {identity: wall}, since)
        return [publication.raw for publication in found]

    seen = since_when({}, [identity], wall + 60)
    assert due(62, seen) == []
    assert due(64, since_when(seen, [identity], wall + 64)) == [entry.raw]
    assert since_when(seen, [], wall + 64) == {}
    assert due(64, {}) == []


def test_republishing_goes_on_past_expiry() -> None:
    """Only the executor ends a signal: long after its expiry the bytes are still offered (I2)."""
    made, _ = sent()
    assert len(publications(made.state.outbox, GRID, nothing, NOW.wall + 86_400, 3.0, {})) == 1


def test_settled_entries_are_kept_for_late_revisions_but_not_for_ever() -> None:
    """Open entries always stay; settled ones go beyond the limit, oldest first."""
    _, entry = sent()
    done = replace(entry, intention=replace(entry.intention, settled=True))
    outbox = Outbox((entry,))
    for number in range(KEPT_SETTLED + 5):
        outbox = outbox.added(replace(done, signal_id=SignalId(f"s{number}")))
    outbox = outbox.added(replace(done, signal_id=SignalId("last")))
    assert outbox.get(entry.signal_id) is entry
    assert outbox.get(SignalId("s0")) is None and outbox.get(SignalId("s9")) is not None


def test_an_entry_survives_the_state_file() -> None:
    """To JSON and back: every byte and every number."""
    _, entry = sent()
    assert entry_from_json(entry_to_json(entry)) == entry


@settings(max_examples=20)
@given(st.text("0123456789abcdef", min_size=4, max_size=20), st.integers(0, 2**32 - 5000))
def test_ids_of_one_epoch_never_repeat(epoch: str, start: int) -> None:
    """The digits are a permutation of the counter: as many ids as counters."""
    digits = {permuted_digits(counter, Epoch(epoch)) for counter in range(start, start + 1000)}
    assert len(digits) == 1000


def test_ids_read_as_the_contract_says_and_skip_those_the_folder_knows() -> None:
    """Layer for the first strategy, its name for others; a known id is passed over."""
    epoch = Epoch("e")
    code = Code("159201.SZ")
    first = signal_id("BUY", code, 1, 7, epoch, GRID)
    assert first == f"BUY_159201.SZ_L1_{permuted_digits(7, epoch)}"
    mine = signal_id("SELL", code, 3, 7, epoch, StrategyName("myscript"))
    assert mine == f"SELL_159201.SZ_myscript_{permuted_digits(7, epoch)}"
    longest = signal_id("SELL", code, 3, 7, epoch, StrategyName("s" * 64))
    assert len(longest) <= 64
    taken = {signal_id("BUY", code, 1, counter, epoch, GRID) for counter in (7, 8)}
    assert next_free(lambda c: signal_id("BUY", code, 1, c, epoch, GRID), 7, taken.__contains__) == 9


def test_a_layer_with_a_sell_in_flight_opens_nothing_that_may_come_back() -> None:
    """A sell of layer 3 closes layers 1 to 3 for buys; a buy closes its own layer only."""
    _, entry = sent()
    sell = replace(entry, direction="SELL", layer=3, intention=Intention("sell", 100, 1.0))
    assert [Outbox((sell,)).layer_closed(layer) for layer in (1, 3, 4)] == [True, True, False]
    assert [Outbox((entry,)).layer_closed(layer) for layer in (1, 2)] == [True, False]
