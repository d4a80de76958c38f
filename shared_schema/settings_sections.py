"""The sections of the settings: each field with its default, its check and its environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared_schema import settings_values as check
from shared_schema.sync_defaults import SYNC_TOOLS, SyncDefaults, sync_defaults

ACCOUNT_TYPES = ("STOCK", "CREDIT")
FIRST_SESSION = 7100
"""The first session id where the settings name none."""
SESSIONS_EACH = 8
"""Session ids an account uses: four of the executor, four of the producer."""
NOTICE = ("on", "silent", "off")


@dataclass(frozen=True)
class Sync:
    """How the exchange folder is shared; the pace of everything follows from it."""

    tool: str = check.setting("local", check.one_of(*SYNC_TOOLS))
    syncthing_delay: float = check.setting(10.0, check.number(0, 3600))
    """Syncthing's fsWatcherDelayS in seconds, where the tool is syncthing."""
    allow_orders: bool = check.setting(False, check.switch)
    """Orders over cloud drives, which are refused unless this is set."""

    @property
    def orders_allowed(self) -> bool:
        """Whether new orders go over this tool; both sides ask, each by its own settings."""
        return self.allow_orders or not self.defaults.orders_need_permission

    @property
    def defaults(self) -> SyncDefaults:
        """Intervals and limits of the tool, in seconds."""
        return sync_defaults(self.tool, self.syncthing_delay)


@dataclass(frozen=True)
class Account:
    """The account of this host; only the alias ever crosses the folder."""

    alias: str = check.setting("main", check.name)
    id: str | None = check.setting(None, check.account_number, "QMT_ACCOUNT_ID", "ACCOUNT_ID", secret=True)
    type: str = check.setting(
        "STOCK", check.one_of(*ACCOUNT_TYPES, upper=True), "QMT_ACCOUNT_TYPE", "ACCOUNT_TYPE"
    )


@dataclass(frozen=True)
class Qmt:
    """The terminal on the trading host."""

    data_path: Path | None = check.setting(None, check.path, "QMT_DATA_PATH", "QMT_USERDATA_PATH")
    """The terminal's userdata folder."""
    session_id: int | None = check.setting(None, check.whole(1, 2**31 - 100), "QMT_SESSION_ID")
    """The first of the eight ids in use: four of the executor's, four of the producer's."""
    xtquant: str = check.setting("pip", check.one_of("pip", "broker"))
    """The installed package, or the copy that came with the terminal."""


@dataclass(frozen=True)
class Limits:
    """What the risk gate lets through; shares, yuan and seconds."""

    allow_list: tuple[str, ...] = check.setting(("159201.SZ", "512890.SH"), check.quoted_codes)
    max_buy_shares: int = check.setting(100_000, check.whole(0))
    max_buy_yuan: float = check.setting(60_000.0, check.number(0))
    max_sell_shares: int = check.setting(500_000, check.whole(0))
    max_sell_yuan: float = check.setting(300_000.0, check.number(0))
    orders_per_second: int = check.setting(2, check.whole(1, 100))
    waiting: int = check.setting(100, check.whole(0, 10_000))
    """Orders that may wait for their turn of ``orders_per_second``."""
    orders_per_day: int = check.setting(200, check.whole(0, 100_000))
    turnover_yuan: float = check.setting(1_000_000.0, check.number(0))
    """A code and day, both sides counted; refuses buys only."""
    cash_buffer: float = check.setting(0.01, check.number(0, 1))
    """Part of the cash that buys leave alone."""
    pool_yuan: float = check.setting(300_000.0, check.number(0))
    """The cash pool all buys of the account share, by cost; 0 = no pool."""
    pool_code_yuan: float = check.setting(200_000.0, check.number(0))
    """The most one code may use of it; 0 = no cap of its own."""
    expires_seconds: float = check.setting(300.0, check.number(1, 86_400))
    """How long a signal may wait for its submit; 900 over cloud drives unless set."""
    future_seconds: float = check.setting(30.0, check.number(0, 3600))
    skew_seconds: float = check.setting(30.0, check.number(0, 3600))
    end_after_seconds: float = check.setting(120.0, check.number(1, 86_400))
    """Trading time after which an order is cancelled by itself."""
    duplicate_window_seconds: float = check.setting(10.0, check.number(0, 3600))
    max_quote_age_seconds: float = check.setting(300.0, check.number(1, 86_400))
    unknowns_per_day: int = check.setting(3, check.whole(1, 10_000))
    """The order without a usable answer that halts the account."""
    round_trips: int = check.setting(6, check.whole(1, 10_000))
    """Buys followed by a sell of the same code within ``round_trip_minutes`` (market time) that may pass;
    the next one halts the account. A grid that decides once a minute makes at most two in five minutes."""
    round_trip_minutes: float = check.setting(5.0, check.number(0.1, 1440))


