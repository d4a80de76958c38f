"""The drop folder: its name grammar and the ways to publish, scan, read, archive and quarantine."""

from __future__ import annotations

from shared_schema.drop_folder.folder import DropFolder, Found
from shared_schema.drop_folder.names import Name, NameKind, classify
from shared_schema.drop_folder.settling import Settling, Verdict

__all__ = ["DropFolder", "Found", "Name", "NameKind", "Settling", "Verdict", "classify"]
