"""Risks: an order the exchange refuses or that costs ten times too much, from a wrong rule."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_schema import words
from shared_schema.instruments import (
    Board,
    InstrumentError,
    Override,
    code_from_file_name,
    from_ticks,
    guess_code,
    instrument,
    is_on_tick,
    is_valid_quantity,
    is_within_cage,
    is_within_limits,
    parse_code,
    price_cage,
    price_limits,
    quantity_fault,
    to_ticks,
    with_override,
)
from shared_schema.instruments.codes import LISTINGS

FUND, SHARE, STAR, BEIJING = "159201.SZ", "600009.SH", "688111.SH", "920001.BJ"


@pytest.mark.parametrize("code", [FUND, SHARE, STAR, BEIJING, "000001.SH", "300750.SZ"])
def test_a_well_formed_code_passes_unchanged(code: str) -> None:
    """A code as the contract writes it is taken as it is."""
    assert parse_code(code) == code


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("159201", "159201.SZ"),
        ("600009", "600009.SH"),
        ("920001", "920001.BJ"),
        ("sh600009", "600009.SH"),
        ("600009.sh", "600009.SH"),
        ("600009.XSHG", "600009.SH"),
        ("SZSE.000001", "000001.SZ"),
        (" 159201.SZ\n", "159201.SZ"),
    ],
)
def test_a_nearly_right_code_is_refused_with_the_one_meant(wrong: str, meant: str) -> None:
    """Nothing is corrected silently; the error names what was probably meant."""
    with pytest.raises(InstrumentError) as caught:
        parse_code(wrong)
    assert meant in str(caught.value)


@pytest.mark.parametrize(
    "hostile",
    ["", "159201.sz ", "../../x", "CON", "１５９２０１.SZ", "159201.SZ\x00", "9" * 300,
     None, 159201, True, 1.5, [], b"x"],
)  # fmt: skip
def test_hostile_codes_raise_the_one_error_in_one_short_line(
    hostile: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever comes in, the answer is a clear error of ours, in both languages."""
    with pytest.raises(InstrumentError) as caught:
        parse_code(hostile)
    assert isinstance(caught.value, ValueError)
    for language in ("en", "zh"):
        monkeypatch.setattr(words, "_language", language)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 300


@given(st.text(max_size=12))
def test_no_text_but_six_digits_and_an_exchange_is_a_code(text: str) -> None:
    """Strict both ways: accepted texts have exactly nine ASCII characters of the form."""
    try:
        code = parse_code(text)
    except InstrumentError:
        return
    assert code == text and text[:6].isdigit() and text.isascii() and text[6:] in (".SH", ".SZ", ".BJ")


def test_a_bare_code_has_one_home() -> None:
    """No leading digits are listed on two boards, else a guess could pick the wrong exchange."""
    prefixes = [prefix for _, group, _ in LISTINGS for prefix in group]
    for one in prefixes:
        assert [other for other in prefixes if other.startswith(one)] == [one]
    assert guess_code("000001") == "000001.SZ"
    assert guess_code("399001") is None
    assert guess_code("６00009") is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SH600009_1min_20200102_20200410_wondertrader.csv.gz", "600009.SH"),
        ("/data/x/SZ000001_trans_20190201_20190211.csv", "000001.SZ"),
        ("C:\\data\\sh600000_1min_from_trans.csv", "600000.SH"),
        ("SH000001_day_19901219_20111206.csv", "000001.SH"),
        ("159201.SZ.csv", "159201.SZ"),
        ("SSE.600009Q_m1.csv", "600009.SH"),
        ("history_159201_1m.csv", "159201.SZ"),
        ("159201_512890.csv", None),
        ("bars_20d.csv.gz", None),
        ("minute_202001.csv", None),
        ("wash600009x1234567.csv", "600009.SH"),
        ("", None),
    ],
)
def test_the_code_in_a_file_name_is_found_or_asked_for(name: str, code: str | None) -> None:
    """One clear code is taken; none or two give None, so that the user is asked."""
    assert code_from_file_name(name) == code


