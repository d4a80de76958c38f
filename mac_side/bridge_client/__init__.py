"""The strategy host's end of the folder: outbox, inbox, the link, and the library for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mac_side.bridge_client.bridge import Bridge, Handle, Outcome

__all__ = ["Bridge", "Handle", "Outcome"]


def __getattr__(name: str) -> Any:
    # Only when asked for: the books and the state file import the outbox from here, the bridge imports them.
    if name in __all__:
        from mac_side.bridge_client import bridge

        return getattr(bridge, name)
    raise AttributeError(name)
