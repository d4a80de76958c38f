"""A small world for the tests of this room: a clock, quotes, heartbeats and results."""

from __future__ import annotations

from datetime import datetime

from mac_side.bridge_client.entry import OutboxEntry
from mac_side.bridge_client.link import Beat
from mac_side.engine_core import EngineCore
from mac_side.engine_events import AccountSeen, BeatsSeen, QuoteSeen, ResultSeen
from mac_side.engine_memory import EngineConfig
from mac_side.market_view import LEAST_BARS
from mac_side.state_file import DashboardState, new_state
from mac_side.strategy.presets import preset
from shared_schema.clock import Moment
from shared_schema.ids import AccountAlias, Code, Epoch, InstanceId, Mode, StrategyName
from shared_schema.messages import (
    Account,
    AccountSnapshot,
    Envelope,
    Heartbeat,
    MinuteBars,
    OrderResult,
    Position,
    Quote,
    QuoteSnapshot,
    Received,
    encode,
)
from shared_schema.sessions import SHANGHAI, trading_day_of
from shared_schema.trading_calendar import load_calendar

CODE = Code("159201.SZ")
EXECUTOR = InstanceId("executor-one")


def at(clock: str, day: str = "2026-11-20") -> float:
    """Unix seconds of a clock time in Shanghai; the day is a Friday that trades."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=SHANGHAI).timestamp()


def moment(clock: str) -> Moment:
    """A live moment."""
    return Moment(at(clock), at(clock))


def envelope(
    now: Moment, seq: int, *, mode: Mode = "simulate", account: str = "main", epoch: str = "e1"
) -> Envelope:
    """An envelope of the other side."""
    return Envelope(
        writer="other@windows",
        epoch=Epoch(epoch),
        seq=seq,
        written_at=now.wall,
        market_time=now.market,
        trading_day=trading_day_of(now.market),
        mode=mode,
        account=AccountAlias(account),
    )


def received(head: Envelope | None, body):  # type: ignore[no-untyped-def]
    """A file as decoded."""
    raw = encode(head, body) if head is not None else b"{}"
    return Received(head, body, raw)


def core(
    *, offline: bool = False, mode: Mode = "simulate", state: DashboardState | None = None
) -> EngineCore:
    """An engine's core with the released strategy of 159201."""
    config = EngineConfig(
        CODE, preset("159201"), InstanceId("dash"), load_calendar(), offline=offline, red_after=5.0
    )
    fresh = new_state(
        moment("09:30:00"), mode, AccountAlias("main"), StrategyName("grid"), "dashboard@mac"
    )
    return EngineCore(config, state or fresh)


def beats(now: Moment, *, mode: Mode = "simulate", account: str = "main", **fields: object) -> BeatsSeen:
    """The executor's heartbeat, written and received now."""
    body = Heartbeat.model_validate(
        {"role": "executor", "instance": EXECUTOR, "ready": True, "state": "running", **fields}
    )
    return BeatsSeen((Beat(body, envelope(now, 1, mode=mode, account=account), now.wall),))


def quote(now: Moment, price: float, seq: int = 1, *, bars: int = LEAST_BARS, **fields: object) -> QuoteSeen:
    """A quote with ``bars`` minute bars that end at the last whole minute; the last closes at ``price``."""
    last = now.market // 60 * 60
    closes = [1.06] * (bars - 1) + [price]
    times = [last - 60 * (bars - 1 - place) for place in range(bars)]
    columns = MinuteBars(
        time=tuple(times),
        open=tuple(closes),
        high=tuple(close + 0.001 for close in closes),
        low=tuple(close - 0.001 for close in closes),
        close=tuple(closes),
        volume=(1e6,) * bars,
    )
    known = Quote.model_validate(
        {"price": price, "pre_close": 1.06, "tick_time": now.market, "status": "trading", **fields}
    )
    body = QuoteSnapshot(code=CODE, price=price, quotes={CODE: known}, bars={CODE: columns})
    return QuoteSeen(received(envelope(now, seq), body), now.wall)


def account(
    now: Moment, volume: int, can_use: int, seq: int = 1, *, mode: Mode = "simulate", **fields: object
) -> AccountSeen:
    """A snapshot of the account that holds ``volume`` shares."""
    position = Position(volume=volume, can_use_volume=can_use)
    known = Account.model_validate({"positions": {CODE: position}, **fields})
    body = AccountSnapshot(accounts={AccountAlias("main"): known})
    return AccountSeen(received(envelope(now, seq, mode=mode), body))


def answer(
    entry: OutboxEntry,
    now: Moment,
    filled: int,
    *,
    revision: int = 5,
    state: str = "",
    digest: str = "",
    order_id: str = "",
) -> ResultSeen:
    """The executor's result of ``entry``; terminal unless ``state`` says otherwise."""
    shares = entry.intention.shares
    word = state or ("filled" if filled == shares else "partly_cancelled" if filled else "cancelled")
    ended = word not in ("received", "accepted", "submitted", "partly_filled", "unknown")
    body = OrderResult.model_validate(
        {
            "signal_id": entry.signal_id,
            "status": ("success" if filled else "failed") if ended else "pending",
            "timestamp": now.wall,
            "direction": entry.direction,
            "requested_shares": shares,
            "filled_shares": filled,
            "state": word,
            "signal_digest": digest or entry.digest,
            "revision": revision,
            "order_id": order_id,
        }
    )
    return ResultSeen(received(envelope(now, revision), body))
