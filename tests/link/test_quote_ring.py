"""Rule 11: over a sync tool that starves what is overwritten often, the ring brings the newest quote."""

from __future__ import annotations

from pathlib import Path

from mac_side.engine_files import EngineFiles
from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import QUOTE, ring_name
from shared_schema.logs import Log
from shared_schema.messages import encode
from tests.mac_side.world import at, envelope, quote
from windows_side.quote_files import QuoteFiles

NOW = Moment(at("10:00:30"), at("10:00:30"))


def raw(seq: int, epoch: str = "e1") -> bytes:
    """A quote file."""
    return encode(envelope(NOW, seq, epoch=epoch), quote(NOW, 1.0 + seq / 1000, seq).received.body)


def seqs(files: QuoteFiles) -> list[int]:
    """The numbers of the fresh quotes."""
    return [received.envelope.seq for received in files.fresh() if received.envelope is not None]


def folder(tmp_path: Path) -> DropFolder:
    """An exchange folder."""
    found = DropFolder(tmp_path)
    found.prepare()
    return found


def test_the_executor_takes_the_newest_of_file_and_ring(tmp_path: Path) -> None:
    """The main name starves at 1 while the ring brings 2, 3 and 4, in any order of arrival."""
    place = folder(tmp_path)
    files = QuoteFiles(place, Log("test", []), ring=True)
    place.publish(QUOTE, raw(1))
    place.publish(ring_name(3), raw(3))
    place.publish(ring_name(2), raw(2))
    assert seqs(files) == [1, 2, 3]
    place.publish(ring_name(4), raw(4))
    place.publish(QUOTE, raw(2))
    assert seqs(files) == [4]
    assert seqs(files) == []


def test_an_old_ring_file_that_comes_late_is_no_news(tmp_path: Path) -> None:
    """A zombie of the ring never replaces a newer price."""
    place = folder(tmp_path)
    files = QuoteFiles(place, Log("test", []), ring=True)
    place.publish(ring_name(7), raw(15))
    assert seqs(files) == [15]
    place.publish(ring_name(6), raw(6))
    place.publish(QUOTE, raw(14))
    assert seqs(files) == []


def test_a_producer_started_again_is_newer_whatever_its_number(tmp_path: Path) -> None:
    """A new epoch is no regression."""
    place = folder(tmp_path)
    files = QuoteFiles(place, Log("test", []), ring=True)
    place.publish(QUOTE, raw(500))
    assert seqs(files) == [500]
    place.publish(ring_name(1), raw(1, "e2"))
    assert seqs(files) == [1]


def test_half_a_ring_file_is_read_when_it_is_whole(tmp_path: Path) -> None:
    """It does not parse, so it is tried again."""
    place = folder(tmp_path)
    files = QuoteFiles(place, Log("test", []), ring=True)
    place.publish(ring_name(1), raw(1)[:200])
    assert seqs(files) == []
    place.publish(ring_name(1), raw(1))
    assert seqs(files) == [1]


def test_without_a_ring_only_the_one_name_is_looked_at(tmp_path: Path) -> None:
    """Where the table says ring 0 nine looks a turn would buy nothing."""
    place = folder(tmp_path)
    files = QuoteFiles(place, Log("test", []), ring=False)
    place.publish(ring_name(1), raw(5))
    assert seqs(files) == []
    place.publish(QUOTE, raw(6))
    assert seqs(files) == [6]


def test_the_engine_reads_the_ring_too(tmp_path: Path) -> None:
    """Oldest first; its core drops what is not newer."""
    place = folder(tmp_path)
    files = EngineFiles(place, tmp_path / "commands")
    place.publish(QUOTE, raw(1))
    place.publish(ring_name(3), raw(3))
    place.publish(ring_name(2), raw(2))
    found = [seen.received.envelope.seq for seen in files.quotes() if seen.received.envelope is not None]
    assert found == [1, 2, 3]
