"""The producer's live side, put together from this host's settings: quotes and account of the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from shared_schema.clock import Moment
from shared_schema.errors import SettingsError
from shared_schema.ids import Code
from shared_schema.messages import Account
from shared_schema.settings import Settings
from shared_schema.trading_calendar import calendar_of_this_host
from windows_side.brokers.qmt import QmtAccount, QmtCalls
from windows_side.brokers.qmt_diagnosis import HEALS_BY_LOGIN, path_findings
from windows_side.brokers.qmt_package import PIP, is_installed, load_package, xtdata, xttrader
from windows_side.brokers.qmt_session_ids import SessionIds
from windows_side.quotes.port import AccountSource
from windows_side.quotes.qmt_account import QmtAccountSource
from windows_side.quotes.xtdata import XtdataSource
from windows_side.quotes.xtdata_reader import XtdataReader


def live_source(settings: Settings) -> XtdataSource:
    """Real quotes of the settings' codes. Raises SettingsError where xtquant or the path can't be used."""
    load_for_quotes(settings)
    codes = tuple(map(Code, settings.producer.codes))
    calendar = calendar_of_this_host()
    return XtdataSource(lambda: XtdataReader(xtdata(), codes, calendar=calendar), codes, calendar)


class _Unnamed:
    """A further account whose number nobody has set: said where its account is asked for, no quote waits."""

    def account(self, now: Moment, prices: Mapping[Code, float]) -> Account | None:
        raise SettingsError("qmt.no_account")

    def stop(self) -> None:
        return


def live_account(settings: Settings) -> AccountSource:
    """The real account, under session ids apart from the executor's."""
    if settings.account.id is None:
        return _Unnamed()
    return QmtAccountSource(producer_calls(settings))


def producer_calls(settings: Settings) -> QmtCalls:
    """The producer's own calls to the terminal."""
    ids = SessionIds(settings.runtime_dir, "producer", settings.qmt.session_id)
    account = QmtAccount(settings.qmt.data_path, settings.account.id or "", settings.account.type)
    return QmtCalls(account, ids)


def load_for_quotes(settings: Settings) -> None:
    """Check what live quotes need, and import xtquant. Raises SettingsError."""
    if settings.qmt.xtquant == PIP and not is_installed():
        raise SettingsError("producer.no_xtdata")
    if settings.account.id is None:
        raise SettingsError("producer.no_account")
    unusable = [found for found in path_findings(settings.qmt.data_path) if found.name not in HEALS_BY_LOGIN]
    if unusable:
        raise SettingsError("qmt.bad_path", settings.qmt.data_path or "", reason=unusable[0])
    load_package(settings.qmt.xtquant, settings.qmt.data_path)
    xtdata()  # a native part that can't be loaded ends the start, not each try to read
    xttrader()
