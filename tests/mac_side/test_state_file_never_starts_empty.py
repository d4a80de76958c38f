"""The risk: books lost, halved or doubled by a crash, a damaged file or an upgrade (faults 1 to 3, I8)."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mac_side.books import Books, Lot
from mac_side.bridge_client.outbox import first_publication, publications
from mac_side.engine_core import EngineCore
from mac_side.engine_events import PublishSignal, SaveState
from mac_side.settling import settle_folder
from mac_side.state_file import DashboardState, StateFile, decode_state, encode_state, new_state, state_path
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import FolderError, StateError
from shared_schema.ids import AccountAlias, InstanceId, StrategyName
from test_offline.world.disk import SimDisk
from test_offline.world.timeline import Timeline
from tests.mac_side.crashing_disk import Crash, CrashingDisk
from tests.mac_side.world import EXECUTOR, beats, core, moment, quote

PATH = Path("/runtime/dashboard_state.simulate.json")
NOW = moment("10:00:30")
DAY = "2026-11-20"
GRID = StrategyName("grid")


def fresh() -> DashboardState:
    """The state of a strategy that never ran."""
    return new_state(NOW, "simulate", AccountAlias("main"), GRID, "dashboard@mac")


def before() -> DashboardState:
    """Bound books with an anchor and no lots."""
    return replace(fresh(), books=Books(anchor=1.06), executor=InstanceId(EXECUTOR))


def _decide_and_send(disk: CrashingDisk) -> None:
    """One process: load, decide on the same quote, save, publish, keep the copy; may crash anywhere."""
    state_file = StateFile(PATH, disk)
    made = EngineCore(core().config, state_file.load(fresh()))
    made.handle(beats(NOW), NOW)
    folder = DropFolder(Path("/folder"), disk)
    for command in made.handle(quote(NOW, 1.052), NOW):
        if isinstance(command, SaveState):
            made.state, raw = state_file.save(made.state, NOW, DAY)
        elif isinstance(command, PublishSignal):
            entry = made.state.outbox.get(command.signal_id)
            assert entry is not None
            publication = first_publication(made.state.outbox, entry, GRID, folder.read)
            folder.publish(publication.name, publication.raw)
    state_file.keep_last_good(raw)


def _signals(disk: CrashingDisk) -> dict[str, bytes]:
    found = {p.name: raw for p, raw in disk.files.items() if p.parent == Path("/folder")}
    return {name: raw for name, raw in found.items() if not name.startswith(".")}


@pytest.mark.parametrize("seed", range(20))
def test_books_once_loaded_survive_a_power_cut(seed: int) -> None:
    """Killed between the rename and the folder's fsync, started again, then the power fails: what the second
    process went by, and may have sent by, is still there (seed 9161058 of the simulated world)."""
    disk = SimDisk(Timeline(0.0))
    place = Path("/runtime/books.json")
    disk.make_folder(place.parent)
    StateFile(place, disk).save(before(), NOW, DAY)
    newer = replace(before(), books=Books(anchor=1.07), saves=1)
    disk.create(place.with_name("new"), encode_state(newer, NOW, DAY))
    disk.replace(place.with_name("new"), place)
    went_by = StateFile(place, disk).load(fresh())
    disk.lose_power(random.Random(seed))
    assert StateFile(place, disk).load(fresh()).books == went_by.books == newer.books


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("stop_at", range(1, 10))
def test_a_crash_at_any_step_leaves_one_id_at_most(stop_at: int, torn: bool) -> None:
    """Killed at each step of the disk, then started again: one signal, one lot, the same bytes."""
    start = CrashingDisk()
    StateFile(PATH, start).save(before(), NOW, DAY)
    disk = CrashingDisk(start.files, stop_at, torn)
    with pytest.raises(Crash):
        _decide_and_send(disk)
    crashed = CrashingDisk(disk.files)
    state = StateFile(PATH, crashed).load(fresh())
    published = _signals(crashed)
    if not state.outbox.entries:
        assert published == {} and state.books.lots == ()
        return
    (entry,) = state.outbox.entries
    assert [lot.client_order_id for lot in state.books.lots] == [entry.signal_id]
    assert set(published.values()) <= {entry.raw}
    later = NOW.wall + 10
    folder = DropFolder(Path("/folder"), crashed)
    for publication in publications(state.outbox, GRID, folder.read, later, 3.0, {}):
        folder.publish(publication.name, publication.raw)
    assert list(_signals(crashed).values()) == [entry.raw]
    again = EngineCore(core().config, state)
    again.handle(beats(NOW), NOW)
    again.handle(quote(NOW, 1.052), NOW)
    assert len(again.state.outbox.entries) == 1


def test_the_steps_are_as_many_as_the_test_above_crashes_at() -> None:
    """State (3 steps), signal (3) and copy (2): beyond the eighth nothing is left to crash at."""
    start = CrashingDisk()
    StateFile(PATH, start).save(before(), NOW, DAY)
    disk = CrashingDisk(start.files)
    _decide_and_send(disk)
    assert disk.steps == 9
    with pytest.raises(Crash):
        _decide_and_send(CrashingDisk(start.files, disk.steps))


def test_a_full_disk_stops_before_anything_is_sent() -> None:
    """The state can't be written: StateError, and no signal in the folder (fault 12)."""

    class Full(CrashingDisk):
        def create(self, path: Path, data: bytes) -> None:
            raise OSError(28, "No space left on device")

    start = CrashingDisk()
    StateFile(PATH, start).save(before(), NOW, DAY)
    disk = Full(start.files)
    with pytest.raises(StateError):
        _decide_and_send(disk)
    assert _signals(disk) == {}


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\x00" * 40, b'{"positions": [{"shares": -1}]}'])
def test_a_damaged_file_stops_names_itself_and_offers_the_copy(damage: bytes) -> None:
    """Never read as empty: StateError names the file and the last good copy; the file stays as it is."""
    disk = CrashingDisk()
    state_file = StateFile(PATH, disk)
    _, raw = state_file.save(before(), NOW, DAY)
    state_file.keep_last_good(raw)
    disk.files[PATH] = damage
    with pytest.raises(StateError) as stopped:
        state_file.load(fresh())
    assert str(PATH) in str(stopped.value) and ".last_good" in str(stopped.value)
    # A damaged file is no signal: what to do with one is no advice here.
    assert "MessageError" not in str(stopped.value) and "重发" not in str(stopped.value)
    assert disk.files[PATH] == damage


