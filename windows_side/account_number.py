"""Whose ledger it is: the broker's account number, which a live ledger keeps as a digest only.

Mode and alias are names a person gives; the number is the account. With another number under the same alias
the old account's open orders would be looked for, and closed, in the new account's lists (I4).
"""

from __future__ import annotations

import hashlib

from shared_schema.errors import StateError
from shared_schema.ids import AccountAlias
from windows_side.execution.ledger import BOUND_TO, Change, Ledger, Memory

NUMBER = "number"
"""In what a ledger is bound to; missing in a simulated one and in those of before it was kept."""


def number_digest(alias: AccountAlias, number: str) -> str:
    """What stands for ``number`` in a ledger; salted, so that it tells nothing beside another alias's."""
    return hashlib.sha256(f"{alias}:{number}".encode()).hexdigest()[:16]


def bind_number(ledger: Ledger, memory: Memory, alias: AccountAlias, number: str, where: object) -> bool:
    """Bind a live ledger to ``number``; whether it was not bound before.

    One that knows no order yet may go to another number: nothing of the old account is in it.
    Raises StateError where it is another account's.
    """
    bound, digest = memory.meta[BOUND_TO], number_digest(alias, number)
    kept = bound.get(NUMBER)
    if kept == digest:
        return False
    if kept is not None and memory.known:
        raise StateError("arming.other_account", where, alias=alias)
    ledger.commit(Change(meta={BOUND_TO: {**bound, NUMBER: digest}}))
    return True
