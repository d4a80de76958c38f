"""``dashboard_state.json``: books and outbox in one durable write, in the seed's own names.

Damaged is never empty: an unreadable file stops with StateError, stays where it is, and the last good
copy beside it is offered. A file without envelope is the seed's and is taken over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from mac_side.books import Books
from mac_side.bridge_client.outbox import Outbox
from mac_side.bridge_client.signal_ids import is_first
from mac_side.ex_date import DayClose, ExDate, ex_date_from_json, ex_date_to_json
from mac_side.seed_state import OUR_KEYS, SEED_KEYS, parts_from_json, parts_to_json
from shared_schema.clock import Moment, new_epoch, random_ending
from shared_schema.disk import Disk, LocalDisk
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.folder import random_name_part
from shared_schema.drop_folder.names import state_name
from shared_schema.errors import FolderError, MessageError, StateError
from shared_schema.ids import AccountAlias, Code, Epoch, InstanceId, Mode, StrategyName
from shared_schema.integrity import checksum
from shared_schema.messages.record import ENVELOPE_FIELDS, SCHEMA_VERSION, SEAL_FIELDS, load_object

LAST_GOOD = ".last_good"
_ENVELOPE = ENVELOPE_FIELDS | SEAL_FIELDS
_NO_LIMIT = 1 << 40


@dataclass(frozen=True)
class HaltLatch:
    """One halt file seen: it holds until it is lifted, also when the file disappears."""

    name: str
    reason: str
    by: str
    since: float
    """Wall Unix seconds at which this host first saw it."""
    digest: str
    """SHA-256 of the file's bytes; a lifted halt of the same bytes does not come back."""
    confirmed: bool = False
    """Whether the bound executor's heartbeat has shown a halt since."""
    at: float = 0.0
    """When its writer halted, by the writer's clock: only a file that is not older lifts it."""


@dataclass(frozen=True)
class DashboardState:
    """Everything a dashboard must not forget."""

    epoch: Epoch
    mode: Mode
    account: AccountAlias
    strategy: StrategyName
    writer: str
    books: Books = field(default_factory=Books)
    outbox: Outbox = field(default_factory=Outbox)
    code: Code | None = None
    """What the lots are of; None in the seed's file, and in those of before it was kept."""
    counter: int = 0
    """The last number used: it makes the id's digits and is the signal's ``seq``."""
    executor: InstanceId | None = None
    halts: tuple[HaltLatch, ...] = ()
    lifted: tuple[str, ...] = ()
    """Digests of halt files that were lifted from elsewhere."""
    paused: bool = False
    """Paused by hand at the screen."""
    day_close: DayClose | None = None
    """How the last trading day ended, as this host saw it."""
    ex_date: ExDate | None = None
    """A corporate action that waits for a person."""
    saves: int = 0
    is_seed: bool = False
    """Read from a file without envelope."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Keys of the user's file that are not ours; kept as they are."""

    @property
    def halted(self) -> bool:
        """Whether a halt is latched."""
        return bool(self.halts)


def state_path(
    folder: Path,
    runtime_dir: Path,
    mode: Mode,
    strategy: StrategyName,
    *,
    offline: bool,
    in_folder: bool,
    disk: Disk | None = None,
) -> Path:
    """Where the books of this mode and strategy stand.

    In ``runtime_dir``; in the exchange folder itself where ``in_folder`` (DASHBOARD_WORK_DIR is set) or
    one already stands there, or did: a last good copy of this mode tells, unless ``runtime_dir`` has books.
    In an OFFLINE folder simulated books are ``dashboard_state.json``, as live ones are elsewhere.
    Raises StateError where both places have them and nothing says which are the right ones.
    """
    name = state_name(None if is_first(strategy) else strategy, mode, simulate_suffix=not offline)
    in_the_folder, at_home, disk = folder / name, runtime_dir / name, disk or LocalDisk()
    if in_folder or offline:
        return in_the_folder
    is_at_home = at_home != in_the_folder and disk.stat(at_home) is not None
    if disk.stat(in_the_folder) is None:
        nobodys = DashboardState(Epoch(""), mode, AccountAlias(""), strategy, "")
        stood_there = not is_at_home and StateFile(in_the_folder, disk).stood_once(nobodys)
        return in_the_folder if stood_there else at_home
    if is_at_home:
        raise StateError("dashboard.two_sets_of_books", in_the_folder, other=at_home)
    return in_the_folder


