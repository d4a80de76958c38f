"""From the core to the view: what a screen shows. Reads, decides nothing."""

from __future__ import annotations

from mac_side.books import Lot
from mac_side.bridge_client.entry import OutboxEntry
from mac_side.engine_account import FINAL_STATUSES, OUR_REMARK
from mac_side.engine_core import EngineCore
from mac_side.engine_halts import is_own
from mac_side.engine_memory import EngineConfig
from mac_side.engine_rules import QUOTE_STALE_AFTER
from mac_side.held_lots import filled, lots_held, profit_of
from mac_side.market_view import quote_of
from mac_side.strategy.parameters import TrendFactors
from mac_side.view import (
    BARS_SHOWN,
    Counts,
    GridView,
    HaltState,
    Link,
    LotView,
    OrderView,
    PositionView,
    PriceView,
    SignalView,
    View,
)
from shared_schema.clock import Moment
from shared_schema.messages import MinuteBars
from shared_schema.sessions import next_opening, state_at, trading_day_of
from shared_schema.words import say

SIGNALS_SHOWN = 200
ORDERS_SHOWN = 60


def waiting_view(config: EngineConfig, now: Moment, reason: str = "") -> View:
    """Before an executor was met: nothing is known but what is waited for, or why none can be met."""
    reason = reason or say("dashboard.no_executor")
    return View(
        wall=now.wall,
        market=now.market,
        code=config.code,
        session=state_at(now.market, config.calendar).value,
        trading_held=reason,
        waiting_for=(reason,),
        link=Link(red_after=config.red_after),
    )


def make_view(core: EngineCore, now: Moment) -> View:
    """The picture of this moment."""
    config, state = core.config, core.state
    factors = _factors(core)
    today = trading_day_of(now.market)
    todays = tuple(
        entry for entry in state.outbox.entries if entry.trading_day == today or not entry.settled
    )
    return View(
        wall=now.wall,
        market=now.market,
        mode=state.mode,
        account=state.account,
        strategy=state.strategy,
        code=config.code,
        session=state_at(now.market, config.calendar).value,
        next_opening=next_opening(now.market, config.calendar),
        trading_held=core.held.sentence if core.held else "",
        halt=_halt(core, now),
        link=_link(core, now),
        price=_price(core),
        bars=_bars(core),
        grid=_grid(core, factors, now),
        position=_position(core),
        lots=tuple(_lot(core, place, lot, factors) for place, lot in enumerate(state.books.lots)),
        signals=tuple(_signal(core, entry) for entry in todays if entry.is_order)[-SIGNALS_SHOWN:],
        orders=_orders(core),
        counts=_counts(core, todays),
        alarms=tuple(core.alarms.values()),
        events=tuple(core.events),
        waiting_for=tuple(hold.sentence for hold in core.warnings),
    )


def _factors(core: EngineCore) -> TrendFactors:
    trend = core.feed.reading.trend if core.feed.reading is not None else 0
    return core.config.parameters.trend_factors[trend]


def _halt(core: EngineCore, now: Moment) -> HaltState:
    if not core.state.halts:
        return HaltState()
    halts = core.state.halts
    # One that this host can't lift is told before its own: it holds trading whatever is typed here.
    others = [halt for halt in halts if not is_own(halt.name, core.state, core.config.writer)]
    told, unheld = (others or halts)[0], core.unheld_halts(now)
    left = [halt for halt in others if halt not in unheld]
    beat = core.link.executor(core.state.executor)
    return HaltState(
        halted=True,
        since=min(halt.since for halt in halts),
        confirmed_at=beat.body.halt_since if beat is not None else None,
        reason=told.reason,
        by=told.by,
        own=not left,
        only_here=len(unheld) == len(halts),
    )


