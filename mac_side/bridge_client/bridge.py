"""``Bridge``: the folder as a library for anybody's own script.

    from mac_side.bridge_client import Bridge

    with Bridge("/path/to/folder", "myscript") as bridge:
        handle = bridge.buy("159201.SZ", price=1.05, shares=1000)
        print(handle.wait(30))

A signal is on this host's disk before it is in the folder; a script that is killed and started again
finds its open signals in ``bridge.open``. What is not known is never guessed: ``wait`` then says
"unknown".
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from mac_side.books import Intention
from mac_side.bridge_client.handle import Answer, BridgeError, Handle, Outcome
from mac_side.bridge_client.one_user import OneUser
from mac_side.bridge_client.other_side import OtherSide
from mac_side.bridge_client.own_place import key_for, room_for, runtime_for
from mac_side.bridge_client.publishing import Publishing
from mac_side.bridge_client.seen_facts import SeenFacts
from mac_side.bridge_client.signal_ids import is_first
from mac_side.engine_files import EngineFiles
from mac_side.engine_halts import follow_executor, halt_sentence, latch_seen
from mac_side.engine_rules import Hold, other_writer_hold
from mac_side.engine_signals import Terms, Wish, next_id, outbox_signed_again, with_signal
from mac_side.settling import check_not_rolled_back, settle
from mac_side.state_file import DashboardState, StateFile, new_state
from shared_schema.clock import ReplayFollower, host_name
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import state_name
from shared_schema.errors import FolderError, SettingsError
from shared_schema.exchange_folder import checked_exchange_folder, is_offline_folder
from shared_schema.ids import AccountAlias, Code, Direction, Mode, SignalId, StrategyName, is_file_safe
from shared_schema.instruments import parse_code
from shared_schema.messages import Account
from shared_schema.messages.quote import Position, Quote
from shared_schema.sessions import trading_day_of
from shared_schema.sync_defaults import SyncDefaults, sync_defaults
from shared_schema.words import say

__all__ = ["Bridge", "BridgeError", "Handle", "Outcome"]

_LEAST, _MOST = 1e-4, 1e12
"""Yuan, and shares: beyond is no order, and may be no number on the wire. The limits are the executor's."""