def new_state(
    now: Moment,
    mode: Mode,
    account: AccountAlias,
    strategy: StrategyName,
    writer: str,
    random_part: Callable[[], str] = random_ending,
) -> DashboardState:
    """The state of a strategy that has never run: flat, without an anchor."""
    return DashboardState(new_epoch(now.wall, random_part), mode, account, strategy, writer)


class StateFile:
    """The one file; every write replaces it whole and is durable before it returns."""

    def __init__(
        self,
        path: Path,
        disk: Disk | None = None,
        random_part: Callable[[], str] = random_name_part,
    ) -> None:
        self.path = path
        self.folder = DropFolder(path.parent, disk, random_part)

    @property
    def last_good(self) -> Path:
        """The copy written after each save."""
        return self.path.with_name(self.path.name + LAST_GOOD)

    @property
    def raw(self) -> bytes | None:
        """The file's bytes as they stand; None where there is none. Raises StateError."""
        return self._read(self.path)

    def load(self, fresh: DashboardState, *, may_begin: bool = False) -> DashboardState:
        """The state in the file, or ``fresh`` where there never was one.

        Raises StateError where the file is damaged, belongs to another mode, account or strategy, or is
        missing beside its last good copy (unless ``may_begin``: a test folder starts anew).
        """
        raw = self._read(self.path)
        if raw is None:
            if not may_begin and self.stood_once(fresh):
                raise StateError("dashboard.state_missing", self.path, copy=self.last_good)
            return fresh
        state = self._checked(self._parsed(raw, fresh), fresh)
        try:
            # A process that died between the rename and this left a file that a power cut takes back: nothing
            # may be sent by books that are not on the disk.
            self.folder.disk.sync_folder(self.path.parent)
        except OSError as problem:
            raise StateError("dashboard.state_not_written", self.path, detail=str(problem)) from problem
        return state

    def stood_once(self, fresh: DashboardState) -> bool:
        """Whether the last good copy is of books of ``fresh``'s mode; one that nobody can read is."""
        try:
            raw = self._read(self.last_good)
            return raw is not None and decode_state(raw, fresh).mode == fresh.mode
        except (StateError, MessageError, KeyError, TypeError, ValueError, AttributeError):
            return True

    def save(self, state: DashboardState, now: Moment, trading_day: str) -> tuple[DashboardState, bytes]:
        """Write ``state`` durably; returns it as saved, and its bytes. Raises StateError."""
        saved = replace(state, saves=state.saves + 1, is_seed=False)
        raw = encode_state(saved, now, trading_day)
        try:
            self.folder.disk.make_folder(self.path.parent)
            self.folder.publish(self.path.name, raw)
        except (FolderError, OSError) as problem:
            raise StateError("dashboard.state_not_written", self.path, detail=str(problem)) from problem
        return saved, raw

    def keep_last_good(self, raw: bytes) -> None:
        """Put the bytes just saved beside the file. Raises FolderError."""
        self.folder.publish(self.last_good.name, raw, durable=False)

    def keep_copy(self, raw: bytes, label: str) -> Path:
        """Keep a copy of the books for a person, e.g. before they are cleared. Raises FolderError."""
        name = f"{self.path.name}.{label}"
        self.folder.publish(name, raw)
        return self.path.with_name(name)

    def _read(self, path: Path) -> bytes | None:
        limit = 1 << 20  # a read reserves its whole limit at once: grow to the file, not to a huge guess
        try:
            while (raw := self.folder.disk.read(path, limit)) is not None and len(raw) > limit:
                limit *= 8
            return raw
        except OSError as problem:
            raise StateError("dashboard.state_unreadable", path, detail=str(problem)) from problem

    def _parsed(self, raw: bytes, fresh: DashboardState) -> DashboardState:
        try:
            return decode_state(raw, fresh)
        except (MessageError, KeyError, TypeError, ValueError, AttributeError) as problem:
            copy = self._read(self.last_good)
            offer = "dashboard.state_damaged" if copy is not None else "dashboard.state_damaged_no_copy"
            detail = f"{type(problem).__name__}: {problem}"
            if isinstance(problem, MessageError):  # its next step is a signal's, which is no advice for books
                detail = f"{problem.what}: {problem.why.rstrip('。.')}"
            raise StateError(offer, self.path, detail=detail, copy=self.last_good) from problem

    def _checked(self, state: DashboardState, fresh: DashboardState) -> DashboardState:
        for what in ("mode", "account", "strategy"):
            found, wanted = getattr(state, what), getattr(fresh, what)
            if found != wanted:
                raise StateError(
                    "dashboard.state_of_another", self.path, what=what, found=found, wanted=wanted
                )
        return state


