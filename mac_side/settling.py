"""Results meet the state: check, note, settle, and keep books and outbox consistent with each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from mac_side.books import drop_old_top_ups
from mac_side.books_settling import apply_result
from mac_side.bridge_client.entry import OutboxEntry, with_result
from mac_side.bridge_client.inbox import Inbox, refusal_of
from mac_side.bridge_client.outbox import Outbox, forget_bytes
from mac_side.state_file import DashboardState, StateFile
from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import StateError
from shared_schema.ids import Code, Epoch
from shared_schema.messages import OrderResult, Received
from shared_schema.sessions import trading_day_of


@dataclass(frozen=True)
class Settled:
    """What one result did. ``outcome``: "noted" (not terminal), "applied", "late" (a difference after it
    was settled), "ignored" (nothing new) or "refused"; ``problem`` is one word for an alarm."""

    state: DashboardState
    entry: OutboxEntry | None
    outcome: str
    problem: str = ""

    @property
    def must_save(self) -> bool:
        """Whether the books changed."""
        return self.outcome in ("applied", "late")


def settle(
    state: DashboardState,
    received: Received[OrderResult],
    now: Moment,
    *,
    version_1_allowed: bool,
    offline: bool = False,
) -> Settled:
    """``state`` after ``received``: each revision of each signal counts once, in any order of arrival."""
    result = received.body
    entry = state.outbox.get(result.signal_id)
    if entry is None:
        return Settled(state, None, "ignored")
    refusal = refusal_of(
        entry,
        received,
        mode=state.mode,
        account=state.account,
        version_1_allowed=version_1_allowed,
        offline=offline,
    )
    if refusal:
        return Settled(state, entry, "refused", refusal)
    if result.revision < entry.revision_seen:
        return Settled(state, entry, "ignored")
    was_settled = entry.settled
    settlement = apply_result(state.books, entry.intention, result, now.market)
    if not settlement.changed:
        outcome = "ignored" if result.revision == entry.revision_seen else "noted"
        if settlement.problem:
            return Settled(state, entry, "refused", settlement.problem)
        entry = with_result(entry, result, now.wall)
        return Settled(replace(state, outbox=state.outbox.put(entry)), entry, outcome)
    written = received.envelope.written_at if received.envelope else result.timestamp
    entry = replace(
        with_result(entry, result, now.wall), intention=settlement.intention, settled_at=written
    )
    entry = forget_bytes(entry)
    outbox = state.outbox.put(entry)
    if entry.intention.kind == "buy" and not was_settled and result.filled_shares == 0:
        outbox = _without_failed_anchor(outbox, entry)
    changed = replace(state, books=settlement.books, outbox=outbox)
    return Settled(changed, entry, "late" if was_settled else "applied", settlement.problem)


def settle_without_answer(
    state: DashboardState, entry: OutboxEntry, message: str, now: Moment
) -> DashboardState:
    """``state`` with the open ``entry`` ended as never placed, by a person's word (``message``).

    No revision counts as applied: whatever its executor says later, the first one included, is a late result.
    """
    told = OrderResult(signal_id=entry.signal_id, status="failed", state="not_placed", message=message)
    settlement = apply_result(state.books, entry.intention, told, now.market)
    entry = replace(
        entry,
        intention=replace(settlement.intention, revision=-1),
        settled_at=now.wall,
        state=told.state,
        status=told.status,
        message=message,
    )
    outbox = state.outbox.put(forget_bytes(entry))
    if entry.intention.kind == "buy":
        outbox = _without_failed_anchor(outbox, entry)
    return replace(state, books=settlement.books, outbox=outbox)


def _without_failed_anchor(outbox: Outbox, failed: OutboxEntry) -> Outbox:
    """A later buy that would return to the failed buy's anchor returns to the one before it instead."""
    for entry in outbox.open:
        intention = entry.intention
        if (
            intention.kind == "buy"
            and entry.seq > failed.seq
            and intention.previous_anchor == failed.intention.price
        ):
            changed = replace(intention, previous_anchor=failed.intention.previous_anchor)
            return outbox.put(replace(entry, intention=changed))
    return outbox


@dataclass(frozen=True)
class Sighting:
    """An id of ours seen in the folder: in a result or in an archived or waiting signal."""

    strategy: str | None
    mode: str
    account: str
    epoch: Epoch
    seq: int
    where: str


def check_not_rolled_back(state: DashboardState, sightings: Iterable[Sighting], path: Path) -> None:
    """Raise StateError where the folder knows a later signal of this very state: it was put back.

    Sending on would give old numbers, and so old ids, to new signals.
    """
    for seen in sightings:
        ours = seen.strategy == state.strategy and seen.mode == state.mode and seen.epoch == state.epoch
        if ours and seen.seq > state.counter:
            raise StateError(
                "dashboard.state_rolled_back",
                path,
                seen=seen.seq,
                known=state.counter,
                file=seen.where,
            )


def check_never_ran(fresh: DashboardState, sightings: Iterable[Sighting], path: Path) -> None:
    """Raise StateError where the folder knows signals of a strategy that has no books at ``path``.

    Its lots would be forgotten and bought once more. A person begins anew: ``miniqmt plan begin``.
    """
    whose = (fresh.strategy, fresh.mode, fresh.account)
    for seen in sightings:
        if (seen.strategy, seen.mode, seen.account) == whose:
            strategy, mode, account = whose
            raise StateError(
                "dashboard.books_elsewhere",
                path,
                strategy=strategy,
                mode=mode,
                account=account,
                file=seen.where,
            )


def check_is_ours(state: DashboardState, writer: str, path: Path) -> None:
    """Raise StateError for a script's books: one strategy name may be a script's and a dashboard's."""
    # The host may have been renamed.
    if state.writer.partition("@")[0] != writer.partition("@")[0]:
        raise StateError("dashboard.state_of_another", path, what="writer", found=state.writer, wanted=writer)


def of_code(state: DashboardState, code: Code, path: Path) -> DashboardState:
    """``state`` for trading ``code``; an older file tells what it traded by its newest order.

    Raises StateError where lots, fixed shares or open signals are of another code: at its price they would be
    sold as profit, and its zero would clear them. Books that hold nothing begin anew, without its anchor, and
    wait no more for a seed's last signal, whose shares would be of that code.
    """
    orders = (entry.code for entry in reversed(state.outbox.entries) if entry.is_order and entry.code)
    known = state.code or next(orders, None)
    if known is None or known == code:
        return replace(state, code=code)
    books = state.books
    if books.lots or books.fixed_volume or books.shortfall or state.outbox.unanswered:
        raise StateError("dashboard.books_of_another_code", path, found=known, wanted=code)
    begun = replace(books, anchor=None, flat_at=None, before_flat=None, top_ups=())
    outbox = state.outbox.without_adopted()
    return replace(state, code=code, books=begun, outbox=outbox, day_close=None, ex_date=None)


def settle_folder(
    state_file: StateFile, fresh: DashboardState, folder: DropFolder, now: Moment
) -> list[Settled]:
    """Apply every result in ``folder`` to the state on disk, once, and save it; for tools and tests.

    Top-ups older than 15 minutes are dropped. Returns what each result did.
    """
    state = state_file.load(fresh)
    offline = folder.is_offline()
    lenient = state.mode == "simulate" or offline
    done = []
    for received in Inbox(folder).fresh(state.outbox):
        settled = settle(state, received, now, version_1_allowed=lenient, offline=offline)
        state = settled.state
        done.append(settled)
    state = replace(state, books=drop_old_top_ups(state.books, now.market))
    state_file.save(state, now, trading_day_of(now.market))
    return done
