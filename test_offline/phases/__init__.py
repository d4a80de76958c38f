"""The five offline phases, one file each: ``run(folder)`` works in an empty folder and returns its checks."""

from __future__ import annotations

# The rooms of mac_side need one another; begun at their package they load in an order that works.
import mac_side.bridge_client  # noqa: F401