@pytest.mark.parametrize(
    ("code", "board", "lot", "tick", "fraction", "step", "least"),
    [
        ("600009.SH", Board.MAIN, 100, 0.01, 0.10, 100, 100),
        ("000001.SZ", Board.MAIN, 100, 0.01, 0.10, 100, 100),
        ("300750.SZ", Board.CHINEXT, 100, 0.01, 0.20, 100, 100),
        ("688111.SH", Board.STAR, 200, 0.01, 0.20, 1, 200),
        ("920001.BJ", Board.BEIJING, 100, 0.01, 0.30, 1, 100),
        ("900901.SH", Board.B_SHARE, 100, 0.001, 0.10, 100, 100),
        ("200011.SZ", Board.B_SHARE, 100, 0.01, 0.10, 100, 100),
        ("159201.SZ", Board.FUND, 100, 0.001, 0.10, 100, 100),
        ("512890.SH", Board.FUND, 100, 0.001, 0.10, 100, 100),
        ("560001.SH", Board.FUND, 100, 0.001, 0.10, 100, 100),
        ("161725.SZ", Board.FUND, 100, 0.001, 0.10, 100, 100),
        ("588000.SH", Board.FUND, 100, 0.001, 0.20, 100, 100),
        ("159915.SZ", Board.FUND, 100, 0.001, 0.20, 100, 100),
        ("113050.SH", Board.CONVERTIBLE_BOND, 10, 0.001, 0.20, 10, 10),
    ],
)
def test_each_board_has_its_rules(
    code: str, board: Board, lot: int, tick: float, fraction: float, step: int, least: int
) -> None:
    """The table of part C: tick, lot, limit and smallest buy of every board."""
    found = instrument(code)
    assert (found.board, found.lot, found.tick_size) == (board, lot, tick)
    assert (found.limit_fraction, found.buy_step, found.min_buy) == (fraction, step, least)


@pytest.mark.parametrize("code", ["000001.SH", "399001.SZ", "159201.SH", "600009.SZ", "888888.SH"])
def test_what_no_board_lists_is_not_traded(code: str) -> None:
    """An index or a code on the wrong exchange gets no rules at all."""
    with pytest.raises(InstrumentError):
        instrument(code)


def test_selling_on_the_day_of_purchase_is_for_listed_funds_only() -> None:
    """T+1 unless the fund is named one by one; the two traded funds are T+1."""
    same_day = ("511010.SH", "511880.SH", "518880.SH", "159985.SZ", "513100.SH", "113050.SH")
    assert all(instrument(code).same_day_sell for code in same_day)
    next_day = (FUND, "512890.SH", SHARE, STAR, BEIJING, "588000.SH", "159915.SZ", "519999.SH")
    assert not any(instrument(code).same_day_sell for code in next_day)


@pytest.mark.parametrize(
    ("code", "name", "on", "fraction"),
    [
        ("600009.SH", "*ST某某", date(2026, 7, 5), 0.05),
        ("600009.SH", "*ST某某", date(2026, 7, 6), 0.10),
        ("600009.SH", "st某某", None, 0.10),
        ("600009.SH", "ST退某", date(2025, 1, 2), 0.10),
        ("300750.SZ", "ST某某", date(2020, 8, 21), 0.05),
        ("300750.SZ", "", date(2020, 8, 21), 0.10),
        ("300750.SZ", "ST某某", date(2020, 8, 24), 0.20),
        ("688111.SH", "ST某某", date(2025, 1, 2), 0.20),
        ("920001.BJ", "ST某某", date(2025, 1, 2), 0.30),
        ("159915.SZ", "", date(2020, 8, 21), 0.10),
        ("600009.SH", "N某某", None, None),
        ("300750.SZ", "C某某", None, None),
        ("159201.SZ", "C某某", None, 0.10),
        ("600009.SH", "NEW Co", None, 0.10),
        ("113050.SH", "", date(2022, 7, 29), None),
        ("113050.SH", "", date(2022, 8, 1), 0.20),
    ],
)
def test_the_limit_follows_name_and_day(
    code: str, name: str, on: date | None, fraction: float | None
) -> None:
    """ST, new listings and the reforms change the limit on their day, not before."""
    assert instrument(code, name, on).limit_fraction == fraction


