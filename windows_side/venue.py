"""Where an executor trades: the simulated broker, or QMT. It decides mode, strictness and calls."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import ACCOUNT_LIVE
from shared_schema.errors import FolderError, MessageError
from shared_schema.ids import AccountAlias, Code, Mode
from shared_schema.logs import Log
from shared_schema.messages import Account, decode_account
from shared_schema.settings import Settings
from windows_side.broker_hand import FeedsMarket
from windows_side.brokers.port import AccountState, BrokerAsset, BrokerCalls, BrokerPosition
from windows_side.brokers.qmt import QmtAccount, QmtCalls
from windows_side.brokers.qmt_package import load_package, xttrader
from windows_side.brokers.qmt_session_ids import SessionIds
from windows_side.brokers.simulated import SimulatedBroker

_LOADING = threading.Lock()
"""A process has one xtquant, and its import is no matter for two accounts' threads at once."""


@dataclass(frozen=True)
class Surroundings:
    """What a broker is made of."""

    settings: Settings
    folder: DropFolder
    account: AccountAlias
    books: Path
    """The simulated broker's own file."""
    now: Callable[[], Moment]
    is_without_market: Callable[[Code], bool]
    log: Log


@dataclass(frozen=True)
class Broker:
    """A broker's calls, and what a simulated one needs besides."""

    calls: BrokerCalls
    market: FeedsMarket | None = None
    """Fed with quotes where the broker is simulated."""
    snapshot: Callable[[], Account] | None = None
    """The account as the executor itself shows it; None: the producer does, from the real one."""


@dataclass(frozen=True)
class Venue:
    """One kind of broker with the rules that go with it."""

    mode: Mode
    open: Callable[[Surroundings], Broker]
    needs_quote: bool
    """Whether a signal without a fresh quote of its code is refused."""
    final_read: float
    """Seconds after which a final status is read once more."""
    absence_is_proof: bool
    enforces_sessions: bool
    allows_version_1: bool
    makes_first_ledger: bool
    """Whether a missing ledger may be made by a start; a live one is made by ``miniqmt arm``."""


def simulated_broker(around: Surroundings) -> Broker:
    """The simulated broker over its own books. Errors: StateError."""
    chosen = around.settings.executor
    start = newest_real_account(around.folder, around.account)
    if not around.books.exists():
        _say_what_it_begins_with(around, start)
    broker = SimulatedBroker(
        around.books,
        account=around.account,
        now=around.now,
        start=start,
        cash=chosen.simulate_cash,
        commission_rate=chosen.commission_rate,
        min_commission=chosen.min_commission,
        stamp_duty_rate=chosen.stamp_duty_rate,
        participation=chosen.participation,
        instant_fill=around.is_without_market,
    )
    return Broker(broker, broker, broker.account_snapshot)


def _say_what_it_begins_with(around: Surroundings, start: AccountState | None) -> None:
    """It is so once for good, and hangs on which of two programs was started first."""
    if start is None:
        cash = around.settings.executor.simulate_cash
        around.log.say("info", "simulated_from_settings", cash=cash, books=around.books)
        return
    cash, positions = start.asset.cash + start.asset.frozen_cash, len(start.positions)
    around.log.say("info", "simulated_from_snapshot", cash=cash, positions=positions, books=around.books)


def qmt_broker(around: Surroundings) -> Broker:
    """QMT's account over xtquant. Errors: SettingsError where xtquant can't be used."""
    settings = around.settings
    with _LOADING:
        package = load_package(settings.qmt.xtquant, settings.qmt.data_path)
        xttrader()  # a native part that can't be loaded ends the start, not each try to connect
    around.log.say(
        "info",
        "xtquant_loaded",
        version=package.version,
        digest=package.digest,
        native=package.native,
        folder=package.folder,
    )
    ids = SessionIds(settings.runtime_dir, "executor", settings.qmt.session_id)
    account = QmtAccount(settings.qmt.data_path, settings.account.id or "", settings.account.type)
    return Broker(QmtCalls(account, ids))


SIMULATED = Venue(
    mode="simulate",
    open=simulated_broker,
    needs_quote=False,
    final_read=0.0,
    absence_is_proof=SimulatedBroker.absence_is_proof,
    enforces_sessions=False,
    allows_version_1=True,
    makes_first_ledger=True,
)
LIVE = Venue(
    mode="live",
    open=qmt_broker,
    needs_quote=True,
    final_read=2.0,
    absence_is_proof=QmtCalls.absence_is_proof,
    enforces_sessions=True,
    allows_version_1=False,
    makes_first_ledger=False,
)


def newest_real_account(folder: DropFolder, alias: AccountAlias) -> AccountState | None:
    """What the simulated account starts from: the producer's newest snapshot, None without a usable one."""
    try:
        raw = folder.read_large(ACCOUNT_LIVE)
        accounts = decode_account(raw, ACCOUNT_LIVE, folder.key).body.accounts if raw else {}
    except (FolderError, MessageError):
        return None
    found = accounts.get(alias) or next(iter(accounts.values()), None)
    return _state_of(found) if found is not None and found.complete else None


def _state_of(account: Account) -> AccountState:
    asset = account.asset
    positions = tuple(
        BrokerPosition(code, held.volume, held.can_use_volume, held.open_price, held.market_value)
        for code, held in account.positions.items()
        if held.volume > 0
    )
    return AccountState(
        BrokerAsset(asset.cash, asset.frozen_cash, asset.market_value, asset.total_asset), positions
    )
