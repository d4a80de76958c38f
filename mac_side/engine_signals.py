"""Making signals: numbers, ids, bytes. The books change and the entry is queued in one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import orjson

from mac_side.books import Books, Intention
from mac_side.bridge_client.entry import OutboxEntry, entry_of
from mac_side.bridge_client.signal_ids import next_free, signal_id
from mac_side.state_file import DashboardState
from shared_schema.clock import Moment
from shared_schema.ids import Code, Direction, SignalId
from shared_schema.integrity import Key
from shared_schema.messages import OrderSignal
from shared_schema.messages.record import Envelope, encode, signed_again
from shared_schema.messages.signal import SEED_FIELDS
from shared_schema.sessions import trading_day_of


@dataclass(frozen=True)
class Terms:
    """How long signals of this host live, seconds."""

    expires: float = 300.0
    """Wall time until the submit may start."""
    cancel_after: float = 120.0
    """Trading time until an unfilled order is taken back."""


@dataclass(frozen=True)
class Wish:
    """A signal about to be made; ``layer`` from 1, price in yuan."""

    direction: Direction
    code: Code
    layer: int
    shares: int
    price: float
    reason: str
    release: tuple[str, ...] = ()
    target: SignalId | None = None
    client: str = ""
    """The lot a buy belongs to; "" for one of its own."""
    keeps_lots: bool = True
    """False for a script's order: its buys then run without a name, and its sells free them oldest first."""


def next_id(
    state: DashboardState, wish: Wish, is_taken: Callable[[SignalId], bool]
) -> tuple[int, SignalId]:
    """The next number and id of this state that the folder does not know."""

    def make(counter: int) -> SignalId:
        return signal_id(wish.direction, wish.code, wish.layer, counter, state.epoch, state.strategy)

    counter = next_free(make, state.counter + 1, is_taken)
    return counter, make(counter)


def with_signal(
    state: DashboardState,
    wish: Wish,
    counter: int,
    identity: SignalId,
    books: Books,
    intention: Intention,
    terms: Terms,
    now: Moment,
    key: Key | None = None,
) -> tuple[DashboardState, OutboxEntry]:
    """``state`` with ``books`` and the signal in its outbox: saved together, or not at all."""
    raw = _bytes(state, wish, counter, identity, terms, now, key)
    entry = entry_of(raw, intention, wish.layer, counter, trading_day_of(now.market))
    changed = replace(state, books=books, counter=counter, outbox=state.outbox.added(entry))
    return changed, entry


def outbox_signed_again(state: DashboardState, key: Key | None) -> DashboardState:
    """``state`` with its open signals under the key in force, so that one made before it is answered too."""
    entries = tuple(
        replace(entry, raw=signed_again(entry.raw, key)) if entry.raw and not entry.settled else entry
        for entry in state.outbox.entries
    )
    return replace(state, outbox=replace(state.outbox, entries=entries))


def _bytes(
    state: DashboardState,
    wish: Wish,
    counter: int,
    identity: SignalId,
    terms: Terms,
    now: Moment,
    key: Key | None,
) -> bytes:
    signal = OrderSignal(
        signal_id=identity,
        code=wish.code,
        direction=wish.direction,
        price=wish.price,
        shares=wish.shares,
        timestamp=now.wall,
        reason=wish.reason,
        client_order_id=(wish.client or identity) if wish.keeps_lots else None,
        amount=round(wish.price * wish.shares, 4),
        layer_index=max(0, wish.layer - 1),
        release_client_order_ids=wish.release,
        action="order" if wish.target is None else "cancel",
        target_signal_id=wish.target,
        strategy=state.strategy,
        executor=state.executor,
        expires_at=now.wall + terms.expires,
        cancel_after_seconds=terms.cancel_after,
    )
    if state.executor is None:
        if wish.target is not None:
            # The seed's format has no cancel: written in it, this would be an order.
            raise ValueError("a cancel needs an executor to address")
        # Nobody to address: only in an OFFLINE folder, where the seed's format takes its reader's place.
        fields = signal.model_dump(mode="json", include=set(SEED_FIELDS), exclude_none=True)
        return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    envelope = Envelope(
        writer=state.writer,
        epoch=state.epoch,
        seq=counter,
        written_at=now.wall,
        market_time=now.market,
        trading_day=trading_day_of(now.market),
        mode=state.mode,
        account=state.account,
    )
    return encode(envelope, signal, key)
