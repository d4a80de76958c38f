"""The folder protocol on a disk that fails: all or nothing, and nothing is ever lost."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import orjson
import pytest

from shared_schema.disk import LocalDisk
from shared_schema.drop_folder import DropFolder, NameKind
from shared_schema.errors import FolderError
from shared_schema.ids import SignalId
from shared_schema.messages.record import SMALL_FILE
from tests.shared_schema.faulty_disk import FaultyDisk


@pytest.fixture
def disk() -> FaultyDisk:
    """A disk that works until the test says otherwise."""
    return FaultyDisk()


@pytest.fixture
def folder(tmp_path: Path, disk: FaultyDisk) -> DropFolder:
    """A prepared exchange folder."""
    folder = DropFolder(tmp_path, disk)
    folder.prepare()
    disk.steps.clear()
    return folder


def names(path: Path) -> set[str]:
    """The files of a folder."""
    return {entry.name for entry in path.iterdir() if entry.is_file()}


def test_publish_writes_apart_and_renames(folder: DropFolder, disk: FaultyDisk) -> None:
    """Rule 2: private name in the same folder, durable, one rename, the folder durable."""
    folder.publish("heartbeat/a.json", b"1")
    steps = [step for step, _ in disk.steps]
    assert steps == ["create", "replace", "sync_folder"]
    assert disk.steps[0][1].startswith(".a.json") and disk.steps[0][1].endswith(".tmp")
    assert names(folder.path / "heartbeat") == {"a.json"}


@pytest.mark.parametrize("step", ["create", "tear", "replace", "sync_folder"])
@pytest.mark.parametrize("exists", [False, True])
def test_a_publish_that_fails_leaves_the_old_file_or_the_whole_new_one(
    step: str, exists: bool, folder: DropFolder, disk: FaultyDisk
) -> None:
    """At every step: FolderError, never half a file under the name, no temp file left behind."""
    if exists:
        folder.publish("a.json", b"old")
    disk.fails = lambda tried, path: tried == step
    with pytest.raises(FolderError) as raised:
        folder.publish("a.json", b"new content")
    assert "a.json" in str(raised.value)
    found = folder.path / "a.json"
    allowed = [b"new content"] if step == "sync_folder" else [b"old"] if exists else [None]
    assert (found.read_bytes() if found.exists() else None) in allowed
    assert not {name for name in names(folder.path) if name.endswith(".tmp")}


def test_a_publish_whose_clean_up_fails_too_reports_the_first_failure(
    folder: DropFolder, disk: FaultyDisk
) -> None:
    """The temp file that stays is ignored by every reader."""
    disk.fails = lambda tried, path: tried in ("replace", "remove")
    with pytest.raises(FolderError):
        folder.publish("order_signal_s1.json", b"x")
    disk.fails = lambda tried, path: False
    assert [found.name.kind for found in folder.scan()] == [NameKind.TEMPORARY]
    assert folder.signals() == []


def test_a_short_write_is_no_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A nearly full disk takes a part and says nothing: the rest is written, or the error is raised."""
    fdopen = os.fdopen

    class Stingy:
        def __init__(self, file: object) -> None:
            self.file = file

        def __enter__(self) -> Stingy:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()  # type: ignore[attr-defined]

        def write(self, data: bytes) -> int:
            return self.file.write(bytes(data)[:7])  # type: ignore[attr-defined, no-any-return]

        def fileno(self) -> int:
            return self.file.fileno()  # type: ignore[attr-defined, no-any-return]

    monkeypatch.setattr(os, "fdopen", lambda *args, **more: Stingy(fdopen(*args, **more)))
    LocalDisk().create(tmp_path / "a", b"x" * 100)
    monkeypatch.undo()
    assert (tmp_path / "a").read_bytes() == b"x" * 100


