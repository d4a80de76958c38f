"""The risk: signals that must not go out, and signals that must and do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mac_side.books import Books, Lot
from mac_side.bridge_client.entry import OutboxEntry
from mac_side.engine_core import EngineCore
from mac_side.engine_events import (
    HaltsSeen,
    KeepBooks,
    PublishSignal,
    QuoteSeen,
    SaveState,
    Tick,
)
from mac_side.engine_rules import price_hold
from mac_side.settling import Sighting, check_not_rolled_back
from shared_schema.clock import Moment
from shared_schema.errors import StateError
from shared_schema.ids import Code, Epoch
from shared_schema.messages import Asset, Position, Quote, QuoteSnapshot, Received, decode_signal
from shared_schema.words import use_language
from tests.mac_side.world import CODE, EXECUTOR, account, answer, at, beats, core, moment, quote

NOW = moment("10:00:30")


@pytest.fixture(autouse=True)
def _chinese() -> None:
    use_language("zh")


def ready(now: Moment = NOW, *, lots: tuple[Lot, ...] = (), anchor: float = 1.06) -> EngineCore:
    """A core bound to its executor, with books, before its first quote."""
    made = core()
    made.state = replace(made.state, books=Books(lots=lots, anchor=anchor))
    made.handle(beats(now), now)
    made.handle(HaltsSeen({}), now)
    return made


def published(commands: list) -> list:  # type: ignore[type-arg]
    """The signals the commands publish."""
    return [command.signal_id for command in commands if isinstance(command, PublishSignal)]


def newest(made: EngineCore) -> OutboxEntry:
    """The last entry of the outbox."""
    return made.state.outbox.entries[-1]


def test_a_fall_below_the_anchor_sends_one_buy_saved_first() -> None:
    """Save comes before publish; the signal names executor, layer and expiry; its lot stands pending."""
    made = ready()
    commands = made.handle(quote(NOW, 1.052), NOW)
    kinds = [type(command) for command in commands]
    assert kinds.index(SaveState) < kinds.index(PublishSignal)
    signal = decode_signal(newest(made).raw)
    assert signal.body.signal_id.startswith("BUY_159201.SZ_L1_")
    assert (signal.body.executor, signal.body.strategy) == (EXECUTOR, "grid")
    assert signal.body.shares % 100 == 0 and signal.body.expires_at == NOW.wall + 300
    assert signal.envelope is not None and signal.envelope.seq == made.state.counter == 1
    assert made.state.books.lots[0].client_order_id == signal.body.signal_id


def test_the_same_quote_again_decides_nothing() -> None:
    """A quote whose epoch and seq were seen, and an older one, are no news."""
    made = ready()
    made.handle(quote(NOW, 1.052, seq=5), NOW)
    assert published(made.handle(quote(NOW, 1.0, seq=5), NOW)) == []
    assert published(made.handle(quote(NOW, 1.0, seq=4), NOW)) == []


def test_each_new_bar_is_decided_once_and_missed_ones_in_order() -> None:
    """Two bars arrive with one quote: both decide, oldest first; the same bars again decide nothing."""
    made = ready()
    made.handle(quote(NOW, 1.06), NOW)
    seen: list[float] = []
    decide = made._decide
    made._decide = lambda price, end, now: (seen.append(end), decide(price, end, now))[1]  # type: ignore
    later = moment("10:02:30")
    made.handle(beats(later), later)
    made.handle(quote(later, 1.06, seq=2), later)
    made.handle(quote(later, 1.06, seq=3), later)
    assert seen == [at("10:01:00"), at("10:02:00")]


@pytest.mark.parametrize(
    ("clock", "sentence"),
    [("11:45:00", "午间休市"), ("15:01:00", "已收盘"), ("14:58:00", ""), ("09:20:00", "")],
)
def test_outside_continuous_trading_nothing_is_sent(clock: str, sentence: str) -> None:
    """Lunch, night and calls hold, and say so with the next opening; not that quotes are stale."""
    now = moment(clock)
    made = ready(now)
    assert published(made.handle(quote(now, 1.04), now)) == []
    assert made.held is not None and made.held.word == "session"
    assert sentence in made.held.sentence and "开盘" in made.held.sentence


def test_stale_quotes_hold_with_the_known_sentence() -> None:
    """Older than 300 seconds: 行情已过期，暂停发单."""
    made = ready()
    made.handle(quote(NOW, 1.06), NOW)
    later = moment("10:06:00")
    made.handle(beats(later), later)
    made.handle(Tick(), later)
    assert made.held is not None and made.held.sentence == "行情已过期，暂停发单"


def test_a_replayed_quote_is_judged_by_the_wall() -> None:
    """Market time of last year, written now: fresh, whatever the tick's own time."""
    replayed = Moment(at("22:00:00"), at("10:00:30"))
    made = core()
    made.state = replace(made.state, books=Books(anchor=1.06))
    made.handle(beats(replayed), replayed)
    assert len(published(made.handle(quote(replayed, 1.052), replayed))) == 1


