"""A command line whose mistakes are told like all others: a SettingsError of the catalogue, exit code 2."""

from __future__ import annotations

import argparse
import re
from typing import NoReturn

from shared_schema.errors import SettingsError
from shared_schema.words import say

_MISTAKES = (
    (re.compile(r"unrecognized arguments: (?P<typed>.*)", re.DOTALL), "unknown"),
    (re.compile(r"argument (?P<option>\S+): expected one argument"), "without_value"),
    (re.compile(r"argument (?P<option>\S+): ignored explicit argument (?P<typed>.*)"), "takes_no_value"),
    (re.compile(r"argument (?P<option>\S+): invalid choice: (?P<typed>.*?) \(choose from .*"), "no_choice"),
)
"""What argparse says in English, and the entry of ours; its wording did not change from 3.11 to 3.12."""


class CommandLine(argparse.ArgumentParser):
    """argparse, but that a wrong word raises SettingsError instead of printing usage and ending."""

    def error(self, message: str) -> NoReturn:
        """Raise SettingsError for what is wrong with the command line."""
        raise SettingsError("command_line.wrong", detail=_in_words(message))


def _in_words(message: str) -> str:
    for pattern, entry in _MISTAKES:
        found = pattern.fullmatch(message)
        if found:
            return say(f"command_line.{entry}", **found.groupdict())
    return message
