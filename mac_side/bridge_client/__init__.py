"""The strategy host's end of the folder: outbox, inbox, the link, and the library for scripts."""

from __future__ import annotations

from mac_side.bridge_client.bridge import Bridge, Handle, Outcome

__all__ = ["Bridge", "Handle", "Outcome"]
