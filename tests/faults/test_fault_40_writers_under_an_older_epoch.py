"""Fault 40: a producer or executor started again after its clock was set back writes under an older epoch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mac_side.engine_events import AccountSeen, QuoteSeen
from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import QUOTE, RING_SIZE, ring_name
from shared_schema.logs import Log
from shared_schema.messages import encode
from shared_schema.newest_stamp import NewestStamp
from tests.mac_side.world import account, at, core, envelope, moment, quote, received
from windows_side.quote_files import QuoteFiles

NOW = moment("10:00:30")
AHEAD, RIGHT = "2026-11-21T10", "2026-11-20T10"
"""Epochs are made from the clock: the first was made a day ahead, the second once it was right."""


def test_the_dashboard_takes_quotes_and_accounts_of_the_older_epoch() -> None:
    """Prices and account go on once the numbers rose; else nothing would be seen until the old date."""
    engine = core()
    engine.handle(_quote(500, AHEAD, 1.06), NOW)
    engine.handle(_account(500, AHEAD, 9_000), NOW)
    for seq in (1, 2, 3):
        engine.handle(_quote(seq, RIGHT, 1.05), NOW)
        engine.handle(_account(seq, RIGHT, 1_000), NOW)
    assert engine.quote is not None and engine.quote.quote.price == 1.05
    assert engine.account is not None and engine.account.account.positions["159201.SZ"].volume == 1_000


def test_the_executor_takes_quotes_of_the_older_epoch(tmp_path: Path) -> None:
    """The same on the other host."""
    place = DropFolder(tmp_path)
    place.prepare()
    files = QuoteFiles(place, Log("test", []))
    taken = []
    for seq, epoch in ((500, AHEAD), (1, RIGHT), (2, RIGHT), (3, RIGHT), (4, RIGHT)):
        place.publish(QUOTE, _raw(seq, epoch))
        taken += [found.envelope.seq for found in files.fresh() if found.envelope is not None]
    assert taken == [500, 3, 4]


def test_a_folder_put_back_is_no_living_producer(tmp_path: Path) -> None:
    """A quote and its ring of an older run come back together: nine rising numbers, and not one counts."""
    place = DropFolder(tmp_path)
    place.prepare()
    files = QuoteFiles(place, Log("test", []), ring=True)
    place.publish(QUOTE, _raw(1, AHEAD))
    assert len(files.fresh()) == 1
    for slot in range(RING_SIZE):
        place.publish(ring_name(slot), _raw(700 + slot, RIGHT))
    place.publish(QUOTE, _raw(750, RIGHT))
    assert files.fresh() == []


def test_the_epoch_that_was_left_is_behind_whatever_its_name() -> None:
    """Its last file coming back from the dead does not silence the living one."""
    newest = NewestStamp()
    assert newest.takes((AHEAD, 500))
    assert [newest.takes((RIGHT, seq)) for seq in (1, 2, 3)] == [False, False, True]
    assert newest.is_behind((AHEAD, 501)) and not newest.takes((AHEAD, 501))
    assert newest.takes((RIGHT, 4)) and not newest.takes((RIGHT, 4))
    assert newest.takes(("2026-11-22T10", 1)), "a later start under a right clock is news at once"


def _quote(seq: int, epoch: str, price: float) -> QuoteSeen:
    head = envelope(NOW, seq, epoch=epoch)
    return replace(quote(NOW, price), received=received(head, quote(NOW, price).received.body), name=QUOTE)


def _account(seq: int, epoch: str, volume: int) -> AccountSeen:
    head = envelope(NOW, seq, epoch=epoch)
    return AccountSeen(received(head, account(NOW, volume, volume).received.body))


def _raw(seq: int, epoch: str) -> bytes:
    now = Moment(at("10:00:30"), at("10:00:30"))
    return encode(envelope(now, seq, epoch=epoch), quote(now, 1.0).received.body)