@pytest.mark.parametrize(
    ("code", "pre_close", "down", "up"),
    [
        (SHARE, 10.05, 9.05, 11.06),  # 9.045 and 11.055: halves go up, to even they would give 9.04
        (SHARE, 10.45, 9.41, 11.50),  # 9.405 and 11.495
        (SHARE, 11.370000000000001, 10.23, 12.51),
        (FUND, 1.052, 0.947, 1.157),
        (FUND, 1.005, 0.905, 1.106),  # 0.9045 and 1.1055
        (STAR, 100.03, 80.02, 120.04),
        (BEIJING, 10.01, 7.01, 13.01),
        (SHARE, 0.03, 0.02, 0.04),  # 0.027 and 0.033 round to 0.03: at least one tick
        (SHARE, 0.01, 0.01, 0.02),
    ],
)
def test_limits_round_half_up_and_move_one_tick_at_least(
    code: str, pre_close: float, down: float, up: float
) -> None:
    """The exchange's own arithmetic, to the tick."""
    assert price_limits(pre_close, instrument(code)) == (down, up)


@given(st.integers(1, 3_000_00))
def test_limits_equal_decimal_arithmetic_for_every_close(cents: int) -> None:
    """No float creeps in: the same as exact decimals, halves up, on every previous close."""
    close = Decimal(cents) / 100
    cent = Decimal("0.01")
    up = max((close * Decimal("1.1")).quantize(cent, ROUND_HALF_UP), close + cent)
    down = max(min((close * Decimal("0.9")).quantize(cent, ROUND_HALF_UP), close - cent), cent)
    assert price_limits(cents / 100, instrument(SHARE)) == (float(down), float(up))


def test_bankers_rounding_would_differ() -> None:
    """The half-up rule is not decoration: to even gives another limit on some closes."""
    cent = Decimal("0.01")
    closes = [Decimal(cents) / 100 for cents in range(500, 3000)]
    wrong = [
        close
        for close in closes
        if float((close * Decimal("1.1")).quantize(cent, ROUND_HALF_EVEN))
        != price_limits(float(close), instrument(SHARE))[1]
    ]
    assert len(wrong) == len(closes) // 20


def test_without_a_limit_any_price_above_zero_passes() -> None:
    """A new listing has no upper limit, but still no price below a tick."""
    new = instrument(SHARE, "N某某")
    assert price_limits(10.0, new) == (0.01, math.inf)
    assert is_within_limits(999.0, 10.0, new)
    assert not is_within_limits(0.0, 10.0, new)


def test_limits_compare_in_ticks() -> None:
    """The limit itself passes with float noise, one tick beyond does not."""
    assert is_within_limits(12.510000000000002, 11.37, instrument(SHARE))
    assert not is_within_limits(12.52, 11.37, instrument(SHARE))
    assert is_within_limits(10.23, 11.37, instrument(SHARE))
    assert not is_within_limits(10.22, 11.37, instrument(SHARE))


@pytest.mark.parametrize("pre_close", [0.0, -1.0, math.nan, math.inf])
def test_no_limits_come_from_an_unusable_close(pre_close: float) -> None:
    """A missing previous close is an error, never a limit of zero."""
    with pytest.raises(InstrumentError):
        price_limits(pre_close, instrument(SHARE))


def test_the_terminal_wins_over_the_table() -> None:
    """Limits and tick size of the terminal are used as given, without a previous close."""
    today = Override(limit_up=11.940000000000001, limit_down=10.8, tick_size=0.005)
    told = with_override(instrument(SHARE), today)
    assert price_limits(math.nan, told) == (10.8, 11.94)
    assert is_on_tick(11.005, told.tick_size)
    assert price_limits(10.0, with_override(instrument(SHARE), Override(limit_up=10.5))) == (9.0, 10.5)
    assert with_override(instrument(SHARE), Override(max_order=5000)).max_order == 5000


def test_what_the_terminal_does_not_know_changes_nothing() -> None:
    """0, NaN and None mean "not said"."""
    silent = Override(limit_up=0.0, limit_down=math.nan, tick_size=None, max_order=0)
    assert with_override(instrument(SHARE), silent) == instrument(SHARE)


