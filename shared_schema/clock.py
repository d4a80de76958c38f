"""Time as a port: wall and market time of one moment, and the stamps writers put on their files."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shared_schema.ids import AccountAlias, Epoch, Mode
from shared_schema.messages.record import Envelope


@dataclass(frozen=True)
class Moment:
    """One instant on the two clocks of the system, both Unix seconds.

    ``wall`` drives expiry, heartbeats, staleness, skew and orders per second;
    ``market`` drives sessions, days, ``cancel_after_seconds``, the duplicate window,
    top-ups, turnover and day counts. They differ only in replay.
    """

    wall: float
    market: float


def live_moment() -> Moment:
    """Now, on a host that replays nothing."""
    now = time.time()
    return Moment(now, now)


@dataclass
class ReplayFollower:
    """The market clock of a process that follows somebody else's replay.

    Market time stands where the newest quote put it; without a replay it is wall time.
    """

    wall_clock: Callable[[], float] = time.time
    _market: float | None = field(default=None, init=False)

    def quote_seen(self, written_at: float, market_time: float) -> None:
        """A quote file arrived: where its two times differ, it comes from a replay."""
        replayed = abs(market_time - written_at) > 1.0
        self._market = market_time if replayed else None

    @property
    def replaying(self) -> bool:
        """Whether the newest quote came from a replay."""
        return self._market is not None

    def now(self) -> Moment:
        """The moment on both clocks."""
        wall = self.wall_clock()
        return Moment(wall, self._market if self._market is not None else wall)


def random_ending() -> str:
    """What keeps two epochs of one millisecond apart."""
    return secrets.token_hex(2)


def new_epoch(wall: float, random_part: Callable[[], str] = random_ending) -> Epoch:
    """An epoch that sorts after all earlier ones: milliseconds in hex, and a random part."""
    return Epoch(f"{int(wall * 1000):012x}-{random_part()}")


def host_name() -> str:
    """This host's name, ASCII, for ``role@host``."""
    name = socket.gethostname().split(".")[0] or "host"
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name)


class Stamper:
    """Gives each file a writer publishes its envelope, with ``seq`` rising within the epoch."""

    def __init__(self, writer: str, epoch: Epoch, mode: Mode, account: AccountAlias, seq: int = 0) -> None:
        self.writer = writer
        self.epoch = epoch
        self.mode: Mode = mode
        self.account = account
        self.seq = seq

    def next(self, now: Moment, trading_day: str, account: AccountAlias | None = None) -> Envelope:
        """The envelope of the next file written."""
        self.seq += 1
        return Envelope(
            writer=self.writer,
            epoch=self.epoch,
            seq=self.seq,
            written_at=now.wall,
            market_time=now.market,
            trading_day=trading_day,
            mode=self.mode,
            account=account if account is not None else self.account,
        )
