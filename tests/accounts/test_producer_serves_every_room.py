"""One producer, several accounts: one source is asked, each room has the quotes and its own account."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import QUOTE
from shared_schema.errors import SettingsError
from shared_schema.ids import AccountAlias, InstanceId
from shared_schema.logs import Log
from shared_schema.messages import MinuteBars, Quote, decode_account, decode_quote
from shared_schema.settings import load_settings
from tests.producer.world import CODE, EPOCH, WALL, BrokenDisk, Clock, Scripted, two_days
from windows_side.bridge_producer import run
from windows_side.producer import Identity, Pace, Producer
from windows_side.producer_options import parse_options
from windows_side.quotes.gate import Gate, Hold
from windows_side.quotes.port import FixedAccount, QuoteData
from windows_side.quotes.readers import Readers
from windows_side.quotes.shared_source import SharedSource
from windows_side.single_instance import hold_single_instance


def data(price: float) -> QuoteData:
    """What the terminal shows at one moment."""
    quote = Quote(price=price, pre_close=10.0, tick_time=WALL)
    return QuoteData({CODE: quote}, {CODE: MinuteBars()}, WALL)


class Rooms:
    """A producer with one room beside its folder."""

    def __init__(self, place: Path, answers: list[QuoteData | Exception | None]) -> None:
        self.clock, self.disk = Clock(), BrokenDisk()
        self.asked = Scripted(answers)
        self.source = SharedSource(self.asked)
        self.top, self.room = DropFolder(place), DropFolder(place / "accounts" / "b", self.disk)
        for folder in (self.top, self.room):
            folder.prepare()
        self.other = self._producer(self.room, "b", self.source.echo(), 50.0)
        self.first = self._producer(self.top, "main", self.source, 100.0, (self.other,))

    def _producer(
        self, folder: DropFolder, alias: str, source: object, cash: float, rooms: tuple[Producer, ...] = ()
    ) -> Producer:
        log, readers = Log("bridge_producer", []), Readers(folder, 5.0)
        identity = Identity("producer@test", InstanceId("test"), EPOCH, AccountAlias(alias))
        gate = Gate(Hold(), readers, EPOCH, log)
        return Producer(
            folder, source, FixedAccount(cash), identity, readers, gate, log, self.clock, Pace(), rooms
        )  # type: ignore[arg-type]

    def turn(self, seconds: float = 1.0) -> None:
        """One round of all, then time goes on."""
        rounds = iter((False, True))
        self.first.run(lambda _: next(rounds))
        self.clock.now += seconds

    def price(self, folder: DropFolder) -> tuple[float, bool]:
        """What the folder's quote file says: price, and whether it is complete."""
        body = decode_quote(folder.read_large(QUOTE) or b"", QUOTE).body
        return body.price, body.complete


def test_each_room_shows_the_quotes_and_its_own_account(tmp_path: Path) -> None:
    """The source is asked once for all; cash and alias of a room are its account's, never another's."""
    rooms = Rooms(tmp_path, [data(10.5)])
    rooms.turn()
    assert rooms.price(rooms.top) == rooms.price(rooms.room) == (10.5, True)
    assert rooms.asked.answers == []
    for folder, alias, cash in ((rooms.top, "main", 100.0), (rooms.room, "b", 50.0)):
        raw = folder.read_large("account_snapshot.json") or b""
        accounts = decode_account(raw, "account_snapshot.json").body.accounts
        assert list(accounts) == [alias] and accounts[AccountAlias(alias)].asset.cash == cash


def test_a_source_that_fails_is_incomplete_in_every_room(tmp_path: Path) -> None:
    """No room goes on showing as whole what the terminal no longer answers."""
    rooms = Rooms(tmp_path, [data(10.5), RuntimeError("gone")])
    rooms.first.round(), rooms.other.round()
    rooms.clock.now += 1.0
    rooms.first.round(), rooms.other.round()
    assert rooms.price(rooms.top) == rooms.price(rooms.room) == (10.5, False)


def test_a_room_that_cant_be_written_holds_up_no_other(tmp_path: Path) -> None:
    """The first account's quotes go on; once the room can be written again it shows the newest."""
    rooms = Rooms(tmp_path, [data(10.5), data(10.6), data(10.7)])
    rooms.first.round(), rooms.other.round()
    rooms.disk.broken = True
    rooms.clock.now += 1.0
    rooms.first.round(), rooms.other.round()
    assert rooms.price(rooms.top) == (10.6, True) and rooms.price(rooms.room) == (10.5, True)
    rooms.disk.broken = False
    rooms.clock.now += 10.0
    rooms.first.round(), rooms.other.round()
    assert rooms.price(rooms.top) == rooms.price(rooms.room) == (10.7, True)


def test_the_command_serves_the_rooms_of_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replay as typed: each room gets quotes and heartbeat, and a second producer of a room stays out."""
    (tmp_path / "share").mkdir()
    places = "shared_dir = 'share'\nruntime_dir = 'runtime'\nlog_dir = 'logs'\n"
    (tmp_path / "miniqmt.toml").write_text(f"{places}[accounts.b]\n", encoding="utf-8")
    settings = load_settings(environment={}, working_folder=tmp_path)
    monkeypatch.setattr("windows_side.bridge_producer.StopFlag", EndsSoon)
    options = parse_options(["--replay", str(two_days(tmp_path)), "--code", CODE, "--speed", "max"])
    own = settings.for_account("b")
    room = own.exchange_folder("producer")
    held = hold_single_instance("producer", own.runtime_dir, room)
    with pytest.raises(SettingsError):
        run(settings, options)
    held.release()
    assert run(settings, options) == 0
    assert (room / QUOTE).stat().st_size and list((room / "heartbeat").glob("producer-*.json"))


class EndsSoon:
    """Asked to stop after some rounds."""

    left = 20

    def wait(self, seconds: float) -> bool:
        """Whether it was asked by now."""
        self.left -= 1
        return self.left <= 0

    def set(self) -> None:
        """Asked now."""
        self.left = 0
