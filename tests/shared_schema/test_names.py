"""Which names are ours: hostile ids never reach a path, copies are told from signals."""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from shared_schema.drop_folder.names import (
    NAME_LIMIT,
    NameKind,
    classify,
    done_name,
    halt_name,
    heartbeat_name,
    is_halt,
    result_name,
    ring_name,
    signal_name,
    state_name,
)
from shared_schema.ids import InstanceId, SignalId, StrategyName, file_part, is_file_safe

HOSTILE = [
    "../../x",
    "..\\..\\x",
    "/etc/passwd",
    "C:\\x",
    "CON",
    "con",
    "NUL.txt",
    "com1",
    "LPT9.a.b",
    "a\nb",
    "a\0b",
    "a\r",
    "x" * 300,
    "a.",
    ".a",
    "..",
    ".",
    "",
    " ",
    "a b",
    "a:b",
    "a*",
    "a?b",
    "买入",
    "é",
    "é",
    "\ud800",
    "a/../b",
    "~a",
    "-rf",
    "%2e%2e",
    "AUX",
    "a" * 64,
    "a" * 65,
    "COM¹",
]
ids = some.one_of(some.text(max_size=120), some.sampled_from(HOSTILE), some.from_regex(r"[\w.\-]{1,70}"))
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?\Z", re.IGNORECASE)


@pytest.mark.slow
@given(ids)
@settings(max_examples=400)
@example("CON")
@example("../../x")
def test_no_id_makes_an_unsafe_name(identity: str) -> None:
    """Rule 8: ASCII, at most 100 characters, one path part, no reserved name, no edge dot."""
    part = file_part(identity)
    names = [f(SignalId(identity)) for f in (signal_name, done_name, result_name)]
    names += [heartbeat_name("executor", InstanceId(identity)), state_name(StrategyName(identity), "live")]
    for name in (part, *names):
        assert name.isascii() and name.isprintable() and 0 < len(name) <= NAME_LIMIT
        assert PurePosixPath(name).name == PureWindowsPath(name).name == name
        assert not name.startswith(".") and not name.endswith((".", " "))
        assert not RESERVED.match(name)
    assert classify(signal_name(SignalId(identity))).kind is NameKind.SIGNAL
    assert classify(signal_name(SignalId(identity))).id_part == part


@given(some.lists(ids, min_size=2, max_size=40, unique=True))
@settings(max_examples=100)
def test_two_ids_never_share_a_name(identities: list[str]) -> None:
    """Or one's result would answer the other."""
    assert len({file_part(identity) for identity in identities}) == len(identities)


@pytest.mark.parametrize("identity", [*HOSTILE[:-4], "AUX", "a" * 65, "COM¹"], ids=ascii)
def test_hostile_ids_are_hashed(identity: str) -> None:
    """Each of the list is no part of a name; equal but for composition or case they differ still."""
    expected_safe = identity in ("-rf",)
    assert is_file_safe(identity) is expected_safe
    if not expected_safe:
        assert re.fullmatch(r"x-[0-9a-f]{32}", file_part(identity))


def test_an_ordinary_id_is_its_own_name() -> None:
    """People find their files."""
    assert signal_name(SignalId("BUY_159201.SZ_L1_1a2b3c4d")) == "order_signal_BUY_159201.SZ_L1_1a2b3c4d.json"
    assert file_part("a" * 64) == "a" * 64


def test_a_halt_name_is_safe_and_halts() -> None:
    """Whatever the host is called."""
    for writer in ("dashboard@mac", "x@" + "h" * 300, "../@..", "a@主机"):
        name = halt_name(writer)
        assert is_halt(name) and name.isascii() and len(name) <= NAME_LIMIT and "/" not in name


BASES = (
    "order_signal",
    "order_result",
    "shared_quote",
    "account_snapshot",
    "executed_signals",
    "shared_pool",
)
COPIES = (
    "{}.sync-conflict-20261118-101500-ABCDEF7.json",
    "{} (Li's conflicted copy 2026-11-18).json",
    "{}-DESKTOP-7.json",
    "{} 2.json",
    "{} (1).json",
    "{}.Conflict.json",
    "{}-冲突.json",
    "{}-NSConflict-li.json",
    "{} (Case Conflict).json",
)