def test_every_flipped_byte_is_noticed() -> None:
    """A bit that flips anywhere in the content stops: the checksum holds for all of it."""
    state = replace(before(), books=Books(lots=(Lot(1000, 1050.0, 1.05, "a"),), anchor=1.05))
    raw = encode_state(state, NOW, DAY)
    for place in range(0, len(raw), 7):
        flipped = raw[:place] + bytes([raw[place] ^ 0x01]) + raw[place + 1 :]
        try:
            read = decode_state(flipped, fresh())
        except Exception:
            continue
        assert read == decode_state(raw, fresh())


def test_a_missing_file_beside_its_copy_stops() -> None:
    """Somebody removed the books: not a first start."""
    disk = CrashingDisk()
    state_file = StateFile(PATH, disk)
    _, raw = state_file.save(before(), NOW, DAY)
    state_file.keep_last_good(raw)
    del disk.files[PATH]
    with pytest.raises(StateError):
        state_file.load(fresh())
    assert state_file.load(fresh(), may_begin=True).books == Books()


def test_books_of_another_account_or_mode_are_refused() -> None:
    """Rule 10: a state of another mode, account or strategy is not taken over."""
    disk = CrashingDisk()
    StateFile(PATH, disk).save(before(), NOW, DAY)
    for changed in ({"mode": "live"}, {"account": AccountAlias("b")}, {"strategy": StrategyName("b")}):
        with pytest.raises(StateError):
            StateFile(PATH, disk).load(replace(fresh(), **changed))  # type: ignore[arg-type]