def encode_state(state: DashboardState, now: Moment, trading_day: str) -> bytes:
    """The file's bytes, sealed."""
    payload: dict[str, Any] = {
        **state.extra,
        **parts_to_json(state.books, state.outbox),
        "schema_version": SCHEMA_VERSION,
        "writer": state.writer,
        "epoch": state.epoch,
        "seq": state.saves,
        "written_at": now.wall,
        "market_time": now.market,
        "trading_day": trading_day,
        "mode": state.mode,
        "account": state.account,
        "strategy": state.strategy,
        "code": state.code,
        "counter": state.counter,
        "executor": state.executor,
        "halts": [vars(halt) for halt in state.halts],
        "lifted": list(state.lifted),
        "paused": state.paused,
        "day_close": vars(state.day_close) if state.day_close else None,
        **ex_date_to_json(state.ex_date),
    }
    # The checksum is made of the very bytes a reader's parsing gives again: orjson writes what it has read
    # as it stood (tests/mac_side/test_state_file_never_starts_empty.py).
    sealed = payload | {"checksum": checksum(payload)}
    return orjson.dumps(sealed, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)


def decode_state(raw: bytes, fresh: DashboardState) -> DashboardState:
    """The state in ``raw``; a seed file takes mode, account, strategy and epoch of ``fresh``.

    Raises MessageError, KeyError, TypeError or ValueError where it is damaged.
    """
    payload = load_object(raw, limit=_NO_LIMIT)
    if _ENVELOPE.isdisjoint(payload):
        books, outbox = parts_from_json(payload)
        extra = _foreign(payload)
        return replace(fresh, books=books, outbox=outbox, extra=extra, is_seed=True)
    given = payload.pop("checksum", None)
    payload.pop("signature", None)
    if given != checksum(payload):
        raise MessageError("damaged", damaged=True)
    if payload["schema_version"] != SCHEMA_VERSION:
        raise MessageError("bad_version", version=str(payload["schema_version"])[:20])
    books, outbox = parts_from_json(payload)
    return DashboardState(
        epoch=Epoch(payload["epoch"]),
        mode=payload["mode"],
        account=AccountAlias(payload["account"]),
        strategy=StrategyName(payload["strategy"]),
        writer=payload["writer"],
        books=books,
        outbox=outbox,
        code=Code(payload["code"]) if payload.get("code") else None,
        counter=int(payload["counter"]),
        executor=InstanceId(payload["executor"]) if payload["executor"] else None,
        halts=tuple(HaltLatch(**halt) for halt in payload["halts"]),
        lifted=tuple(payload["lifted"]),
        paused=bool(payload["paused"]),
        day_close=DayClose(**known) if (known := payload.get("day_close")) else None,
        ex_date=ex_date_from_json(payload),
        saves=int(payload["seq"]),
        extra=_foreign(payload),
    )


def _foreign(payload: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in payload.items()
        if name not in SEED_KEYS and name not in OUR_KEYS and name not in _ENVELOPE
    }