def _link(core: EngineCore, now: Moment) -> Link:
    beat = core.link.executor(core.state.executor)
    health, producer = core.health(now), core.link.producer
    ahead = producer.offset if producer is not None else 0.0
    seen = core.seen.get("shared_quote")
    return Link(
        quote_age=core.quote.age(now, ahead) if core.quote is not None else None,
        quote_stale_after=QUOTE_STALE_AFTER,
        executor_age=beat.age(now.wall) if beat is not None else None,
        producer_age=core.link.producer.age(now.wall) if core.link.producer is not None else None,
        red_after=core.config.red_after,
        executor_instance=core.state.executor or "",
        executor_state=beat.body.state if beat is not None else "",
        executor_ready=beat.body.ready if beat is not None else False,
        sync_age=(
            max(0.0, seen.received_at + ahead - seen.written_at) if seen is not None else health.inward.travel
        ),
        sync_age_back=health.outward.travel,
        skew=health.skew.offset if health.skew is not None else None,
        skew_blind=health.skew.blind if health.skew is not None else None,
        sent_age=health.outward.age,
        lost_in=health.inward.lost,
        lost_out=health.outward.lost,
    )


def _price(core: EngineCore) -> PriceView:
    if core.snapshot is None:
        return PriceView()
    quote = quote_of(core.snapshot, core.config.code)
    if quote is None:
        return PriceView()
    return PriceView(
        price=quote.price,
        pre_close=quote.pre_close,
        open=quote.open,
        high=quote.high,
        low=quote.low,
        limit_up=quote.limit_up,
        limit_down=quote.limit_down,
        at=quote.tick_time or None,
    )


def _bars(core: EngineCore) -> MinuteBars:
    bars = core.feed.bars[-BARS_SHOWN:]
    return MinuteBars(
        time=tuple(bar.end for bar in bars),
        open=tuple(bar.open for bar in bars),
        high=tuple(bar.high for bar in bars),
        low=tuple(bar.low for bar in bars),
        close=tuple(bar.close for bar in bars),
        volume=tuple(bar.volume for bar in bars),
    )


def _target(core: EngineCore, factors: TrendFactors) -> float:
    parameters = core.config.parameters
    return 1 + parameters.sell_profit_threshold * factors.sell * parameters.sell_threshold_factor


def _grid(core: EngineCore, factors: TrendFactors, now: Moment) -> GridView:
    """The levels as the step computes them at the current price (strategy.md, One step, 1 to 3)."""
    parameters, books, reading = core.parameters_now(now), core.state.books, core.feed.reading
    price = core.quote.quote.price if core.quote is not None else 0.0
    target = _target(core, factors)
    known = GridView(
        anchor=books.anchor,
        layers=len(books.lots),
        max_layers=parameters.layers,
        take_profit=target,
        next_sells=tuple(sorted(lot.buy_price * target for lot in books.lots)),
        paused_by_hand=core.state.paused,
    )
    if reading is None or price <= 0:
        return known
    base = max(parameters.grid_step_floor, reading.atr / price * parameters.atr_grid_factor) * factors.grid
    step = (base + len(books.lots) * parameters.layer_step_bonus) * parameters.buy_step_factor
    breaker = parameters.atr_circuit_breaker_enabled
    return known.model_copy(
        update={
            "atr": reading.atr,
            "atr_mean": reading.atr_mean,
            "trend": reading.trend,
            "step": step,
            "next_buy": books.anchor * (1 - step) if books.anchor else None,
            "paused": breaker and reading.atr > parameters.atr_circuit_breaker_ratio * reading.atr_mean,
            "cooling_bars": _cooling(core),
        }
    )


def _cooling(core: EngineCore) -> int:
    parameters, books, reading = core.config.parameters, core.state.books, core.feed.reading
    if not parameters.cooling_enabled or books.flat_at is None or books.lots or reading is None:
        return 0
    short = parameters.cooling_rsi_enabled and reading.rsi < parameters.rsi_cooling_threshold
    wait = parameters.cooling_bars_short if short else parameters.cooling_bars
    passed = core.minutes.number(core.feed.bars[-1].end) - core.minutes.number(books.flat_at)
    return max(0, wait - passed)


