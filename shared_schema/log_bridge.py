"""Lines said through Python's own ``logging`` reach this process's log.

Code that must not carry a ``Log`` about (the broker's threads, where an exception of ours would vanish)
says its lines with ``logging.getLogger(__name__)``; without a handler they would be shown to nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from shared_schema.log_lines import Level
from shared_schema.logs import Log

UNNAMED = "said_by_a_part"
"""The action of a line that names none with ``extra={"action": ...}``."""


class _PassedOn(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        problem = record.exc_info[1] if record.exc_info else None
        action = str(getattr(record, "action", UNNAMED))
        self._log.say(_level(record.levelno), action, problem=problem, sentence=record.getMessage())


def _level(number: int) -> Level:
    if number >= logging.ERROR:
        return "error"
    return "warning" if number >= logging.WARNING else "info"


@contextmanager
def lines_of(package: str, log: Log) -> Iterator[None]:
    """While it lasts, whatever ``package`` and its modules say with ``logging`` goes to ``log``."""
    logger, handler = logging.getLogger(package), _PassedOn(log)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
