"""Where a signal comes from: for this account and mode, and by the one writer its strategy is bound to."""

from __future__ import annotations

from shared_schema.ids import AccountAlias
from shared_schema.messages import OrderSignal, Received
from shared_schema.words import say
from windows_side.execution.desk import Desk
from windows_side.execution.ledger import WRITERS
from windows_side.execution.risk_gate import Refusal
from windows_side.execution.rules import Rules


class Origin:
    """Judges senders. A strategy is bound to its first writer, durably, until a person rebinds it."""

    def __init__(self, desk: Desk, writers: dict[str, str]) -> None:
        self._desk = desk
        self._writers = writers
        self._remembered: set[str] = set()

    def is_elsewhere(self, executor: str | None) -> bool:
        """Whether a signal names another executor than this one."""
        return executor is not None and executor != self._desk.rules.instance

    def refusal(self, received: Received[OrderSignal]) -> Refusal | None:
        """Why nothing is executed for this sender; None where it may send."""
        rules, envelope, signal = self._desk.rules, received.envelope, received.body
        if envelope is None:
            return None if rules.allow_version_1 else Refusal("version_1", {})
        if envelope.mode != rules.mode:
            return Refusal("other_mode", {"mode": envelope.mode, "ours": rules.mode})
        if envelope.account != rules.account and not rules.offline:
            place = _place_of(envelope.account, rules)
            return Refusal(
                "other_account", {"account": envelope.account, "ours": rules.account, "place": place}
            )
        if signal.executor is None and not rules.offline:
            return Refusal("missing_field", {"field": "executor"})
        return self._of_writer(signal.strategy or "", envelope.writer)

    def _of_writer(self, strategy: str, writer: str) -> Refusal | None:
        bound = self._writers.setdefault(strategy, writer)
        if bound != writer:
            return Refusal("other_writer", {"strategy": strategy, "writer": writer, "bound": bound})
        if strategy not in self._remembered:
            self._remembered.add(strategy)
            self._desk.remember(WRITERS, dict(self._writers))
        return None

    def rebind(self, strategy: str) -> None:
        """Let the next writer of ``strategy`` be the bound one."""
        self._writers.pop(strategy, None)
        self._remembered.discard(strategy)
        self._desk.remember(WRITERS, dict(self._writers))
        self._desk.say("rebound", strategy=strategy)


def _place_of(account: AccountAlias, rules: Rules) -> str:
    """Where the signal belongs, as far as this host knows; it is never sent there."""
    if account in rules.rooms:
        return say("refusals.other_account_place", place=rules.rooms[account])
    return say("refusals.other_account_known", known=", ".join(rules.rooms)) if len(rules.rooms) > 1 else ""
