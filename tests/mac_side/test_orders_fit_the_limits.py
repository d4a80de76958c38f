"""The risk: an order above or below what is taken is refused whole, the float-loss stop included."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mac_side.books import Books, Lot, TopUp
from mac_side.bridge_client.entry import OutboxEntry
from mac_side.engine_core import EngineCore
from mac_side.engine_events import HaltsSeen
from mac_side.order_sizes import SellLimits
from mac_side.strategy.parameters import with_settings
from shared_schema.clock import Moment
from shared_schema.ids import Code
from shared_schema.messages import decode_signal
from shared_schema.words import use_language
from tests.mac_side.world import account, answer, beats, core, moment, quote

NOW = moment("10:00:30")
LIMITS = SellLimits(shares=500_000, yuan=300_000.0)
"""As shipped."""
NINE = tuple(Lot(40_000, 40_000 * (1.0 - 0.003 * n), 1.0 - 0.003 * n, f"l{n}") for n in range(9))


@pytest.fixture(autouse=True)
def _chinese() -> None:
    use_language("zh")


def ready(lots: tuple[Lot, ...], limits: SellLimits = LIMITS, **settings: object) -> EngineCore:
    """A core with these lots, its account holding them, before its first quote."""
    made = core()
    parameters = with_settings(made.config.parameters, settings)
    made.config = replace(made.config, parameters=parameters, sell_limits=limits)
    made.feed.parameters = parameters
    made.state = replace(made.state, books=Books(lots=lots, anchor=lots[-1].buy_price))
    made.handle(beats(NOW), NOW)
    made.handle(HaltsSeen({}), NOW)
    held = sum(lot.shares for lot in lots)
    made.handle(account(NOW, held, held), NOW)
    return made


def sent(made: EngineCore) -> list[tuple[int, float, tuple[str, ...]]]:
    """Shares, yuan and lots of every sell, as they went out."""
    bodies = [decode_signal(entry.raw).body for entry in made.state.outbox.entries]
    return [(body.shares, body.notional, tuple(body.release_client_order_ids)) for body in bodies]


def test_what_is_above_the_limit_goes_as_two_sells_oldest_first() -> None:
    """Nine lots of 381,600 yuan: seven and two, both within 300,000, and nothing is left."""
    made = ready(NINE)
    made.handle(quote(NOW, 1.06), NOW)
    assert [shares for shares, _, _ in sent(made)] == [280_000, 80_000]
    assert all(yuan <= LIMITS.yuan for _, yuan, _ in sent(made))
    assert [lots for _, _, lots in sent(made)] == [tuple(f"l{n}" for n in range(7)), ("l7", "l8")]
    assert made.state.books.lots == () and made.state.books.anchor == 1.06


def test_the_limit_of_shares_holds_too() -> None:
    """Nine lots of 58,800 are above 500,000 shares at any price."""
    made = ready(tuple(Lot(58_800, 58_800.0, 1.0, f"l{n}") for n in range(9)), SellLimits(shares=500_000))
    made.handle(quote(NOW, 1.06), NOW)
    assert [shares for shares, _, _ in sent(made)] == [8 * 58_800, 58_800]


def test_the_exchanges_largest_order_holds_without_any_limit() -> None:
    """1,000,000 shares of a fund are the most in one order."""
    made = ready(tuple(Lot(600_000, 600_000.0, 1.0, f"l{n}") for n in range(2)), SellLimits())
    made.handle(quote(NOW, 1.06), NOW)
    assert [shares for shares, _, _ in sent(made)] == [600_000, 600_000]


def test_the_float_loss_stop_sells_everything_in_parts() -> None:
    """Its rest does not wait for a loss that the first part has taken away."""
    lots = tuple(Lot(40_000, 46_000.0, 1.15, f"l{n}") for n in range(9))
    made = ready(lots, enable_float_loss_stop=True)
    made.handle(quote(NOW, 1.06), NOW)
    assert [entry.reason for entry in made.state.outbox.entries] == ["max_float_loss"] * 2
    assert sum(shares for shares, _, _ in sent(made)) == 360_000 and made.state.books.lots == ()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_parts_that_are_refused_come_back_in_the_order_of_age(order: tuple[int, int]) -> None:
    """Whichever is answered first; anchor and lots are those of before."""
    made = ready(NINE)
    before = made.state.books
    made.handle(quote(NOW, 1.06), NOW)
    later = Moment(NOW.wall + 5, NOW.market + 5)
    entries: tuple[OutboxEntry, ...] = made.state.outbox.entries
    for place in order:
        made.handle(answer(entries[place], later, 0, state="rejected"), later)
    assert made.state.books.lots == before.lots and made.state.books.anchor == before.anchor


def test_a_lot_above_the_limit_is_said_and_the_others_are_sold() -> None:
    """No signal that can only be refused: an alarm with both numbers, until the lot is due no more."""
    made = ready((Lot(400_000, 396_000.0, 0.99, "big"), Lot(1000, 990.0, 0.99, "small")))
    made.handle(quote(NOW, 1.06), NOW)
    assert [lots for _, _, lots in sent(made)] == [("small",)]
    text = made.alarms["lot_too_large"].text
    assert "400,000 股（424,000.00 元）" in text and "300,000.00 元" in text
    later = moment("10:01:30")
    made.handle(beats(later), later)
    made.handle(quote(later, 0.99, 2, pre_close=1.0), later)
    assert "lot_too_large" not in made.alarms


def falling(made: EngineCore, code: str, price: float, minutes: int = 3) -> None:
    """Minutes of quotes of ``code`` at ``price``."""
    for minute in range(minutes):
        now = Moment(NOW.wall + 60 * minute, NOW.market + 60 * minute)
        made.handle(beats(now), now)
        seen = quote(now, price, minute + 1, pre_close=price)
        body = seen.received.body
        known, bars = next(iter(body.quotes.values())), next(iter(body.bars.values()))
        flat = (price,) * len(bars.close)
        high = (price + 0.02,) * len(flat)
        bars = bars.model_copy(update={"open": flat, "high": high, "low": flat, "close": flat})
        told = {"code": code, "quotes": {code: known}, "bars": {code: bars}}
        made.handle(replace(seen, received=replace(seen.received, body=body.model_copy(update=told))), now)


def of_code(code: str, books: Books) -> EngineCore:
    """A core with the parameters of 159201 that trades ``code``."""
    made = core()
    made.config = replace(made.config, code=Code(code))
    made.state = replace(made.state, books=books)
    made.handle(beats(NOW), NOW)
    made.handle(HaltsSeen({}), NOW)
    return made


@pytest.mark.parametrize(
    ("code", "price", "needed"),
    [
        ("600519.SH", 1450.0, "145,000.00"),
        ("688111.SH", 180.0, "36,000.00"),
        ("300750.SZ", 230.0, "23,000.00"),
    ],
)
def test_a_layer_without_money_for_the_smallest_order_is_said_once(
    code: str, price: float, needed: str
) -> None:
    """Not a signal, and not a silence either: one sentence a day with both numbers."""
    made = of_code(code, Books(anchor=price * 1.05))
    falling(made, code, price)
    assert not made.state.outbox.entries
    text = made.alarms["money_too_small"].text
    assert "22,222.22 元" in text and needed in text
    assert [event.text for event in made.events].count(text) == 1


def test_a_layer_with_the_money_says_nothing() -> None:
    """The same fall of a share it can buy is bought; above the trigger there is nothing to say."""
    made = of_code("300750.SZ", Books(anchor=200.0 * 1.05))
    falling(made, "300750.SZ", 200.0)
    assert made.state.outbox.entries and "money_too_small" not in made.alarms
    made = of_code("600519.SH", Books(anchor=1450.0))
    falling(made, "600519.SH", 1450.0)
    assert "money_too_small" not in made.alarms


def test_a_top_up_below_the_smallest_order_is_dropped() -> None:
    """STAR takes 200 at least: three refusals of 100 would rest every buy for a quarter of an hour."""
    waits = TopUp(100, 71.0, NOW.market, "a")
    made = of_code("688111.SH", Books(lots=(Lot(200, 14_200.0, 71.0, "a"),), anchor=70.0, top_ups=(waits,)))
    falling(made, "688111.SH", 70.0)
    assert not made.state.outbox.entries and made.state.books.top_ups == ()
    assert "部分成交剩下的股数不够最小一笔：不补单" in [event.text for event in made.events]