def test_a_red_executor_holds() -> None:
    """Its heartbeat is older than the red limit: nothing is sent."""
    made = ready()
    later = moment("10:00:40")
    assert published(made.handle(quote(later, 1.04), later)) == []
    assert made.held is not None and made.held.word == "executor_red"


@pytest.mark.parametrize("changed", [{"mode": "live"}, {"account": "other"}])
def test_an_executor_of_another_mode_or_account_gets_nothing(changed: dict[str, str]) -> None:
    """The bound instance shows another mode or account: held, said, and nothing sent (rule 10)."""
    made = ready()
    made.handle(beats(NOW, **changed), NOW)  # type: ignore[arg-type]
    assert published(made.handle(quote(NOW, 1.04), NOW)) == []
    assert made.held is not None and made.held.word == "mode_mismatch"


def test_another_instance_is_never_taken_over() -> None:
    """The bound executor is silent while another one lives: held until a person rebinds (rule 15)."""
    made = ready()
    later = moment("10:00:50")
    made.handle(beats(later, instance="executor-two"), later)
    assert published(made.handle(quote(later, 1.04), later)) == []
    assert made.state.executor == EXECUTOR
    assert made.held is not None and "rebind" in made.held.sentence


@pytest.mark.parametrize(
    "fields",
    [{"price": 0.5}, {"price": 10.6}, {"bid": (1.06,), "ask": (1.05,)}, {"status": "suspended"}],
)
def test_the_collar_trades_nothing(fields: dict[str, object]) -> None:
    """Off the limits, ten times off, crossed book, suspended: no signal."""
    made = ready()
    price = float(fields.pop("price", 1.052))  # type: ignore[arg-type]
    assert published(made.handle(quote(NOW, price, **fields), NOW)) == []  # type: ignore[arg-type]
    assert made.held is not None and made.held.word == "price"


@pytest.mark.parametrize(
    ("code", "told", "reason"),
    [
        ("000300.SH", {}, "指数不能交易"),
        ("159201.SH", {}, "159201.SH 在该交易所不可交易（"),
        ("159201.SZ", {"limit_up": 0.9, "limit_down": 1.1}, "limit_down"),
        ("159201.SZ", {"limit_up": 1.05}, "超出当日涨跌停"),
    ],
)
def test_a_price_is_called_beyond_the_limits_only_where_it_is(
    code: str, told: dict[str, float], reason: str
) -> None:
    """A code that no board lists and limits that contradict themselves are told as such."""
    hold = price_hold(Code(code), 1.06, Quote(price=1.06, pre_close=1.06, **told), 1.06, NOW.market)
    assert hold is not None and reason in hold.sentence


def test_too_few_bars_say_how_many_are_missing() -> None:
    """30 of 80 bars: 50 are missing, and the sentence says 50."""
    made = ready()
    assert published(made.handle(quote(NOW, 1.04, bars=30), NOW)) == []
    assert made.held is not None and "50" in made.held.sentence


def test_a_layer_is_quiet_until_its_result_also_past_expiry() -> None:
    """Unsettled or unknown: the layer's lot stays pending and no second signal of it goes out."""
    made = ready()
    made.handle(quote(NOW, 1.052), NOW)
    entry = newest(made)
    later = moment("10:10:30")
    made.handle(beats(later), later)
    made.handle(answer(entry, later, 0, state="unknown"), later)
    made.handle(quote(later, 1.0525, seq=2), later)
    assert len(made.state.outbox.open) == 1 and len(made.state.books.lots) == 1
    assert any(key.startswith("unknown") for key in made.alarms)