class Bridge:
    """One script's door to the folder. ``strategy`` names it: one writer per name, for ever."""

    def __init__(
        self,
        folder: str | Path,
        strategy: str,
        account: str | None = None,
        *,
        runtime_dir: str | Path | None = None,
        sync_tool: str = "local",
        syncthing_delay: float = 10.0,
        allow_orders: bool = False,
        terms: Terms | None = None,
        wait_for_executor: float = 5.0,
        wall_clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open ``folder``, or in it the room of ``account`` where that account has one.

        ``sync_tool``, ``syncthing_delay`` (seconds) and ``allow_orders`` are as in the
        settings' section sync.

        The signing key is this host's, as for the dashboard; with ``runtime_dir`` the one kept there.
        An executor that is starting is waited for, ``wait_for_executor`` seconds in all.
        Raises MiniqmtError: no folder, no executor within that time, an executor with another key,
        damaged or rolled back memory, or another process of this name.
        """
        from mac_side.single_engine import hold_engine

        if is_first(StrategyName(strategy)):
            raise _not_ours(strategy)
        if not is_file_safe(strategy):
            raise SettingsError("dashboard.bridge_refused", strategy, reason=f"strategy = {strategy!r}")
        top = checked_exchange_folder(Path(folder))
        path = room_for(top, account)
        self.offline = is_offline_folder(path)
        given = Path(runtime_dir) if runtime_dir is not None else None
        self.folder = DropFolder(path, key=None if self.offline else key_for(path, given))
        self.folder.prepare()
        self._defaults: SyncDefaults = sync_defaults(sync_tool, syncthing_delay)
        self._orders_allowed = allow_orders or not self._defaults.orders_need_permission
        self._terms = terms or Terms(expires=self._defaults.expires)
        self._pause = pause
        self._follower = ReplayFollower(wall_clock)
        runtime = (given or runtime_for(top, self.offline)) / path.relative_to(top)
        # The lock of the books, so the very one a dashboard of this name would hold.
        self._lock = hold_engine(runtime, StrategyName(strategy))
        self._user = OneUser(path)
        self._copy_due: bytes | None = None
        try:
            self._files = EngineFiles(self.folder, runtime / "no_commands")
            red_after = self._defaults.heartbeat_red_after
            self._other_side = OtherSide(self._files, self._follower, red_after, self.offline)
            self._publishing = Publishing(self.folder, self._files.inbox, self._defaults.republish_after)
            self._sent_here: set[SignalId] = set()
            self._other_writer: Hold | None = None
            self._facts = SeenFacts(self._follower)
            mode, alias = self._other_side.meet(account, wait_for_executor, pause)
            self._state_file, self.state = self._begin(runtime, StrategyName(strategy), mode, alias)
            self.look()
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Bridge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let another process use this name; open signals stay as they are, and nothing is sent any more."""
        if self._user.leave():
            self._lock.release()

    # Orders

    def buy(self, code: str, price: float, shares: int, reason: str = "") -> Handle:
        """Send a buy: limit ``price`` in yuan. Raises BridgeError where nothing may be sent."""
        return self._order("BUY", code, price, shares, reason)

    def sell(self, code: str, price: float, shares: int, reason: str = "") -> Handle:
        """Send a sell: limit ``price`` in yuan. Raises BridgeError where nothing may be sent."""
        return self._order("SELL", code, price, shares, reason)

    def cancel(self, handle: Handle | str) -> Handle:
        """Ask for an order of ours to be taken back; also under a halt. Raises BridgeError."""
        with self._user:
            return self._cancel(handle)

    def _cancel(self, handle: Handle | str) -> Handle:
        target = SignalId(handle if isinstance(handle, str) else handle.signal_id)
        entry = self.state.outbox.get(target)
        if entry is None or not entry.is_order or self.state.executor is None:
            raise BridgeError("dashboard.bridge_bad_order", target, field="signal_id", value=target)
        asked = next((other for other in self.state.outbox.open if other.target == target), None)
        if asked is not None:
            return Handle(self, asked.signal_id)
        wish = Wish(
            entry.direction,
            entry.code,
            1,
            entry.intention.shares,
            entry.intention.price,
            "cancel",
            target=target,
        )
        return self._send(wish, Intention("cancel", wish.shares, wish.price))

    @property
    def open(self) -> tuple[Handle, ...]:
        """Handles of all signals that have not ended as far as is known, also from earlier runs."""
        return tuple(Handle(self, entry.signal_id) for entry in self.state.outbox.open)

    def outcome(self, signal_id: SignalId) -> Outcome:
        """What is known of a signal now. Raises KeyError for one that is not ours."""
        entry = self.state.outbox.get(signal_id)
        if entry is None:
            raise KeyError(signal_id)
        answer: Answer = "unknown"
        if entry.settled:
            succeeded = entry.status == "success"
            answer = "done" if succeeded else "refused"
        return Outcome(answer, entry.state, entry.reported_shares, entry.message, signal_id)

    def wait(self, signal_id: SignalId, timeout: float) -> Outcome:
        """See ``Handle.wait``."""
        deadline = time.monotonic() + timeout
        while True:
            self.look()
            outcome = self.outcome(signal_id)
            left = deadline - time.monotonic()
            if outcome.answer != "unknown" or left <= 0:
                return outcome
            self._pause(min(left, self._defaults.scan_interval))

    # What the folder tells

    def quotes(self) -> dict[Code, Quote]:
        """The newest quotes by code; empty while none was seen."""
        self.look()
        return self._facts.quotes()

    def account(self) -> Account | None:
        """The account of this bridge's mode as last seen; None while none was."""
        self.look()
        return self._facts.account

    def positions(self) -> dict[Code, Position] | None:
        """The account's positions; None where they are not known (never an empty dict for that)."""
        account = self.account()
        return dict(account.positions) if account is not None and account.complete else None

    def look(self) -> None:
        """Read what is new, apply it, and publish again what is missing.

        Raises FolderError, and BridgeError once closed or in a process that did not open this bridge.
        """
        with self._user:
            self._look()
            self._copy()

    def _look(self) -> None:
        wall = self._follower.now().wall
        for quote in self._files.quotes():
            self._facts.take_quote(quote, self.state)
        link = self._other_side.look()
        state = latch_seen(self.state, self._files.halts().files, wall, self.folder.key)
        state = follow_executor(state, link.executor(state.executor))
        if state != self.state:
            self._save(state)
        for seen in self._files.results(self.state.outbox):
            settled = settle(
                self.state,
                seen.received,
                self._follower.now(),
                version_1_allowed=self._lenient,
                offline=self.offline,
            )
            if settled.must_save:
                self._save(settled.state)
                if seen.received.body.signal_id in self._sent_here:
                    refused = other_writer_hold(seen.received.body, self.state.strategy)
                    self._other_writer = self._other_writer or refused
            else:
                self.state = settled.state
        snapshot = self._files.account(self.state.mode)
        if snapshot is not None:
            self._facts.take_account(snapshot, self.state)
        if self._other_side.trouble(self.state.executor) is None:
            self._publishing.again(self.state, self._follower.now().wall)

    # Inside

    @property
    def _lenient(self) -> bool:
        return self.state.mode == "simulate" or self.offline

    def _begin(
        self, runtime: Path, strategy: StrategyName, mode: Mode, alias: AccountAlias
    ) -> tuple[StateFile, DashboardState]:
        now = self._follower.now()
        path = runtime / state_name(strategy, mode, simulate_suffix=not self.offline)
        state_file = StateFile(path)
        fresh = new_state(now, mode, alias, strategy, f"{strategy}@{host_name()}")
        state = state_file.load(fresh)
        check_not_rolled_back(state, self._files.sightings(), path)
        if state.writer.partition("@")[0] != strategy:
            raise _not_ours(strategy)
        state = outbox_signed_again(state, self.folder.key)
        if state.executor is None:
            met = self._other_side.to_bind(mode)
            if met is not None and met.account == alias:
                state = replace(state, executor=met.instance)
        return state_file, state

    def _order(self, direction: Direction, code: str, price: float, shares: int, reason: str) -> Handle:
        checked = parse_code(code)
        if isinstance(price, bool) or not isinstance(price, int | float) or not _LEAST <= price <= _MOST:
            raise BridgeError("dashboard.bridge_bad_order", code, field="price", value=repr(price))
        if isinstance(shares, bool) or not isinstance(shares, int) or not 0 < shares <= _MOST:
            raise BridgeError("dashboard.bridge_bad_order", code, field="shares", value=repr(shares))
        if not isinstance(reason, str):
            raise BridgeError("dashboard.bridge_bad_order", code, field="reason", value=repr(reason)[:40])
        wish = Wish(direction, checked, 1, shares, float(price), reason, keeps_lots=False)
        with self._user:
            self._look()
            self._copy()
            self._refuse_if_held()
            return self._send(wish, Intention("order", shares, float(price)))

    def _refuse_if_held(self) -> None:
        state = self.state
        if state.halted:
            reason = halt_sentence(state.halts[0])
            raise BridgeError("dashboard.bridge_refused", self.folder.path, reason=reason)
        if not self._orders_allowed:
            raise BridgeError("dashboard.bridge_refused", self.folder.path, reason=say("dashboard.too_slow"))
        if self._other_writer is not None:
            sentence = self._other_writer.sentence
            raise BridgeError("dashboard.bridge_refused", self.folder.path, reason=sentence)
        self._other_side.check_open(state, self._follower.now())

    def _send(self, wish: Wish, intention: Intention) -> Handle:
        now = self._follower.now()
        counter, identity = next_id(self.state, wish, self._files.is_taken)
        state, entry = with_signal(
            self.state,
            wish,
            counter,
            identity,
            self.state.books,
            intention,
            self._terms,
            now,
            self.folder.key,
        )
        self._save(state)
        self._publishing.first(self.state, entry, now.wall)
        self._sent_here.add(identity)
        with contextlib.suppress(FolderError):  # still due: the next look makes it, or says why it can't
            self._copy()
        return Handle(self, identity)

    def _save(self, state: DashboardState) -> None:
        now = self._follower.now()
        self.state, self._copy_due = self._state_file.save(state, now, trading_day_of(now.market))

    def _copy(self) -> None:
        """The copy for people of what was saved, after all that waits for nothing but the saving."""
        if self._copy_due is not None:
            self._state_file.keep_last_good(self._copy_due)
            self._copy_due = None


def _not_ours(strategy: str) -> SettingsError:
    return SettingsError("dashboard.bridge_refused", strategy, reason=f"{strategy!r}: dashboard")