def test_a_state_comes_back_as_it_was_with_the_users_own_keys() -> None:
    """Books, outbox, halts and unknown keys, in the file and in its lots, survive a round trip."""
    made = core(state=before())
    made.handle(beats(NOW), NOW)
    made.handle(quote(NOW, 1.052), NOW)
    lots = (*made.state.books.lots, Lot(100, 105.0, 1.05, "x", ("y",), (("note", "mine"),)))
    state = replace(made.state, books=replace(made.state.books, lots=lots), extra={"mine": [1, 2]})
    assert decode_state(encode_state(state, NOW, DAY), fresh()) == state


BUY_STATE = {
    "last_buy_price": 1.05,
    "positions": [{"shares": 2200, "cost": 2310, "buy_price": 1.05}],
    "last_sent_signal_id": "sig-buy-001",
    "last_sent_signal_direction": "BUY",
    "last_sent_signal_shares": 2200,
    "last_sent_signal_price": 1.05,
    "last_sent_buy_prev_anchor": 1.06,
    "last_sent_was_topup": False,
    "hold_layers": 1,
    "hold_t0_volume": 2200,
    "total_cost": 2310,
    "their_own_key": "kept",
}
SELL_STATE = {
    "positions": [],
    "last_sent_signal_id": "sig-sell-001",
    "last_sent_signal_direction": "SELL",
    "last_sent_signal_shares": 2200,
    "last_sent_sell_removed_lots": [{"shares": 2200, "cost": 2310, "buy_price": 1.05}],
}


def _phase_4(folder: Path, state: dict[str, object], direction: str) -> dict[str, object]:
    result = {
        "signal_id": state["last_sent_signal_id"],
        "status": "success",
        "order_id": "1",
        "message": "",
        "timestamp": NOW.wall,
        "direction": direction,
        "requested_shares": 2200,
        "filled_shares": 1100,
    }
    (folder / "order_result.json").write_bytes(orjson.dumps(result))
    path = folder / "dashboard_state.json"
    path.write_bytes(orjson.dumps(state))
    for _ in range(2):  # the second time changes nothing
        settle_folder(StateFile(path), fresh(), DropFolder(folder), NOW)
    return orjson.loads(path.read_bytes())


def test_offline_phase_4_buy(tmp_path: Path) -> None:
    """The seed's partial buy, in the seed's own names, applied once though read twice."""
    (tmp_path / "OFFLINE").touch()
    after = _phase_4(tmp_path, BUY_STATE, "BUY")
    lot = after["positions"][-1]  # type: ignore[index]
    assert (lot["shares"], lot["cost"], lot["buy_price"]) == (1100, 1155.0, 1.05)
    pending = (after["pending_buy_shares"], after["pending_buy_price"], after["pending_buy_since"])
    assert pending == (1100, 1.05, NOW.market)
    assert (after["hold_layers"], after["hold_t0_volume"], after["total_cost"]) == (1, 1100, 1155.0)
    assert after["their_own_key"] == "kept"


def test_offline_phase_4_sell(tmp_path: Path) -> None:
    """The seed's partial sell: the unsold half is a lot again, with layers, volume and cost recomputed."""
    (tmp_path / "OFFLINE").touch()
    after = _phase_4(tmp_path, SELL_STATE, "SELL")
    lots: Any = after["positions"]
    assert len(lots) == 1
    lot = lots[0]
    assert (lot["shares"], lot["cost"]) == (1100, 1155.0)
    assert (after["hold_layers"], after["hold_t0_volume"], after["total_cost"]) == (1, 1100, 1155.0)


def test_offline_phase_4_an_old_top_up_is_dropped(tmp_path: Path) -> None:
    """Older than 15 minutes in the seed's file: gone after the next look."""
    old = {
        **BUY_STATE,
        "last_sent_signal_id": None,
        "pending_buy_shares": 1100,
        "pending_buy_price": 1.05,
        "pending_buy_since": NOW.market - 901,
    }
    (tmp_path / "dashboard_state.json").write_bytes(orjson.dumps(old))
    path = tmp_path / "dashboard_state.json"
    settle_folder(StateFile(path), fresh(), DropFolder(tmp_path), NOW)
    assert orjson.loads(path.read_bytes())["pending_buy_shares"] == 0


