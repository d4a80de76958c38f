"""Promised values can be read on the screen at every size, whole and in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from mac_side.screen.control import PAGES
from mac_side.screen.grid import grid_panel
from mac_side.screen.layout import Shown
from mac_side.screen.link import link_panel
from mac_side.screen.look import Look
from mac_side.screen.market import market_panel
from mac_side.screen.messages import messages_panel
from mac_side.screen.notices import notices
from mac_side.screen.orders import orders_panel
from mac_side.screen.position import position_panel
from mac_side.screen.signals import signals_panel
from mac_side.view import View
from shared_schema.words import language, say, use_language
from tests.screen import sample_views as sample
from tests.screen.rendering import lines_of, screen_lines

SIZES = ((80, 24), (120, 40), (200, 60))

Promised = dict[str, str | tuple[str, str]]
"""What is promised, by name; a pair where Chinese and English differ."""

FIRST_PAGE: Promised = {
    "mode": "SIMULATE",
    "account": "main",
    "code": "159201.SZ",
    "quote age": ("820毫秒", "820ms"),
    "executor age": ("1.2秒", "1.2s"),
    "session": ("连续竞价", "continuous trading"),
    "market time": "10:31:05",
    "price": "1.023",
    "change": "+0.49%",
    "position": "341,900",
    "floating profit": "+2,837.77",
    "next buy": "1.0088",
    "next sell": "1.0225",
    "layers": "3/9",
    "step": "0.412%",
    "take profit": "+0.931%",
    "anchor": "1.0130",
    "ATR": "0.00182",
    "cost": "1.0147",
    "realised": "+142.51",
    "fees": "8.33",
    "cash": "612,345.67",
    "halt": ("未停止", "not halted"),
    "executor": "91bc",
    "open orders": ("挂单 2 ", "open 2 "),
    "unknown orders": ("未知委托 0 ", "unknown 0 "),
}
FROM_120: Promised = {
    "producer age": ("930毫秒", "930ms"),
    "sync in": ("41毫秒", "41ms"),
    "sync out": ("52毫秒", "52ms"),
    "skew": ("13毫秒", "13ms"),
    "fixed": "290,000",
    "flow": "51,900",
    "market value": "349,763.70",
    "count against limit": "5 / 200",
    "turnover": "52,911.30 / 1,000,000",
    "total": "962,109.37",
    "order number": "1082",
    "order at the broker": "0/21,700",
    "pool": "66,210.00 / 300,000",
    "pool limit": "300,000",
    "lot target": "1.0265",
    "lot distance": "+0.34%",
    "pending lot": ("3 待成", "3 pend"),
    "signal": "L3_77c0d1e2",
    "part filled": "8,400/21,900",
    "latency": ("1.2秒", "1.2s"),
    "foreign order": ("外部", "ext"),
    "marks": ("下买", " buy"),
    "event": "引擎启动，账本完整",
}


@pytest.fixture(autouse=True)
def _same_language() -> Iterator[None]:
    before = language()
    use_language("zh")
    yield
    use_language(before)


def _missing(lines: list[str], promised: Promised) -> list[str]:
    text, english = re.sub(" +", " ", "\n".join(lines)), language() == "en"
    return [
        name
        for name, value in promised.items()
        if (value if isinstance(value, str) else value[english]) not in text
    ]


@pytest.mark.parametrize("chosen", ["zh", "en"])
@pytest.mark.parametrize("size", SIZES)
def test_first_page_hides_nothing(size: tuple[int, int], chosen: str) -> None:
    """Mode, account, link, session, price, position, grid, orders and halt stand on the first page."""
    use_language(chosen)
    lines = screen_lines(sample.trading(), *size)
    assert _missing(lines, FIRST_PAGE) == []
    assert not [line for line in lines[:14] if "…" in line], "a value is cut off"


@pytest.mark.parametrize("chosen", ["zh", "en"])
@pytest.mark.parametrize("size", SIZES[1:])
def test_larger_screens_hold_everything(size: tuple[int, int], chosen: str) -> None:
    """From 120x40 all panels stand on one page."""
    use_language(chosen)
    assert _missing(screen_lines(sample.trading(), *size), FROM_120) == []


def test_small_screen_holds_everything_on_its_keys() -> None:
    """At 80x24 what the first page has no room for stands on the pages 2 to 7."""
    lines = [line for page in PAGES[1:] for line in screen_lines(sample.trading(), 80, 24, Shown(page=page))]
    assert _missing(lines, FROM_120) == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("thousand_times", [1, 1000])
def test_large_numbers_are_shortened_never_cut(size: tuple[int, int], thousand_times: int) -> None:
    """Where millions do not fit they lose their decimals, but no number ends in a sign of cutting."""
    view = sample.trading()
    position = view.position.model_copy(
        update={"floating_profit": -2837.77 * thousand_times, "market_value": 349763.7 * thousand_times}
    )
    counts = view.counts.model_copy(update={"cash": 612345.67 * thousand_times, "turnover": 9e8})
    lines = screen_lines(sample.with_changes(view, position=position, counts=counts), *size)
    panels = [line for line in lines if say("screen.position.cash") in line or "浮盈" in line]
    assert panels and not [line for line in panels if "…" in line]


STATES: dict[str, tuple[Callable[[], View], tuple[str, ...]]] = {
    "waiting": (sample.waiting, ("等待：桥接行情 shared_quote.json", "等待：执行器心跳")),
    "trading": (sample.trading, ("交易中", "连续竞价")),
    "lunch": (sample.lunch, ("午间休市", "下次开盘 11-20 13:00")),
    "closed": (sample.closed, ("已收盘", "下次开盘 11-23 09:30")),
    "holiday": (sample.holiday, ("休市", "下次开盘 11-23 09:30")),
    "stale": (sample.stale, ("行情已过期，暂停发单", "6分")),
    "halted": (
        sample.halted,
        ("已停止交易 10:30:05 起", "执行器 10:30:06 已确认", "人工检查", "miniqmt resume"),
    ),
    "unconfirmed": (lambda: sample.halted(False), ("已停止交易", "执行器尚未确认", "执行器可能还在下单")),
    "disconnected": (sample.disconnected, ("执行器失联 45.0秒", "order_executor")),
    "unknown order": (sample.unknown_order, ("1 笔委托结果未知", "miniqmt resolve")),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", list(STATES))
def test_each_state_says_what_it_is(state: str, size: tuple[int, int]) -> None:
    """Each state is named in words and says what to do, and the first page keeps its values."""
    make, promised = STATES[state]
    lines = screen_lines(make(), *size)
    # Sentences are wrapped at their blanks.
    text = "".join(line.strip(" │╭╮╰╯─") for line in lines).replace(" ", "")
    assert [words for words in promised if words.replace(" ", "") not in text] == []
    if state != "waiting":
        assert [
            name for name in _missing(lines, FIRST_PAGE) if name in ("price", "position", "next buy")
        ] == []


def test_lunch_is_not_stale() -> None:
    """Outside the session an old quote is no alarm."""
    assert notices(sample.lunch()) == []


def test_the_worst_moment_keeps_the_gravest_first() -> None:
    """With everything wrong at once the halt stands in the band and the way to the rest is shown."""
    lines = screen_lines(sample.everything_at_once(), 80, 24)
    assert "已停止交易" in lines[1] and "(+3)" in lines[1]
    assert "实盘 LIVE" in lines[0]
    assert any("按 6" in line for line in lines)
    page = "\n".join(screen_lines(sample.everything_at_once(), 80, 24, Shown(page="messages")))
    assert "账本与券商持仓相差 100 股" in page and "miniqmt status" in page


def test_a_silent_engine_is_not_a_calm_one() -> None:
    """When the engine stops writing the screen says so within seconds, before anything else."""
    lines = screen_lines(sample.trading(), 80, 24, Shown(silence=12.0))
    assert "引擎已 12.0秒 没有更新" in lines[1]


@pytest.mark.parametrize("layers", [0, 9, 50])
def test_a_long_ladder_says_how_much_is_left_out(layers: int) -> None:
    """More lots than lines: the nearest targets first, and the number of the others."""
    view = sample.trading()
    lots = tuple(
        view.lots[0].model_copy(update={"layer": i, "target": 1.0 + i / 1000}) for i in range(1, layers + 1)
    )
    text = "\n".join(screen_lines(sample.with_changes(view, lots=lots), 120, 40))
    if layers == 50:
        assert "另有" in text and "1.0010" in text
    if layers == 9:
        assert all(f"{1.0 + i / 1000:.4f}" in text for i in range(1, 10))


PANELS: dict[str, tuple[Callable[[View], object], tuple[str, ...]]] = {
    "market": (
        lambda v: market_panel(v, Look(), 60, 12),
        ("1.023", "+0.49%", "+0.005", "昨收 1.018", "下买", "锚"),
    ),
    "link": (
        lambda v: link_panel(v, Look(), 48, 5),
        ("820毫秒", "1.2秒", "930毫秒", "3f2a91bc", "就绪", "13毫秒"),
    ),
    "grid": (
        lambda v: grid_panel(v, Look(), 48, 12),
        ("1.0088", "1.0225", "3/9", "上行", "1.1x", "21,800", "+0.73%"),
    ),
    "signals": (
        lambda v: signals_panel(v, Look(), 130, 8),
        ("SELL_159201.SZ_L2_c0ffee01", "8,400/21,900", "部成", "被拒", "超过当日限额", "已发出", "19毫秒"),
    ),
    "position": (
        lambda v: position_panel(v, Look(), 48, 10),
        ("341,900", "290,000", "+2,837.77", "5 / 200", "300,000"),
    ),
    "orders": (lambda v: orders_panel(v, Look(), 72, 4), ("1082", "1079", "外部", "已报", "38.12")),
    "messages": (
        lambda v: messages_panel(v, notices(sample.unknown_order()), Look(), 72, 6),
        ("1 笔委托结果未知", "卖出信号已发出", "10:30:35"),
    ),
}


@pytest.mark.parametrize("name", list(PANELS))
def test_each_panel_shows_its_values(name: str) -> None:
    """Each panel alone shows what it is for."""
    draw, promised = PANELS[name]
    text = "\n".join(lines_of(draw(sample.trading()), 140))  # type: ignore[arg-type]
    assert [value for value in promised if value not in text] == []


def test_an_empty_view_shows_no_invented_zeros() -> None:
    """What is not known yet is a dash: no price, position or profit of zero."""
    text = "\n".join(screen_lines(View(), 80, 24))
    assert "0.000" not in text
    row = next(line for line in text.split("\n") if "持仓 " in line and "可卖" in line)
    assert row.split("持仓")[1].split()[0] == "-"
