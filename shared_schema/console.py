"""What a process prints: Chinese that ends no program, whatever the console's code page is."""

from __future__ import annotations

import contextlib
import sys


def print_utf8() -> None:
    """Print UTF-8 and replace what a console cannot show: cp936 and cp1252 pipes end no command."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # not a text file of its own, as under pytest
            stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
