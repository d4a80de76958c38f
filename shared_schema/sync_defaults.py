"""What each way of sharing the folder can bear: the table "Defaults by sync tool" of the contract."""

from __future__ import annotations

from dataclasses import dataclass, replace

SYNC_TOOLS = ("local", "parallels", "vmware", "smb", "nfs", "syncthing", "cloud")


@dataclass(frozen=True)
class SyncDefaults:
    """The pace of one sync tool; all times in seconds."""

    scan_interval: float
    """Between two listings of the folder; with a watcher the longest wait when it misses an event."""
    watcher: bool
    """Whether file events come through at all; they never do over shares."""
    quote_interval: float
    quote_ring: int
    """Number of further quote files ``shared_quote.0.json`` ...; 0 = only ``shared_quote.json``."""
    heartbeat_red_after: float
    """A heartbeat older than this is red; it is written every third of it."""
    republish_after: float
    expires: float
    """How long a signal may wait for its submit."""
    orders_need_permission: bool = False
    """Whether orders are refused unless ``sync.allow_orders`` is set (the link is too slow for them)."""

    @property
    def heartbeat_interval(self) -> float:
        """Seconds between two heartbeats: a third of the red limit."""
        return self.heartbeat_red_after / 3


_SHARED_DISK = SyncDefaults(0.03, False, 1, 0, 5, 3, 300)
_NETWORK_SHARE = SyncDefaults(0.2, False, 1, 0, 10, 5, 300)
_SYNCTHING_SLOW = SyncDefaults(0.2, True, 2, 8, 90, 90, 300)

_TABLE = {
    "local": SyncDefaults(0.05, True, 1, 0, 5, 3, 300),
    "parallels": _SHARED_DISK,
    "vmware": _SHARED_DISK,
    "smb": _NETWORK_SHARE,
    "nfs": _NETWORK_SHARE,
    "syncthing": _SYNCTHING_SLOW,
    "cloud": SyncDefaults(1, False, 10, 8, 300, 90, 900, orders_need_permission=True),
}

SYNCTHING_FAST_DELAY = 1.0


def sync_defaults(tool: str, syncthing_delay: float = 10.0) -> SyncDefaults:
    """The defaults of ``tool``, one of SYNC_TOOLS.

    ``syncthing_delay`` is Syncthing's ``fsWatcherDelayS`` in seconds (its own default is 10). The contract
    gives limits for 1 and for 10; anything slower than 1 takes those of 10.
    """
    defaults = _TABLE[tool]
    if tool == "syncthing" and syncthing_delay <= SYNCTHING_FAST_DELAY:
        return replace(defaults, heartbeat_red_after=10, republish_after=10)
    return defaults