def test_sells_are_bounded_by_what_may_be_sold() -> None:
    """T+1: of two lots in profit only the one that fits is sold; the fixed volume is never touched."""
    lots = (Lot(1000, 1040.0, 1.04, "a"), Lot(1000, 1041.0, 1.041, "b"))
    made = ready(lots=lots, anchor=1.041)
    made.state = replace(made.state, books=replace(made.state.books, fixed_volume=3000))
    made.handle(account(NOW, 5000, 1500), NOW)
    made.handle(quote(NOW, 1.06), NOW)
    assert (newest(made).direction, newest(made).intention.shares) == ("SELL", 1000)
    assert decode_signal(newest(made).raw).body.release_client_order_ids == ("a",)
    assert made.may_sell(NOW) == 500


def test_nothing_is_sold_while_nobody_says_what_is_held() -> None:
    """No snapshot of our mode: no sell."""
    made = ready(lots=(Lot(1000, 1040.0, 1.04, "a"),), anchor=1.04)
    assert published(made.handle(quote(NOW, 1.06), NOW)) == []


def test_lots_sold_at_one_moment_are_one_signal() -> None:
    """Two lots in profit: one SELL of both, named after the layers held before it."""
    lots = (Lot(1000, 1040.0, 1.04, "a"), Lot(1200, 1249.2, 1.041, "b"))
    made = ready(lots=lots, anchor=1.041)
    made.handle(account(NOW, 9000, 9000), NOW)
    sent = published(made.handle(quote(NOW, 1.06), NOW))
    assert len(sent) == 1 and sent[0].startswith("SELL_159201.SZ_L2_")
    assert newest(made).intention.shares == 2200


@pytest.mark.parametrize(
    ("digest", "mode", "applied"), [("", "simulate", True), ("f" * 64, "simulate", False)]
)
def test_only_a_result_of_this_very_signal_is_applied(digest: str, mode: str, applied: bool) -> None:
    """Another digest (yesterday's id, a clone) changes nothing and raises an alarm (fault 78)."""
    made = ready()
    made.handle(quote(NOW, 1.052), NOW)
    entry = newest(made)
    made.handle(answer(entry, NOW, entry.intention.shares, digest=digest), NOW)
    assert newest(made).settled is applied
    assert bool(made.alarms) is not applied


def test_a_result_twice_or_older_changes_nothing_more() -> None:
    """Duplicates and lower revisions after the terminal one: no save, same books."""
    made = ready()
    made.handle(quote(NOW, 1.052), NOW)
    entry = newest(made)
    first = made.handle(answer(entry, NOW, 1000, revision=7), NOW)
    books = made.state.books
    again = made.handle(answer(entry, NOW, 1000, revision=7), NOW)
    older = made.handle(answer(entry, NOW, 500, revision=6, state="partly_filled"), NOW)
    assert any(isinstance(command, SaveState) for command in first)
    assert not any(isinstance(command, SaveState) for command in again + older)
    assert made.state.books == books


def _zero_twice(made: EngineCore, first: str, second: str) -> list:  # type: ignore[type-arg]
    commands = []
    for seq, clock in enumerate((first, second), start=1):
        now = moment(clock)
        made.handle(beats(now), now)
        commands += made.handle(account(now, 0, 0, seq=seq), now)
    return commands


def test_a_zero_account_clears_the_books_after_two_snapshots_and_keeps_a_copy() -> None:
    """30 s apart, long after the last fill, nothing open: cleared, a copy kept, an alarm."""
    made = ready(lots=(Lot(1000, 1050.0, 1.05, "a"),))
    commands = _zero_twice(made, "10:05:00", "10:05:31")
    assert made.state.books.lots == () and "cleared" in made.alarms
    kinds = [type(command) for command in commands]
    assert kinds.index(KeepBooks) < kinds.index(SaveState)