@pytest.mark.parametrize("pattern", COPIES)
@pytest.mark.parametrize("base", BASES)
def test_every_conflict_copy_of_a_file_of_ours_is_one(base: str, pattern: str) -> None:
    """Rule 7, each tool's pattern on each of our names."""
    assert classify(pattern.format(base)).kind is NameKind.CONFLICT


@pytest.mark.parametrize("pattern", COPIES)
def test_a_copy_of_a_signal_is_a_copy_or_is_told_by_its_payload(pattern: str) -> None:
    """Where the name is well-formed the id in it is not that of the payload; else the name tells."""
    name = classify(pattern.format("order_signal_s1"))
    if name.kind is NameKind.SIGNAL:
        assert name.id_part is not None and name.id_part != file_part("s1")
    else:
        assert name.kind is NameKind.CONFLICT


@pytest.mark.parametrize(
    "identity", ["s1-DESKTOP-7", "grid_2", "a.sync-conflict-20261118-101500-ABCDEF7", "a.Conflict"]
)
def test_a_well_formed_name_that_looks_like_a_copy_is_a_signal(identity: str) -> None:
    """The checked payload decides, never the pattern."""
    assert classify(signal_name(SignalId(identity))).kind is NameKind.SIGNAL


@pytest.mark.parametrize("strategy", ["grid", "grid_2", "my-script", "no-conflict-here", "a.b"])
@pytest.mark.parametrize("mode", ["live", "simulate"])
def test_books_of_a_strategy_are_never_taken_for_a_copy(strategy: str, mode: str) -> None:
    """Moved to quarantine they would be lost to their owner."""
    assert classify(state_name(StrategyName(strategy), mode)).kind is NameKind.VIEW


@pytest.mark.parametrize(
    "name", ["dashboard_state (1).json", "dashboard_state_grid.sync-conflict-20261118-101500-ABCDEF7.json"]
)
def test_copies_of_books_are_copies(name: str) -> None:
    """Read by nobody, moved aside."""
    assert classify(name).kind is NameKind.CONFLICT


@pytest.mark.parametrize(
    "name",
    [
        ".order_signal_s1.json1a2b.tmp",
        ".syncthing.order_signal.json.tmp",
        "~syncthing~x.tmp",
        "order_signal.json~",
        "order_signal_s1.json.part",
        ".order_signal.json.swp",
        "order_signal_s1.json.!sync",
        ".DS_Store",
        "._order_signal.json",
        "order_signal.json.icloud",
    ],
)
def test_temporary_names_are_ignored(name: str) -> None:
    """Fault 32."""
    assert classify(name).kind is NameKind.TEMPORARY


@pytest.mark.parametrize(
    "name",
    ["readme.txt", "order_signal.txt", "ORDER_SIGNAL.JSON", "signal.json", "order_signals.json", "x\n.json"],
)
def test_other_names_are_nobodys(name: str) -> None:
    """Left alone, never read."""
    assert classify(name).kind is NameKind.FOREIGN


def test_our_own_names_are_views() -> None:
    """Every file of the contract's table in the top folder."""
    names = [f"{base}.json" for base in BASES if base != "order_signal"] + ["dashboard_state.json", "OFFLINE"]
    names += [ring_name(slot) for slot in range(8)] + [
        "account_snapshot.simulate.json",
        "dashboard_state.simulate.json",
    ]
    assert {classify(name).kind for name in names} == {NameKind.VIEW}
    assert classify("order_signal.json").kind is NameKind.SIGNAL_SLOT


@given(some.text(max_size=200))
@settings(max_examples=300)
def test_any_text_is_classified(text: str) -> None:
    """No name of a listing stops the scan, and only well-formed ones are read as signals."""
    name = classify(text)
    if name.kind is NameKind.SIGNAL:
        assert re.fullmatch(r"order_signal_[A-Za-z0-9._-]{1,64}\.json", text)


@pytest.mark.parametrize(
    ("name", "halts"),
    [
        ("halt", True),
        ("HALT.x.json", True),
        ("halt.a@b (1).json", True),
        (".halt.x.tmp", False),
        ("resume.json", False),
    ],
)
def test_what_halts_by_its_name(name: str, halts: bool) -> None:
    """A conflict copy of a halt is a halt; a temp name is none yet."""
    assert is_halt(name) is halts