def test_a_private_name_is_never_reused(tmp_path: Path) -> None:
    """Two writers with one random part: the second fails loudly and changes nothing."""
    LocalDisk().create(tmp_path / "a", b"first")
    with pytest.raises(FileExistsError):
        LocalDisk().create(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"


def test_reading(folder: DropFolder, disk: FaultyDisk) -> None:
    """Missing is None; too large shows by one byte more; unreadable is an error, not missing."""
    assert folder.read("none.json") is None
    folder.publish("big", b"x" * (SMALL_FILE + 5))
    assert len(folder.read("big") or b"") == SMALL_FILE + 1
    disk.fails = lambda tried, path: tried == "read"
    with pytest.raises(FolderError):
        folder.read("big")


def test_a_listing_that_fails_is_not_an_empty_folder(
    folder: DropFolder, disk: FaultyDisk, tmp_path: Path
) -> None:
    """Rule 6: absence is not news."""
    disk.fails = lambda tried, path: tried == "list"
    for look in (folder.scan, folder.signals, folder.halts):
        with pytest.raises(FolderError):
            look()
    gone = DropFolder(tmp_path / "gone")
    with pytest.raises(FolderError):
        gone.scan()
    with pytest.raises(FolderError):
        gone.halts()


def test_a_scan_is_oldest_first_and_reads_only_our_names(folder: DropFolder) -> None:
    """Folders are no files; foreign names are shown as such and are no signals."""
    for age, name in enumerate(
        ("order_signal_b.json", "note.txt", "order_signal.json", "order_signal_a.json")
    ):
        folder.publish(name, b"x")
        os.utime(folder.path / name, ns=(age * 10**9, age * 10**9))
    assert [found.name.text for found in folder.signals()] == [
        "order_signal_b.json",
        "order_signal.json",
        "order_signal_a.json",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_are_not_followed(folder: DropFolder, tmp_path: Path) -> None:
    """A link in the folder could name any file of the host."""
    (tmp_path / "secret").write_bytes(b"x")
    (folder.path / "order_signal_s1.json").symlink_to(tmp_path / "secret")
    assert folder.signals() == []


def test_archive_returns_what_was_moved(folder: DropFolder) -> None:
    """The caller reads it: another signal may have come under the name meanwhile."""
    folder.publish("order_signal.json", b"the next signal")
    assert folder.archive("order_signal.json", SignalId("s1")) == b"the next signal"
    assert folder.archive("order_signal.json", SignalId("s1")) is None
    folder.rename_done(SignalId("s1"), SignalId("s2"))
    assert names(folder.path / "order_signal_done") == {"order_signal_s2.done"}


def test_an_archive_that_fails_leaves_the_file(folder: DropFolder, disk: FaultyDisk) -> None:
    """It is a courtesy: the file stays, loudly."""
    folder.publish("order_signal.json", b"x")
    disk.fails = lambda tried, path: tried == "replace"
    with pytest.raises(FolderError):
        folder.archive("order_signal.json", SignalId("s1"))
    assert (folder.path / "order_signal.json").read_bytes() == b"x"


NAMES = ["order_signal.json", "order_signal (1).json", "x" * 200 + ".json", "订单" * 40 + ".json"]


@pytest.mark.parametrize("name", NAMES, ids=["slot", "copy", "long", "chinese"])
def test_quarantine_keeps_every_file_and_its_reason(name: str, folder: DropFolder) -> None:
    """Two bad files of one name are two files in quarantine, each with its reason."""
    contents = [b"first", b"second", b"third"]
    places = []
    for raw in contents[:2]:
        (folder.path / name).write_bytes(raw)
        places.append(folder.quarantine_move(name, {"reason": "bad"}))
    places.append(folder.quarantine_copy(name, contents[2], {"reason": "bad"}))
    quarantine = folder.path / "quarantine"
    assert [(quarantine / place).read_bytes() for place in places] == contents
    for place in places:
        assert orjson.loads((quarantine / f"{place}.reason.json").read_bytes()) == {
            "name": name,
            "reason": "bad",
        }
    assert not (folder.path / name).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only there are names any bytes")
def test_a_name_of_another_encoding_is_quarantined(folder: DropFolder) -> None:
    """GBK names from a share: moved with a readable reason, nothing raised."""
    raw_name = os.fsencode(folder.path) + "/order_signal-冲突.json".encode("gbk")
    with open(raw_name, "wb") as file:
        file.write(b"x")
    name = os.fsdecode(os.path.basename(raw_name))
    place = folder.quarantine_move(name, {"reason": "conflict_copy"})
    assert (folder.path / "quarantine" / place).read_bytes() == b"x"
    assert not os.path.exists(raw_name)


def test_the_same_bytes_are_copied_once(folder: DropFolder) -> None:
    """A bad file that is looked at again and again does not fill the disk."""
    for _ in range(3):
        folder.quarantine_copy("order_signal.json", b"half", {"reason": "unreadable"})
    assert len(names(folder.path / "quarantine")) == 2


def test_a_quarantine_that_fails_leaves_the_file(folder: DropFolder, disk: FaultyDisk) -> None:
    """Nothing lost, and said."""
    folder.publish("order_signal.json", b"x")
    disk.fails = lambda tried, path: tried == "replace"
    with pytest.raises(FolderError):
        folder.quarantine_move("order_signal.json", {"reason": "bad"})
    assert (folder.path / "order_signal.json").read_bytes() == b"x"
    disk.fails = lambda tried, path: False
    folder.quarantine_move("gone.json", {"reason": "bad"})
    assert names(folder.path / "quarantine") == set()


def test_halts_are_found_even_where_they_cannot_be_read(folder: DropFolder, disk: FaultyDisk) -> None:
    """An unreadable halt is None, which halts; temp names are none; no folder is no halt."""
    for name in ("halt.a@b.json", "halt.a@b (1).json", ".halt.a@b.json.tmp", "note.txt"):
        (folder.path / "control" / name).write_bytes(b"{}")
    assert folder.halts() == {"halt.a@b.json": b"{}", "halt.a@b (1).json": b"{}"}
    disk.fails = lambda tried, path: tried == "read"
    assert folder.halts() == {"halt.a@b.json": None, "halt.a@b (1).json": None}


def test_a_folder_without_control_has_no_halts(tmp_path: Path) -> None:
    """A folder nobody prepared yet."""
    assert DropFolder(tmp_path).halts() == {}