@dataclass(frozen=True)
class Executor:
    """The order executor and its simulated broker."""

    simulate: bool | None = check.setting(None, check.switch, "ORDER_EXECUTOR_SIMULATE")
    """None = nobody said: neither simulate nor live."""
    counter_dir: Path | None = check.setting(None, check.path)
    """The ledger's second counter; None = the system's place (live), beside RUNTIME_DIR (simulated).
    Put it where a backup of RUNTIME_DIR does not reach, best on another disk."""
    simulate_cash: float = check.setting(1_000_000.0, check.number(0, 10_000_000_000))
    """Start cash of the simulated account, yuan."""
    commission_rate: float = check.setting(0.0001, check.number(0, 0.1))
    min_commission: float = check.setting(0.0, check.number(0, 1000))
    """Yuan per order."""
    stamp_duty_rate: float = check.setting(0.0005, check.number(0, 0.1))
    """On sales of shares; funds and bonds pay none. The rate since 2023-08-28."""
    participation: float = check.setting(0.25, check.number(0.0001, 1))
    """Part of a quote's new volume that the simulated broker fills at most."""


@dataclass(frozen=True)
class Producer:
    """The bridge producer."""

    codes: tuple[str, ...] = check.setting(("159201.SZ", "512890.SH"), check.quoted_codes)
    """The first one fills the seed fields of ``shared_quote.json``."""
    interval: float | None = check.setting(None, check.number(0.05, 3600))
    """Seconds between two quote files; None = that of the sync tool."""
    source: str = check.setting("xtdata", check.text)
    """Where quotes come from."""


@dataclass(frozen=True)
class Strategy:
    """The strategy of the dashboard."""

    name: str = check.setting("grid", check.name)
    symbol: str = check.setting("159201.SZ", check.code, "DASHBOARD_SYMBOL")
    preset: str | None = check.setting(None, check.name)
    """None = the preset of the symbol."""
    decide_on: str = check.setting("bar", check.one_of("bar", "tick"))
    file: Path | None = check.setting(None, check.path)
    """A strategy of one's own (docs/own_strategy.md); None = the grid."""
    overrides: Mapping[str, Any] = check.setting({}, check.table)
    """Parameters of the strategy that differ from the preset; the strategy checks them."""


@dataclass(frozen=True)
class Notices:
    """Messages to a person; each kind on, silent (no sound where the channel knows) or off."""

    urls: tuple[str, ...] = check.setting((), check.notice_urls, "MINIQMT_NOTICE_URLS", secret=True)
    """Addresses of apprise; secrets, never in the exchange folder."""
    fills: str = check.setting("on", check.one_of(*NOTICE))
    rejections: str = check.setting("on", check.one_of(*NOTICE))
    unknown: str = check.setting("on", check.one_of(*NOTICE))
    halt: str = check.setting("on", check.one_of(*NOTICE))
    link: str = check.setting("on", check.one_of(*NOTICE))
    reconcile: str = check.setting("on", check.one_of(*NOTICE))
    alarms: str = check.setting("on", check.one_of(*NOTICE))


@dataclass(frozen=True)
class Dashboard:
    """The dashboard's own view of the folder."""

    work_dir: Path | None = check.setting(None, check.path, "DASHBOARD_WORK_DIR")
    """The exchange folder for the dashboard only, books beside it."""
    colors: str | None = check.setting(None, check.one_of("zh", "en"))
    """zh: rising is red, en: rising is green; None = as usual where the language is spoken."""
