"""What the executor shows in the folder: results, ``executed_signals.json``, snapshot, heartbeat.

All of it can be written again from the ledger at any time, so nothing here is memory.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from shared_schema.clock import Moment, Stamper
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import (
    ACCOUNT_SIMULATE,
    EXECUTED,
    HEARTBEAT_FOLDER,
    POOL,
    RESULT_SLOT,
    RESULTS_FOLDER,
    heartbeat_name,
    result_name,
)
from shared_schema.errors import BrokerError, MessageError
from shared_schema.ids import Epoch, SignalId
from shared_schema.messages import (
    Account,
    AccountSnapshot,
    Envelope,
    ExecutedSignals,
    Heartbeat,
    Seen,
    SharedPool,
    decode_result,
    encode,
)
from shared_schema.points import Reach, pass_by
from shared_schema.sessions import state_at, trading_day_of
from windows_side.brokers.account_message import fitting
from windows_side.execution.ledger import Ledger
from windows_side.execution.order import Order
from windows_side.execution.points import Point
from windows_side.execution.results import result_of
from windows_side.execution.rules import Rules
from windows_side.pruning import CLOSED

EXECUTED_INTERVAL = 1.0
"""Seconds between two writings of ``executed_signals.json`` at least."""
EXECUTED_DAYS = 30 * 86_400.0
EXECUTED_AGAIN = 86_400.0
"""Seconds after which the ledger is asked anew, once the market has closed: what is too old goes."""
POOL_INTERVAL = 1.0
"""Seconds between two looks at the pool's use; it is written when it moved."""
POOL_AGAIN = 30.0
"""Seconds after which an unchanged one is written again: the folder may have lost it."""
SNAPSHOT_INTERVAL = 5.0
"""Seconds after which an unchanged snapshot is written again."""
SNAPSHOT_PAUSE = 1.0
"""Seconds between two writings of a snapshot at least: the day's orders are all in it."""
SNAPSHOT_PAUSE_AN_ORDER = 0.002
"""Seconds more for each order in it: one of ten thousand takes nearly half a second to make."""

RESTORE_INTERVAL = 5.0
"""Seconds between two looks for results that the folder has lost."""
RESTORE_FOR = 900.0
"""Seconds after its last change for which a result is looked after; later a known signal asks for it."""
RESTORE_AT_MOST = 100

View = ExecutedSignals | AccountSnapshot | Heartbeat | SharedPool
Step = Callable[[], object]
"""A piece of the folder's work; True where it has written something."""
Due = tuple[str, Step]
"""A file's name and what writes it: of several that wait for one name only the newest is done."""
Shown = tuple[float | None, bool, str]
"""What must not wait for the next heartbeat: halted since, ready, state."""


