"""What schedules of the simulated world have found, each as the smallest story that shows it."""

from __future__ import annotations

from pathlib import Path

from mac_side.books import Intention
from mac_side.bridge_client.entry import entry_of
from mac_side.bridge_client.inbox import Inbox
from mac_side.bridge_client.outbox import Outbox
from shared_schema.clock import Stamper
from shared_schema.disk import LocalDisk
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import halt_name, heartbeat_name, result_name
from shared_schema.heartbeats import HeartbeatReader
from shared_schema.ids import Epoch, SignalId
from shared_schema.messages import Heartbeat, encode
from tests.execution.bench import ACCOUNT, INSTANCE, OPEN_AT, Bench, envelope_of, of_kind, rules_of, signal_of
from windows_side.brokers.port import BrokerStatus, Unclear
from windows_side.execution.actions import Archive, CancelAtBroker
from windows_side.execution.events import HaltsSeen, ResumeTyped
from windows_side.execution.halt_latch import digests_of
from windows_side.execution.results import result_of
from windows_side.executor_views import ExecutorViews

FIRST = "BUY_159201.SZ_L1_00000001"


def test_a_duplicate_that_arrives_late_is_still_a_duplicate() -> None:
    """Seed 101476: two equal intents decided a second apart, the executor down for 15 s between them."""
    bench = Bench()
    bench.drop(signal_of("first"))
    bench.pass_time(15.0)
    bench.drop(signal_of("second", timestamp=OPEN_AT + 1.0))
    assert (bench.state("second"), bench.result("second").error_code) == ("rejected", "duplicate_intent")


def test_the_same_intent_decided_later_is_a_new_one() -> None:
    """The window is about one decision sent twice, not about wanting the same again."""
    bench = Bench()
    bench.drop(signal_of("first"))
    bench.pass_time(15.0)
    bench.drop(signal_of("second", timestamp=OPEN_AT + 15.0))
    assert bench.state("second") == "submitted"


def test_an_end_seen_by_a_clock_that_ran_ahead_still_settles() -> None:
    """Seed 4: the order ended while the clock was an hour ahead; set right, the second reading counts."""
    bench = Bench(rules_of(final_read=2.0))
    bench.drop(signal_of())
    bench.placed(FIRST)
    bench.pass_time(3600.0)
    ended = bench.seen_order(status=BrokerStatus.CANCELLED)
    bench.update(ended)
    bench.pass_time(-3600.0)
    bench.day(ended)
    bench.pass_time(3.0)
    bench.day(ended)
    assert bench.state() == "cancelled"


def test_an_order_called_by_a_clock_that_ran_ahead_is_taken_back() -> None:
    """How long it lies at the market nobody knows then, and every order ends (I13)."""
    bench = Bench()
    bench.pass_time(3600.0)
    bench.quote()
    bench.drop(signal_of(timestamp=bench.now.wall, expires_at=bench.now.wall + 300.0))
    bench.placed(FIRST)
    bench.update(bench.seen_order())
    assert of_kind(bench.pass_time(-3600.0), CancelAtBroker)


def test_a_doubt_from_a_clock_that_ran_ahead_is_settled_by_the_next_list() -> None:
    """Unclear an hour from now, so to say: the simulated broker's next whole list still proves absence."""
    bench = Bench(rules_of(absence_is_proof=True))
    bench.drop(signal_of())
    bench.pass_time(3600.0)
    bench.answer(FIRST, Unclear("timeout"))
    bench.pass_time(-3600.0)
    bench.day()
    bench.pass_time(3.0)
    bench.day()
    assert bench.state() == "not_placed"


def test_a_resume_lifts_only_what_the_person_was_shown() -> None:
    """Seed 727: typed while the executor was busy or down; the halt that came meanwhile goes on halting."""
    first, later = b'{"halt": true, "reason": "first"}', b'{"halt": true, "reason": "later"}'
    bench = Bench()
    bench.halt(first, "person@mac")
    shown = digests_of({halt_name("person@mac"): first})
    files = {halt_name("person@mac"): first, halt_name("other@mac"): later}
    bench.tell(ResumeTyped("looked", files, shown))
    bench.tell(HaltsSeen(files))
    assert "later" in bench.core.halt_reason and "first" not in bench.core.halt_reason
    bench.tell(ResumeTyped("looked again", files, digests_of(files)))
    bench.tell(HaltsSeen(files))
    assert bench.core.halt_since is None