def test_where_the_books_stand(tmp_path: Path) -> None:
    """RUNTIME_DIR; the folder with DASHBOARD_WORK_DIR or where one stands; simulated ones apart."""
    folder, runtime = tmp_path / "f", tmp_path / "r"
    folder.mkdir()

    def where(mode: str, strategy: str = "grid", **flags: bool) -> Path:
        given = {"offline": False, "in_folder": False} | flags
        return state_path(folder, runtime, mode, StrategyName(strategy), **given)  # type: ignore[arg-type]

    assert where("live") == runtime / "dashboard_state.json"
    assert where("simulate") == runtime / "dashboard_state.simulate.json"
    assert where("live", "b") == runtime / "dashboard_state_b.json"
    assert where("simulate", in_folder=True) == folder / "dashboard_state.simulate.json"
    assert where("simulate", offline=True) == folder / "dashboard_state.json"
    (folder / "dashboard_state.json").touch()
    assert where("live") == folder / "dashboard_state.json"


def test_a_copy_of_another_mode_is_no_books_of_this_one(tmp_path: Path) -> None:
    """OFFLINE books go plain: their copy left behind neither draws live books there nor stops their start."""
    folder, runtime = tmp_path / "f", tmp_path / "r"
    there = StateFile(folder / "dashboard_state.json")
    live = replace(fresh(), mode="live")

    def where() -> Path:
        return state_path(folder, runtime, "live", StrategyName("grid"), offline=False, in_folder=False)

    _, raw = there.save(replace(live, mode="simulate"), NOW, DAY)
    there.keep_last_good(raw)
    there.path.unlink()
    assert where() == runtime / "dashboard_state.json"
    assert there.load(live) is live  # DASHBOARD_WORK_DIR
    for kept in (raw[:-9], raw.replace(b'"simulate"', b'"simulata"'), there.save(live, NOW, DAY)[1]):
        there.path.unlink(missing_ok=True)
        there.keep_last_good(kept)  # nobody can read it, or it is live: those books are missed
        assert where() == there.path
        with pytest.raises(StateError):
            there.load(live)


def test_two_sets_of_books_stop_the_start(tmp_path: Path) -> None:
    """An old copy in the exchange folder beside those of RUNTIME_DIR: a person says which are right."""
    folder, runtime = tmp_path / "f", tmp_path / "r"
    for place in (folder, runtime):
        StateFile(place / "dashboard_state.json").save(fresh(), NOW, DAY)

    def where(*, in_folder: bool = False, offline: bool = False) -> Path:
        return state_path(folder, runtime, "live", StrategyName("grid"), offline=offline, in_folder=in_folder)

    with pytest.raises(StateError) as told:
        where()
    assert str(runtime / "dashboard_state.json") in str(told.value)
    assert where(in_folder=True) == where(offline=True) == folder / "dashboard_state.json"
    (folder / "dashboard_state.json").rename(tmp_path / "put-away.json")
    assert where() == runtime / "dashboard_state.json"


def test_a_folder_that_refuses_the_copy_is_told(tmp_path: Path) -> None:
    """The last good copy can't be written: FolderError, never silence."""
    with pytest.raises(FolderError):
        StateFile(tmp_path / "missing" / "dashboard_state.json").keep_last_good(b"{}")


@pytest.mark.slow
@given(
    shares=st.integers(1, 10**9),
    cost=st.floats(0, 1e300),
    anchor=st.one_of(st.none(), st.floats(1e-9, 1e300)),
    note=st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.floats(allow_nan=False), st.text(), st.integers(-(2**63), 2**63)
        ),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
        max_leaves=8,
    ),
)
def test_what_was_sealed_is_read_back(shares: int, cost: float, anchor: float | None, note: Any) -> None:
    """Any books and any keys of the user: the seal holds for what a reader parses, value for value."""
    read_once = orjson.loads(orjson.dumps({"note": note}))
    books = Books(lots=(Lot(shares, cost, 1.05, "BUY_1"),), anchor=anchor)
    state = replace(before(), books=books, extra=read_once)
    raw = encode_state(state, NOW, DAY)
    back = decode_state(raw, fresh())
    assert (back.books, back.extra) == (books, read_once)
    assert encode_state(back, NOW, DAY) == raw