class ExecutorViews:
    """Writes the executor's files. Raises FolderError where the folder fails."""

    def __init__(
        self,
        folder: DropFolder,
        ledger: Ledger,
        rules: Rules,
        stamper: Stamper,
        ledger_epoch: Epoch,
        heartbeat_interval: float,
        snapshot: Callable[[], Account] | None,
        reach: Reach = pass_by,
    ) -> None:
        self._folder = folder
        self._ledger = ledger
        self._rules = rules
        self._stamper = stamper
        self._epoch = ledger_epoch
        self._heartbeat_interval = heartbeat_interval
        self._snapshot = snapshot
        self._reach = reach
        self._executed_due = True
        self._settled: dict[SignalId, None] | None = None
        self._settled_asked_at = 0.0
        self._executed_at = self._heartbeat_at = self._snapshot_at = float("-inf")
        self._restored_at = self._pool_at = float("-inf")
        self._pool_shown: SharedPool | None = None
        self._shown: Shown | None = None
        self._made: dict[SignalId, tuple[Order, bytes]] = {}
        """Results as last made of their rows: looked after, they are compared again and again."""
        self._account_changed = False
        self._snapshot_orders = 0

    @property
    def ledger_epoch(self) -> Epoch:
        """The epoch of every result."""
        return self._epoch

    # Results

    def result(self, order: Order) -> bytes:
        """Write a row's result, and return its bytes; ``end_results`` belongs after it, or after several."""
        raw = self._result_bytes(order)
        self._reach(Point.BEFORE_RESULT)
        self._folder.publish(f"{RESULTS_FOLDER}/{result_name(order.signal_id)}", raw, durable=False)
        self._reach(Point.AFTER_RESULT_FILE)
        return raw

    def end_results(self, newest: bytes | None) -> None:
        """Make results durable, and put the ``newest`` terminal one into the slot of the seed's readers."""
        self._folder.sync(RESULTS_FOLDER)
        if newest is not None:
            self._folder.publish(RESULT_SLOT, newest, durable=False)
        self._reach(Point.AFTER_RESULT)

    def result_if_missing(self, order: Order) -> None:
        """Write a row's result again where the folder does not show these very bytes."""
        name = f"{RESULTS_FOLDER}/{result_name(order.signal_id)}"
        raw = self._result_bytes(order)
        shown = self._folder.read(name)
        if shown != raw and not self._is_newer(shown, order):
            self._folder.publish(name, raw)

    def result_again(self, order: Order) -> None:
        """Write a row's result again for somebody who asks again, the same bytes too.

        His copy may be damaged and never heal by itself: sync tools take a file of equal size and time
        for the same one, and only a file written anew travels.
        """
        name = f"{RESULTS_FOLDER}/{result_name(order.signal_id)}"
        if not self._is_newer(self._folder.read(name), order):
            self._folder.publish(name, self._result_bytes(order))

    def _is_newer(self, shown: bytes | None, order: Order) -> bool:
        """Whether the folder shows a later result than the row: the ledger was put back, and knows less."""
        try:
            # Unsigned it is nobody's later word, and would keep ours out of the folder for ever.
            envelope = decode_result(shown, key=self._folder.key).envelope if shown else None
        except MessageError:
            return False
        return envelope is not None and envelope.epoch == self._epoch and envelope.seq > order.result_seq

    def _result_bytes(self, order: Order) -> bytes:
        made = self._made.get(order.signal_id)
        if made is not None and made[0] is order:
            return made[1]
        # The envelope comes from the row as well: a result written again is the same file (rule 9).
        envelope = Envelope(
            writer=self._stamper.writer,
            epoch=self._epoch,
            seq=order.result_seq,
            written_at=order.changed_at,
            market_time=order.changed_market,
            trading_day=order.signal_day or order.trading_day,
            mode=self._rules.mode,
            account=self._rules.account,
        )
        raw = encode(envelope, result_of(order), self._folder.key)
        if len(self._made) >= 2 * RESTORE_AT_MOST:
            self._made.clear()
        self._made[order.signal_id] = (order, raw)
        return raw

    # Views written by time

    def account_changed(self) -> None:
        """The account moved: its snapshot is due."""
        self._account_changed = True

    def due(
        self,
        now: Moment,
        monotonic: float,
        shown: Shown,
        beat: Callable[[], Heartbeat],
        orders: Callable[[], list[Order]],
        pool: Callable[[], SharedPool | None] = lambda: None,
        *,
        last: bool = False,
    ) -> list[Due]:
        """The writings that are due now, each for whoever does the folder's work.

        The executed ids at most once a second; lost results looked for every few seconds; the snapshot
        when the account changed; the pool's use when it moved; the heartbeat every third of its red
        limit, and at once when halt, state or readiness changes. ``last``: the broker is closed,
        everything else goes out once more.
        """
        steps: list[Due] = []
        if self._settled is not None and self._is_old_list(now):
            self._settled, self._executed_due = None, True
        if self._executed_due and (last or monotonic - self._executed_at >= EXECUTED_INTERVAL):
            self._executed_due, self._executed_at = False, monotonic
            ids = tuple(self._settled_ids(now))
            steps.append((EXECUTED, lambda: self._write_executed(ids, now)))
        if monotonic - self._restored_at >= RESTORE_INTERVAL:
            self._restored_at = monotonic
            lately = [o for o in orders()[-RESTORE_AT_MOST:] if now.wall - o.changed_at < RESTORE_FOR]
            steps += [(result_name(o.signal_id), partial(self.result_if_missing, o)) for o in lately]
        pause = max(SNAPSHOT_PAUSE, SNAPSHOT_PAUSE_AN_ORDER * self._snapshot_orders)
        pause = pause if self._account_changed else max(SNAPSHOT_INTERVAL, pause)
        if self._snapshot is not None and not last and monotonic - self._snapshot_at >= pause:
            self._account_changed, self._snapshot_at = False, monotonic
            steps.append((ACCOUNT_SIMULATE, lambda: self._write_snapshot(now)))
        if last or monotonic - self._pool_at >= POOL_INTERVAL:
            self._pool_at = monotonic
            steps += self._pool_step(pool(), now)
        if shown != self._shown or monotonic - self._heartbeat_at >= self._heartbeat_interval:
            self._shown, self._heartbeat_at = shown, monotonic
            name = f"{HEARTBEAT_FOLDER}/{heartbeat_name('executor', self._rules.instance)}"
            body = beat()
            steps.append((name, lambda: self._write_heartbeat(name, body, now)))
        return steps

    def _pool_step(self, pool: SharedPool | None, now: Moment) -> list[Due]:
        if pool is None:
            return []
        before = self._pool_shown
        same = before is not None and pool == before.model_copy(update={"updated_at": pool.updated_at})
        if before is not None and same and abs(pool.updated_at - before.updated_at) < POOL_AGAIN:
            return []
        self._pool_shown = pool
        return [(POOL, lambda: self._write_pool(pool, now))]

    def settled(self, order: Order) -> None:
        """A row has ended: its id belongs into ``executed_signals.json``."""
        self._executed_due = True
        if self._settled is not None:
            self._settled.setdefault(order.signal_id)

    def _settled_ids(self, now: Moment) -> dict[SignalId, None]:
        # Asked of the ledger once a day; after that every end is told.
        if self._settled is None:
            self._settled_asked_at = now.wall
            self._settled = dict.fromkeys(self._ledger.settled_since(now.wall - EXECUTED_DAYS))
        return self._settled

    def _is_old_list(self, now: Moment) -> bool:
        old = abs(now.wall - self._settled_asked_at) >= EXECUTED_AGAIN
        return old and state_at(now.market, self._rules.calendar) in CLOSED

    def _write_executed(self, ids: tuple[SignalId, ...], now: Moment) -> bool:
        self._reach(Point.BEFORE_EXECUTED)
        self._publish(EXECUTED, ExecutedSignals(signal_ids=ids), now)
        self._reach(Point.AFTER_EXECUTED)
        return True

    def _write_pool(self, pool: SharedPool, now: Moment) -> bool:
        self._publish(POOL, pool, now)
        return True

    def _write_snapshot(self, now: Moment) -> bool:
        if self._snapshot is None:
            return False
        try:
            account = fitting(self._snapshot())
        except BrokerError:
            return False  # closed, or being opened anew: the last snapshot stands, and its age shows it
        self._snapshot_orders = len(account.orders)
        self._publish(ACCOUNT_SIMULATE, AccountSnapshot(accounts={self._rules.account: account}), now)
        self._reach(Point.AFTER_SNAPSHOT)
        return True

    def _write_heartbeat(self, name: str, beat: Heartbeat, now: Moment) -> bool:
        self._publish(name, beat, now)
        self._reach(Point.AFTER_HEARTBEAT)
        return True

    def _publish(self, name: str, body: View, now: Moment) -> None:
        envelope = self._stamper.next(now, trading_day_of(now.market))
        self._folder.publish(name, encode(envelope, body, self._folder.key), durable=False)


def seen_of(envelope: Envelope, received_at: float) -> Seen:
    """What the heartbeat says of a stream's newest file."""
    return Seen(
        epoch=envelope.epoch, seq=envelope.seq, written_at=envelope.written_at, received_at=received_at
    )