@pytest.mark.parametrize(
    "nonsense",
    [
        Override(limit_up=-1.0),
        Override(limit_down=math.inf),
        Override(tick_size=0.003),
        Override(tick_size=5.0),
        Override(limit_up=9.0, limit_down=11.0),
    ],
)
def test_nonsense_from_the_terminal_is_an_error(nonsense: Override) -> None:
    """Contradicting limits stop the code instead of choosing one of them."""
    with pytest.raises(InstrumentError):
        with_override(instrument(SHARE), nonsense)


@given(st.integers(1, 10**7), st.sampled_from([0.01, 0.001, 0.005]), st.integers(-3, 3))
def test_ticks_survive_float_noise_both_ways(ticks: int, tick_size: float, noise: int) -> None:
    """price -> ticks -> price is the identity, a few units in the last place away too."""
    price = from_ticks(ticks, tick_size)
    noisy = price
    for _ in range(abs(noise)):
        noisy = math.nextafter(noisy, math.inf if noise > 0 else 0.0)
    assert to_ticks(noisy, tick_size) == ticks
    assert is_on_tick(noisy, tick_size)
    assert from_ticks(to_ticks(noisy, tick_size), tick_size) == price


@given(st.integers(1, 10**6), st.integers(1, 9))
def test_a_price_between_two_ticks_is_off_tick(ticks: int, tenths: int) -> None:
    """A tenth of a tick is seen, at every price."""
    assert not is_on_tick((ticks * 10 + tenths) / 10_000, 0.001)


def test_ticks_of_known_prices() -> None:
    """The terminal's raw floats, and halves that go up."""
    assert to_ticks(11.370000000000001, 0.01) == 1137
    assert to_ticks(1.052, 0.001) == 1052
    assert to_ticks(10.005, 0.01) == 1001
    assert to_ticks(10.015, 0.01) == 1002
    assert to_ticks(0, 0.01) == 0
    assert from_ticks(1137, 0.01) == 11.37


@pytest.mark.parametrize("price", [math.nan, math.inf, -0.01, True, "1.05", None, 1e400])
def test_no_ticks_of_what_is_no_price(price: float) -> None:
    """NaN and friends raise in to_ticks and are simply not on a tick."""
    with pytest.raises(InstrumentError):
        to_ticks(price, 0.01)
    assert not is_on_tick(price, 0.01)
    assert not is_on_tick(0.0, 0.01)


@pytest.mark.parametrize("tick_size", [0.0, -0.01, math.nan, math.inf, 0.003, 7.0])
def test_an_unusable_tick_size_is_an_error(tick_size: float) -> None:
    """A tick that does not divide one yuan can't be a tick."""
    with pytest.raises(InstrumentError):
        to_ticks(1.0, tick_size)


BOOK = {"bid": 9.99, "ask": 10.0, "last": 10.0, "pre_close": 10.0}


def test_the_cage_of_shares() -> None:
    """2 % from the other side's best price on expensive shares, 10 ticks on cheap ones."""
    share = instrument(SHARE)
    assert price_cage("BUY", share, **BOOK) == 10.2
    assert price_cage("SELL", share, **BOOK) == 9.79
    cheap = {"bid": 2.0, "ask": 2.0, "last": 2.0, "pre_close": 2.0}
    assert price_cage("BUY", share, **cheap) == 2.1
    assert price_cage("SELL", share, **cheap) == 1.9
    assert is_within_cage("BUY", 10.200000000000001, share, **BOOK)
    assert not is_within_cage("BUY", 10.21, share, **BOOK)
    assert not is_within_cage("SELL", 9.78, share, **BOOK)


def test_the_cage_of_each_board() -> None:
    """STAR has no 10-tick floor, BSE 5 % or 0.1 yuan, funds and bonds none."""
    cheap = {"bid": 2.0, "ask": 2.0, "last": 2.0, "pre_close": 2.0}
    one = {"bid": 1.0, "ask": 1.0, "last": 1.0, "pre_close": 1.0}
    assert price_cage("BUY", instrument(STAR), **cheap) == 2.04
    assert price_cage("BUY", instrument(BEIJING), **BOOK) == 10.5
    assert price_cage("BUY", instrument(BEIJING), **one) == 1.1
    assert price_cage("BUY", instrument(FUND), **BOOK) is None
    assert price_cage("SELL", instrument("113050.SH"), **BOOK) is None
    assert price_cage("BUY", instrument(SHARE, "", date(2023, 4, 7)), **BOOK) is None
    assert is_within_cage("BUY", 99.0, instrument(FUND), **BOOK)


