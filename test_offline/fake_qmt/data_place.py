"""Which terminal's quotes this process sees: a real quote service has one fixed address on its machine."""

from __future__ import annotations

from pathlib import Path

userdata: Path | None = None
