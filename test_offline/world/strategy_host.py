"""The strategy's host: the real engine over a simulated disk, with the grid or with a script's wishes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mac_side.books import Intention
from mac_side.engine import Engine, Place
from mac_side.engine_core import EngineCore
from mac_side.engine_events import EngineCommand, EngineEvent, Tick
from mac_side.engine_memory import EngineConfig
from mac_side.engine_signals import Terms, Wish
from mac_side.market_view import TradingMinutes
from mac_side.strategy.grid_step import Buy, Sell
from mac_side.strategy.lots import Lot as GridLot
from mac_side.strategy.presets import preset
from shared_schema.bars_file import Bar
from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.ids import InstanceId, StrategyName
from shared_schema.trading_calendar import load_calendar
from test_offline.world.counter import CODE
from test_offline.world.executor_host import ACCOUNT, HEARTBEAT
from test_offline.world.host import RUNTIME, Host, NoWatch, TraceLog
from test_offline.world.plan import Step
from test_offline.world.sync import ROOT

CALENDAR = load_calendar()
WRITER = "dashboard@mac"
GRID = StrategyName("grid")
PATIENCE = 15.0
"""Seconds a wish waits for the strategy to be allowed to act."""
VIEW_INTERVAL = 4.0
"""Seconds between two views: nobody looks at them here, they are made to see that they can be."""
MINUTES = TradingMinutes(CALENDAR)
"""Counts the days since 2000 once, not at every start."""


@dataclass(eq=False)
class StrategyHost(Host):
    """One dashboard's engine."""

    writer: str = WRITER
    wake_after = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.engine: Engine | None = None
        self.wishes: list[Step] = list(self.world.plan.script)
        self.watched = frozenset(
            {ROOT, *(f"{ROOT}/{name}" for name in ("control", "heartbeat", "order_results"))}
        )
        self.disk.make_folder(Path(RUNTIME) / "commands")

    def begin(self) -> None:
        world, plan = self.world, self.world.plan
        folder = DropFolder(Path(ROOT), self.disk, self.name_part, rest=lambda seconds: None)
        folder.prepare()
        place = Place(
            folder=folder,
            runtime_dir=Path(RUNTIME),
            view=Path(RUNTIME) / "view.json",
            commands=Path(RUNTIME) / "commands",
            strategy=GRID,
            writer=self.writer,
            offline=False,
            in_folder=False,
            alias=ACCOUNT,
            pinned=None,
            republish_after=plan.republish_after,
            heartbeat_interval=HEARTBEAT * plan.pace,
        )
        config = EngineConfig(
            code=CODE,
            parameters=preset("159201"),
            instance=InstanceId("dash-1"),
            calendar=CALENDAR,
            decide_on="tick",
            red_after=plan.red_after,
            terms=Terms(plan.expires, plan.cancel_after),
        )
        make = self._grid if plan.strategy == "grid" else self._scripted
        self.engine = Engine(
            place,
            config,
            TraceLog(world, self.side),
            NoWatch(self),  # type: ignore[arg-type]
            self.clock.wall,
            make_core=make,
            show=lambda path, view: None,
            random_part=self.random_part,
            view_interval=VIEW_INTERVAL * plan.pace,
        )

    def _grid(self, *given: object) -> EngineCore:
        core = EngineCore(*given)  # type: ignore[arg-type]
        core.minutes = MINUTES
        return core

    def _scripted(self, *given: object) -> EngineCore:
        core = ScriptedCore(*given)  # type: ignore[arg-type]
        core.host, core.minutes = self, MINUTES
        return core

    def turn(self) -> None:
        if self.engine is not None and not self.engine.attempt():
            self.world.say(self.side, "folder failed")

    def gone(self) -> None:
        self.engine = None

    def poll_interval(self) -> float:
        return 2.0 * self.world.pace

    @property
    def core(self) -> EngineCore | None:
        """The engine's core, where it has begun."""
        return self.engine.core if self.engine is not None else None


class ScriptedCore(EngineCore):
    """The engine's core with its decisions taken from a script; everything else is the product's."""

    host: StrategyHost

    def handle(self, event: EngineEvent, now: Moment) -> list[EngineCommand]:
        if isinstance(event, Tick):
            self._play(now)
        return super().handle(event, now)

    def _bars_hold(self) -> None:
        return None

    def _walk_bars(self, bars: tuple[Bar, ...], now: Moment) -> None:
        return None

    def _play(self, now: Moment) -> None:
        wishes, time = self.host.wishes, self.host.world.timeline
        while wishes and time.start + wishes[0].at <= time.now:
            wish = wishes[0]
            if wish.kind != "cancel" and self._is_held(now):
                if time.now - time.start - wish.at > PATIENCE:
                    wishes.pop(0)
                    continue
                return
            wishes.pop(0)
            self._wish(wish, now)

    def _is_held(self, now: Moment) -> bool:
        if self.quote is None or self._hold(now) is not None:
            return True
        return self._price_hold(self.quote.quote.price, now) is not None

    def _wish(self, wish: Step, now: Moment) -> None:
        price = round((self.quote.quote.price if self.quote else 1.05) + wish.ticks / 1000, 3)
        books, outbox = self.state.books, self.state.outbox
        if wish.kind == "cancel":
            orders = [entry for entry in outbox.open_orders]
            if orders:
                self._cancel(orders[wish.shares % len(orders)].signal_id, now)
        elif wish.kind == "sell":
            places = [p for p, lot in enumerate(books.lots) if not outbox.lot_closed(lot.client_order_id)]
            if not places or outbox.layer_closed(len(books.lots)):
                return
            place = places[wish.shares % len(places)]
            lot = books.lots[place]
            if self.may_sell(now) >= lot.shares:
                taken = GridLot(lot.shares, lot.cost, lot.buy_price, lot.client_order_id)
                self._send_sell(Sell((place,), (taken,), price, "lot_profit"), now.market, now)
        elif wish.kind == "top_up":
            for waiting in books.top_ups[:1]:
                self._send_top_up(waiting, min(price, waiting.price), now)
        elif wish.kind == "wrong":
            shares, at = WRONG[wish.shares % len(WRONG)]
            self._send_one("BUY", shares, at or price, now)
        elif not outbox.layer_closed(len(books.lots) + 1):
            self._send_buy(Buy(len(books.lots), wish.shares * 100, price), now)

    def _send_one(self, direction: str, shares: int, price: float, now: Moment) -> None:
        wish = Wish(direction, CODE, 50, shares, price, "wrong")  # type: ignore[arg-type]
        self._send(wish, lambda _: (self.state.books, Intention("order", shares, price)), now)


WRONG = (
    (1_000_000, 0.0), (150, 0.0), (1000, 1.0505), (1000, 99.0), (1000, 1.5), (1000, 0.5), (90_000, 1.05),
)  # fmt: skip
"""Too many shares, no whole lot, off tick, ten times off, beyond either limit, too much money."""