@pytest.mark.parametrize(
    ("empty", "buy", "sell"),
    [
        ({}, 51.0, 39.2),
        ({"ask": 0.0}, 40.8, 39.2),
        ({"bid": 0.0}, 51.0, 49.0),
        ({"ask": 0.0, "bid": 0.0}, 30.6, 29.4),
        ({"ask": 0.0, "bid": math.nan, "last": 0.0}, 20.4, 19.6),
    ],
)
def test_the_base_of_the_cage_falls_back(empty: dict[str, float], buy: float, sell: float) -> None:
    """Other side, own side, last price, previous close; an empty side (0) is passed over."""
    book = {"bid": 40.0, "ask": 50.0, "last": 30.0, "pre_close": 20.0} | empty
    assert price_cage("BUY", instrument(SHARE), **book) == buy
    assert price_cage("SELL", instrument(SHARE), **book) == sell


def test_no_cage_without_any_price() -> None:
    """An empty quote is an error, not "no cage"."""
    with pytest.raises(InstrumentError):
        price_cage("BUY", instrument(SHARE), bid=0, ask=0, last=0, pre_close=0)


@pytest.mark.parametrize(
    ("code", "takes", "refuses"),
    [
        (FUND, (100, 2200, 1_000_000), (0, -100, 1, 99, 150, 1_000_100)),
        (SHARE, (100, 200), (50, 101)),
        ("300750.SZ", (100, 300_000), (300_100, 250)),
        (STAR, (200, 201, 100_000), (100, 199, 100_001)),
        (BEIJING, (100, 101), (99,)),
        ("113050.SH", (10, 20), (5, 15)),
    ],
)
def test_buys_come_in_the_boards_steps(code: str, takes: tuple[int, ...], refuses: tuple[int, ...]) -> None:
    """C.1, buying."""
    assert all(is_valid_quantity("BUY", shares, instrument(code)) for shares in takes)
    assert not any(is_valid_quantity("BUY", shares, instrument(code)) for shares in refuses)


@pytest.mark.parametrize(
    ("code", "held", "takes", "refuses"),
    [
        (SHARE, 299, (99, 100, 199, 200, 299), (1, 101, 198, 298, 300)),
        (FUND, 300, (100, 200, 300), (50, 250, 400)),
        (STAR, 399, (200, 250, 399), (199, 100, 400)),
        (STAR, 150, (150,), (100, 149, 200)),
        (BEIJING, 150, (100, 101, 150), (50, 99)),
        (BEIJING, 60, (60,), (59, 100)),
        ("113050.SH", 25, (5, 10, 15, 20, 25), (1, 11, 24)),
    ],
)
def test_an_odd_remainder_is_sold_whole(
    code: str, held: int, takes: tuple[int, ...], refuses: tuple[int, ...]
) -> None:
    """C.1, selling: the remainder goes at once, alone or with lots, never split."""
    assert [n for n in takes if not is_valid_quantity("SELL", n, instrument(code), held)] == []
    assert [n for n in refuses if is_valid_quantity("SELL", n, instrument(code), held)] == []


def test_without_knowing_the_holding_no_odd_lot_is_sold() -> None:
    """Unknown is not "enough"."""
    assert is_valid_quantity("SELL", 200, instrument(SHARE))
    assert quantity_fault("SELL", 99, instrument(SHARE)) == "below_minimum"
    assert quantity_fault("SELL", 100, instrument(SHARE), 0) == "more_than_held"


@pytest.mark.parametrize("shares", [100.0, "100", True, None, math.nan])
def test_shares_are_whole_numbers(shares: int) -> None:
    """100.0 is no number of shares: what is not an int is refused, not converted."""
    assert quantity_fault("BUY", shares, instrument(SHARE)) == "not_whole"


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_after_any_valid_sale_the_rest_can_still_be_sold(held: int, shares: int) -> None:
    """No valid sale strands a remainder: what is left can always go in one order."""
    share = replace(instrument(SHARE), max_order=10**9)
    if is_valid_quantity("SELL", shares, share, held) and shares < held:
        assert is_valid_quantity("SELL", held - shares, share, held - shares)
