"""Every target of the ring and its share of the inputs."""

from __future__ import annotations

from test_offline.fuzz import wire_targets as wire
from test_offline.fuzz.runner import Target

TARGETS: dict[str, tuple[Target, int]] = {
    "signal": (wire.signal, 25),
    "result": (wire.result, 10),
    "quote": (wire.quote, 6),
    "account": (wire.account, 5),
    "heartbeat": (wire.heartbeat, 5),
    "halt": (wire.halt, 6),
    "names": (wire.names, 5),
    "identity": (wire.identity, 2),
}
