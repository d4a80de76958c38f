"""One base class for everything that goes wrong, and the kinds of it.

An error says what happened, where, why, and what to do next. The sentences stand
in the catalogue (``shared_schema/words``); code only names the key.
"""

from __future__ import annotations

from shared_schema.words import say


class MiniqmtError(Exception):
    """Base of all errors of this project.

    ``key`` names a table in the catalogue with ``what``, ``why`` and ``next``;
    ``where`` is the file, folder, setting or record concerned; ``values`` fill the
    sentences. ``exit_code`` is what a command ends with when this reaches its top.
    """

    exit_code = 1

    def __init__(self, key: str, where: object = "", **values: object) -> None:
        self.key = key
        self.where = str(where)
        self.values = values
        super().__init__(key, self.where)

    @property
    def what(self) -> str:
        """What happened, one clause."""
        return self._sentence("what")

    @property
    def why(self) -> str:
        """Why it happened, as far as is known."""
        return self._sentence("why")

    @property
    def next_step(self) -> str:
        """What a person should do about it."""
        return self._sentence("next")

    def _sentence(self, part: str) -> str:
        return say(f"{self.key}.{part}", where=self.where, **self.values)

    def __str__(self) -> str:
        place = f" [{self.where}]" if self.where else ""
        return f"{self.what}{place}: {self.why} {self.next_step}"


class SettingsError(MiniqmtError):
    """A setting is missing, unknown or unusable: the command ends with 2."""

    exit_code = 2


class FolderError(MiniqmtError):
    """The exchange folder or a file in it can't be used as it must be: exit code 2."""

    exit_code = 2


class DataError(MiniqmtError):
    """Market data or a file the user gave is not usable; says file, line and reason."""

    exit_code = 2


class StateError(MiniqmtError):
    """Memory that must not be lost (ledger, books) is unreadable or contradicts itself.

    Trading stops; nothing is ever read as "empty" instead.
    """

    exit_code = 3


class MessageError(MiniqmtError):
    """A message that crossed the folder can't be accepted.

    ``error_code`` is the stable word that goes into the result; ``signal_id`` is
    given only where the id could be trusted; ``damaged`` tells a file that may still
    be completed by the sync tool from one that is whole and wrong.
    """

    def __init__(
        self,
        error_code: str,
        where: object = "",
        *,
        signal_id: str | None = None,
        damaged: bool = False,
        **values: object,
    ) -> None:
        super().__init__(f"refusals.{error_code}", where, **values)
        self.error_code = error_code
        self.signal_id = signal_id
        self.damaged = damaged


class BrokerError(MiniqmtError):
    """The broker or its terminal can't be reached or answered something unusable."""
