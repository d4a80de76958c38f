"""Every target of the ring and its share of the inputs."""

from __future__ import annotations

from test_offline.fuzz import local_targets as local
from test_offline.fuzz import wire_targets as wire
from test_offline.fuzz.core_target import core
from test_offline.fuzz.ledger_target import ledger
from test_offline.fuzz.runner import Target

TARGETS: dict[str, tuple[Target, int]] = {
    "signal": (wire.signal, 25),
    "core": (core, 15),
    "result": (wire.result, 10),
    "quote": (wire.quote, 6),
    "account": (wire.account, 5),
    "heartbeat": (wire.heartbeat, 5),
    "halt": (wire.halt, 6),
    "toml": (local.toml, 4),
    "dotenv": (local.dotenv, 4),
    "holidays": (local.holidays, 2),
    "state": (local.state, 7),
    "ledger": (ledger, 3),
    "bars": (local.bars, 5),
    "command": (local.screen_command, 3),
    "typed": (local.typed_order, 3),
    "names": (wire.names, 5),
    "identity": (wire.identity, 2),
}