def _position(core: EngineCore) -> PositionView:
    books, lots = core.state.books, lots_held(core.state.books, core.state.outbox)
    shares, cost = sum(lot.shares for lot in lots), sum(lot.cost for lot in lots)
    price = core.quote.quote.price if core.quote is not None else 0.0
    found = core.account.position(core.config.code) if core.account is not None else None
    return PositionView(
        fixed=books.fixed_volume,
        flow=shares,
        volume=found.volume if found is not None else None,
        can_use=found.can_use_volume if found is not None else None,
        cost=cost / shares if shares else 0.0,
        market_value=shares * price if price > 0 else None,
        floating_profit=shares * price - cost if price > 0 else None,
    )


def _lot(core: EngineCore, place: int, lot: Lot, factors: TrendFactors) -> LotView:
    return LotView(
        layer=place + 1,
        shares=lot.shares,
        cost=lot.cost / lot.shares,
        buy_price=lot.buy_price,
        target=lot.buy_price * _target(core, factors),
        pending=core.state.outbox.lot_closed(lot.client_order_id),
    )


def _signal(core: EngineCore, entry: OutboxEntry) -> SignalView:
    """Of an entry that is settled the picture stays; most of a day's are."""
    known = core.pictures.get(entry.signal_id)
    if known is not None and known[0] is entry and entry.settled:
        return known[1]
    picture = _picture(core, entry)
    if len(core.pictures) > 5 * SIGNALS_SHOWN:
        core.pictures.clear()  # those of days gone by
    core.pictures[entry.signal_id] = (entry, picture)
    return picture


def _picture(core: EngineCore, entry: OutboxEntry) -> SignalView:
    outbox = core.state.outbox
    return SignalView(
        signal_id=entry.signal_id,
        direction=entry.direction,
        code=entry.code,
        price=entry.intention.price,
        shares=entry.intention.shares,
        filled=entry.reported_shares,
        state="sent" if entry.state == "outbox" and entry.signal_id in core.sent_here else entry.state,
        sent_at=core.sent_here.get(entry.signal_id, entry.timestamp) or None,
        open=not entry.settled,
        cancelling=not entry.settled and any(other.target == entry.signal_id for other in outbox.open),
        latency=max(0.0, entry.answered_at - entry.timestamp) if entry.answered_at else None,
        message=entry.message,
    )


def _orders(core: EngineCore) -> tuple[OrderView, ...]:
    if core.account is None:
        return ()
    orders = sorted(
        core.account.account.orders, key=lambda order: (order.status in FINAL_STATUSES, -order.time)
    )
    return tuple(
        OrderView(
            order_id=order.order_id,
            direction=order.direction,
            code=order.code,
            price=order.price,
            shares=order.shares,
            filled=order.filled_shares,
            ours=order.remark.startswith(OUR_REMARK),
            open=order.status not in FINAL_STATUSES,
            status=str(order.status),
            at=order.time or None,
        )
        for order in orders[:ORDERS_SHOWN]
    )


def _counts(core: EngineCore, todays: tuple[OutboxEntry, ...]) -> Counts:
    orders = [entry for entry in todays if entry.is_order]
    turned_over = [yuan for _, yuan in map(filled, orders) if yuan]
    return Counts(
        signals=len(orders),
        fills=sum(1 for entry in orders if entry.reported_shares),
        refusals=sum(1 for e in orders if e.state in ("rejected", "expired", "refused_by_broker")),
        cancels=sum(1 for e in orders if e.state in ("cancelled", "partly_cancelled")),
        open_orders=sum(1 for entry in orders if not entry.settled),
        unknown_orders=sum(1 for entry in orders if entry.state == "unknown"),
        orders=len(orders),
        orders_limit=core.config.orders_limit,
        turnover=sum(turned_over),
        turnover_limit=core.config.turnover_limit,
        cash=core.account.account.asset.cash if core.account is not None else None,
        total_asset=core.account.account.asset.total_asset or None if core.account is not None else None,
        pool_used=core.pool.use.total if core.pool is not None else 0.0,
        pool_limit=core.pool.terms.total or None if core.pool is not None else None,
        realised_profit=sum(map(profit_of, orders)),
        fees=sum(map(core.config.parameters.fee, turned_over)),
    )