@pytest.mark.parametrize(
    ("first", "second", "fields"),
    [
        ("10:05:00", "10:05:29", {}),
        ("10:05:00", "10:05:31", {"complete": False}),
        ("10:05:00", "10:05:31", {"asset": Asset(market_value=1050.0), "positions": {}}),
    ],
)
def test_less_proof_clears_nothing(first: str, second: str, fields: dict[str, object]) -> None:
    """Too close together, an incomplete list, or an empty one beside shares worth money: the lots stay."""
    made = ready(lots=(Lot(1000, 1050.0, 1.05, "a"),))
    for seq, clock in enumerate((first, second), start=1):
        now = moment(clock)
        made.handle(account(now, 0, 0, seq=seq, **fields), now)
    assert len(made.state.books.lots) == 1


def test_an_open_signal_or_a_recent_fill_clears_nothing() -> None:
    """A zero account while a buy is in flight, or within 60 s of its fill, proves nothing."""
    made = ready()
    made.handle(quote(NOW, 1.052), NOW)
    entry = newest(made)
    _zero_twice(made, "10:01:00", "10:01:40")
    assert len(made.state.books.lots) == 1
    filled = moment("10:02:00")
    made.handle(answer(entry, filled, entry.intention.shares), filled)
    for seq, clock in enumerate(("10:02:20", "10:02:55"), start=3):
        made.handle(account(moment(clock), 0, 0, seq=seq), moment(clock))
    assert len(made.state.books.lots) == 1


def test_a_state_that_was_put_back_stops() -> None:
    """The folder knows a later number of this very epoch: stop and say so; another epoch is no matter."""
    made = ready()
    state = made.state
    mine = Sighting("grid", "simulate", state.account, state.epoch, state.counter + 1, "order_result_x.json")
    with pytest.raises(StateError) as stopped:
        check_not_rolled_back(state, [mine], Path("dashboard_state.json"))
    assert "order_result_x.json" in str(stopped.value)
    others = [
        replace(mine, epoch=Epoch("other")),
        replace(mine, strategy="b"),
        replace(mine, seq=state.counter),
    ]
    check_not_rolled_back(state, others, Path("dashboard_state.json"))


def test_an_offline_folder_sends_at_any_hour_from_a_seed_quote() -> None:
    """Offline phase 2: closes only, no envelope, no executor, at night: BUY L1 in the seed's format."""
    night = moment("22:15:00")
    made = core(offline=True)
    made.state = replace(made.state, books=Books(anchor=1.06))
    made.handle(beats_of_nobody(), night)
    body = QuoteSnapshot(code=CODE, price=1.052, preClose=1.06, history=(1.06,) * 80, position=Position())
    commands = made.handle(QuoteSeen(Received(None, body, b"{}"), night.wall - 86_400), night)
    assert len(published(commands)) == 1
    signal = decode_signal(newest(made).raw)
    assert signal.envelope is None and signal.body.direction == "BUY"
    assert signal.body.price == 1.052 and signal.body.shares % 100 == 0
    assert [hold.word for hold in made.warnings] == ["no_executor", "session", "stale"]
    assert published(made.handle(QuoteSeen(Received(None, body, b"{}"), night.wall), night)) == []


def beats_of_nobody():  # type: ignore[no-untyped-def]
    """No heartbeat at all."""
    from mac_side.engine_events import BeatsSeen

    return BeatsSeen(())


def test_live_books_take_no_replayed_or_seed_quotes() -> None:
    """A live dashboard beside a simulating producer: nothing is used, and it is said."""
    made = core(mode="live")
    made.handle(beats(NOW, mode="live"), NOW)
    assert published(made.handle(quote(NOW, 1.04), NOW)) == []
    assert made.snapshot is None and "quote_mode" in made.alarms


def test_a_partly_filled_buy_is_topped_up_at_or_below_its_price_only() -> None:
    """Above the price nothing; at it the rest goes out and joins the same lot."""
    made = ready()
    made.handle(quote(NOW, 1.052), NOW)
    entry = newest(made)
    made.handle(answer(entry, NOW, 1000), NOW)
    rest = entry.intention.shares - 1000
    above = moment("10:01:30")
    made.handle(beats(above), above)
    assert published(made.handle(quote(above, 1.053, seq=2), above)) == []
    below = moment("10:02:30")
    made.handle(beats(below), below)
    made.handle(quote(below, 1.052, seq=3), below)
    assert (newest(made).intention.kind, newest(made).intention.shares) == ("top_up", rest)
    made.handle(answer(newest(made), below, rest), below)
    assert [lot.shares for lot in made.state.books.lots] == [entry.intention.shares]
