"""What the producer's tests share: a clock, small tapes, failing sources and disks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shared_schema.clock import Moment, Stamper
from shared_schema.disk import LocalDisk
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER, QUOTE, heartbeat_name
from shared_schema.ids import AccountAlias, Code, Epoch, InstanceId, Mode
from shared_schema.log_lines import Line
from shared_schema.logs import Log
from shared_schema.messages import (
    Envelope,
    Heartbeat,
    MinuteBars,
    Position,
    Quote,
    QuoteSnapshot,
    Received,
    Seen,
    decode_heartbeat,
    decode_quote,
    encode,
)
from shared_schema.messages.heartbeat import Role
from shared_schema.shanghai import unix_seconds
from windows_side.producer import Identity, Pace, Producer
from windows_side.quotes.gate import Gate, Hold
from windows_side.quotes.port import AccountSource, FixedAccount, QuoteData, QuoteSource
from windows_side.quotes.readers import Readers

CODE = Code("600009.SH")
WALL = 1_800_000_000.0
EPOCH = Epoch("0000000000aa-0001")


def at(text: str) -> float:
    """Unix seconds of a Shanghai time, ISO."""
    from datetime import datetime

    return unix_seconds(datetime.fromisoformat(text))


def bars_file(folder: Path, days: Mapping[str, list[tuple[str, float, float, float, float, int]]]) -> Path:
    """A CSV of minute bars: day -> rows of (HH:MM, open, high, low, close, shares)."""
    lines = ["datetime,open,high,low,close,volume"]
    for day, rows in days.items():
        lines += [f"{day}T{clock}:00,{o},{h},{low},{c},{v}" for clock, o, h, low, c, v in rows]
    path = folder / "SH600009.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


DAY_1 = [("09:31", 10.0, 10.1, 9.9, 10.0, 1000), ("15:00", 10.0, 10.0, 10.0, 10.0, 500)]
DAY_2 = [
    ("09:31", 10.0, 10.3, 9.8, 10.2, 4300),
    ("09:32", 10.2, 10.4, 9.9, 10.0, 801),
    ("11:30", 10.0, 10.1, 10.0, 10.1, 400),
    ("13:01", 10.1, 10.1, 10.0, 10.0, 400),
    ("15:00", 10.0, 10.0, 9.9, 9.95, 700),
]


def two_days(folder: Path) -> Path:
    """A file of two short days."""
    return bars_file(folder, {"2024-01-02": DAY_1, "2024-01-03": DAY_2})


@dataclass
class Clock:
    """A wall clock that moves only when told."""

    now: float = WALL

    def __call__(self) -> float:
        return self.now


@dataclass
class Remembering:
    """A log's output that keeps its lines."""

    lines: list[Line] = field(default_factory=list)

    def write(self, line: Line) -> None:
        self.lines.append(line)

    def close(self) -> None:
        self.lines.append(self.lines[-1])

    @property
    def actions(self) -> list[str]:
        return [line.action for line in self.lines]


class BrokenDisk(LocalDisk):
    """A disk whose folder can go away."""

    broken = False

    def create(self, path: Path, data: bytes) -> None:
        if self.broken:
            raise OSError(30, "Read-only file system")
        super().create(path, data)


class Scripted:
    """A live source: each poll takes the next of ``answers`` (an exception is raised)."""

    mode: Mode = "live"
    codes: tuple[Code, ...] = (CODE,)

    def __init__(self, answers: list[QuoteData | Exception | None]) -> None:
        self.answers = answers
        self.stopped = False

    def start(self) -> None:
        self.stopped = False

    def poll(self, now: float) -> QuoteData | None:
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def next_due(self, now: float) -> float | None:
        return None

    def market_now(self) -> float | None:
        return None

    def stop(self) -> None:
        self.stopped = True


def quote_data(price: float, tick_time: float) -> QuoteData:
    """One quote of CODE."""
    quote = Quote(price=price, pre_close=10.0, tick_time=tick_time)
    bars = MinuteBars(time=(1.0,), open=(9.0,), high=(9.0,), low=(9.0,), close=(9.0,), volume=(100.0,))
    return QuoteData({CODE: quote}, {CODE: bars}, tick_time)


class World:
    """One producer over a folder of its own."""

    def __init__(
        self,
        path: Path,
        source: QuoteSource,
        *,
        hold: Hold | None = None,
        account: AccountSource | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.clock = Clock()
        self.disk = BrokenDisk()
        path.mkdir(exist_ok=True)
        self.folder = DropFolder(path, self.disk)
        self.folder.prepare()
        self.source = source
        self.told = Remembering()
        log = Log("bridge_producer", [self.told], least="debug", clock=self.clock)
        identity = Identity("producer@host", InstanceId("host"), EPOCH, AccountAlias("main"))
        readers = Readers(self.folder, 5.0)
        held = Position(volume=2000, can_use_volume=2000, open_price=9.5)
        self.producer = Producer(
            self.folder,
            source,
            account or FixedAccount(1000.0, {CODE: held}),
            identity,
            readers,
            Gate(hold or Hold(), readers, EPOCH, log),
            log,
            self.clock,
            pace,
        )

    def quote(self) -> Received[QuoteSnapshot]:
        """The quote file as a reader finds it."""
        raw = self.folder.read_large(QUOTE)
        assert raw is not None
        return decode_quote(raw)

    def heartbeat(self) -> Received[Heartbeat]:
        """The producer's heartbeat."""
        raw = self.folder.read(f"{HEARTBEAT_FOLDER}/{heartbeat_name('producer', InstanceId('host'))}")
        assert raw is not None
        return decode_heartbeat(raw)

    def each_quote(self, rounds: int = 10_000) -> list[Received[QuoteSnapshot]]:
        """Run as fast as possible until the replay ends; every quote file that was published."""
        found: list[Received[QuoteSnapshot]] = []
        for _ in range(rounds):
            wait = self.producer.round()
            received = self.quote()
            if not found or received.raw != found[-1].raw:
                found.append(received)
            if self.producer.state == "finished":
                return found
            self.clock.now += wait
        raise AssertionError("the replay did not end")

    def beat(
        self,
        role: Role,
        *,
        seen_seq: int | None = None,
        ready: bool = True,
        seq: int = 1,
        instance: str = "other",
    ) -> None:
        """The heartbeat of a reader, written now."""
        seen = {}
        if seen_seq is not None:
            seen["shared_quote"] = Seen(epoch=EPOCH, seq=seen_seq, received_at=self.clock.now)
        body = Heartbeat(role=role, instance=InstanceId(instance), ready=ready, seen=seen)
        stamps = Stamper(f"{role}@host", Epoch("e"), "simulate", AccountAlias("main"), seq)
        envelope: Envelope = stamps.next(Moment(self.clock.now, self.clock.now), "2026-01-01")
        self.folder.publish(f"{HEARTBEAT_FOLDER}/{role}-{instance}.json", encode(envelope, body))