class CountingDisk(LocalDisk):
    """Counts the files put in place."""

    def __init__(self) -> None:
        self.renamed = 0

    def replace(self, source: Path, target: Path) -> None:
        self.renamed += 1
        super().replace(source, target)


def test_a_result_asked_for_again_is_written_anew(tmp_path: Path) -> None:
    """Seed 100401: the other side's copy was zeroed at equal size and time; only a new file travels."""
    disk, bench = CountingDisk(), Bench()
    bench.drop(signal_of())
    folder = DropFolder(tmp_path, disk)
    folder.prepare()
    stamper = Stamper("executor@test", Epoch("x"), "simulate", ACCOUNT)
    views = ExecutorViews(folder, bench.ledger, bench.rules, stamper, Epoch("l"), 1.0, None)
    views.result_if_missing(bench.row())
    views.result_if_missing(bench.row())
    assert disk.renamed == 1
    views.result_again(bench.row())
    assert disk.renamed == 2


def _beat(folder: DropFolder, epoch: str, seq: int) -> None:
    head = envelope_of(seq, writer="executor@windows", epoch=Epoch(epoch), written_at=OPEN_AT + seq)
    body = Heartbeat(role="executor", instance=INSTANCE, ready=True, state="ready")
    folder.publish(f"heartbeat/{heartbeat_name('executor', INSTANCE)}", encode(head, body))


def test_a_process_whose_clock_was_set_back_is_heard_again(tmp_path: Path) -> None:
    """Seed 405969: started anew with an earlier clock its epoch sorts before the known one, for hours."""
    folder = DropFolder(tmp_path)
    folder.prepare()
    reader = HeartbeatReader(folder)
    _beat(folder, "0002", 7)
    assert [beat.envelope.seq for beat in reader.read(OPEN_AT)] == [7]
    for seq in (1, 2, 3):
        _beat(folder, "0001", seq)
        heard = reader.read(OPEN_AT + seq)
    assert [(beat.envelope.epoch, beat.envelope.seq) for beat in heard] == [("0001", 3)]


def test_a_heartbeat_put_back_is_no_process(tmp_path: Path) -> None:
    """However often it comes: it does not count on."""
    folder = DropFolder(tmp_path)
    folder.prepare()
    reader = HeartbeatReader(folder)
    _beat(folder, "0002", 7)
    reader.read(OPEN_AT)
    for second in range(6):
        _beat(folder, "0001", 4)
        heard = reader.read(OPEN_AT + second)
    assert [beat.envelope.epoch for beat in heard] == ["0002"]


def test_a_wrong_file_for_another_executor_is_left_alone() -> None:
    """Seed 404160: two executors in one folder both answered a signal whose id no file can carry."""
    bench = Bench()
    raw = encode(envelope_of(), signal_of("a:b", executor="simulate-elsewhere"))
    actions = bench.tell(bench.raw_file(raw))
    assert bench.ledger.order(SignalId("a:b")) is None
    assert not of_kind(actions, Archive)


def test_results_behind_one_whose_receiver_broke_off_are_given_again(tmp_path: Path) -> None:
    """Seed 504395: the disk refused while the first of four results was applied; three were never told."""
    folder = DropFolder(tmp_path)
    folder.prepare()
    bench, outbox, names = Bench(), Outbox(), ("s1", "s2")
    for number, name in enumerate(names):
        raw = encode(envelope_of(number + 1), signal_of(name, layer_index=number))
        outbox = outbox.added(entry_of(raw, Intention("order", 1000, 1.2), 1, number + 1, "2026-11-18"))
        bench.tell(bench.raw_file(raw, f"order_signal_{name}.json"))
        result = encode(envelope_of(number + 1, writer="executor@windows"), result_of(bench.row(name)))
        folder.publish(f"order_results/{result_name(SignalId(name))}", result)
    inbox = Inbox(folder)
    for received in inbox.each(outbox):
        assert received.body.signal_id == "s1"
        break  # the receiver fails here
    assert [received.body.signal_id for received in inbox.fresh(outbox)] == ["s1", "s2"]
    assert inbox.fresh(outbox) == []
