"""Logs: one line a person understands, with one stable ``action`` word for machines.

The sentence is the catalogue's ``log.<action>``; an action without one shows its field ``sentence``,
else its fields alone.
``log_lines`` tells the line's form. A log never stops trading: a failing disk is counted and shown once,
and the console is fed through a bounded queue that drops rather than waits, because a click into a
Windows console stops whoever writes to it.
"""

from __future__ import annotations

import io
import logging
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Protocol, TextIO

from shared_schema.log_lines import Level, Line, parse_line
from shared_schema.words import say

FILE_BYTES = 10 * 1024 * 1024
"""Size at which a log file is put aside."""
FILES_KEPT = 5
"""Older files kept beside the current one: ``<name>.log.1`` is the newest of them."""
CONSOLE_LINES = 1000
"""Lines that may wait for the console before further ones are dropped."""
_NUMBERS: Mapping[Level, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class Output(Protocol):
    """Where lines go. ``write`` never raises and never waits for a person."""

    def write(self, line: Line) -> None:
        """Take one line."""

    def close(self) -> None:
        """Write out what is left, within a second."""


class Log:
    """What a process says. Use ``open_log`` to make one; ``Log("name", [])`` says nothing to nobody."""

    def __init__(
        self,
        name: str,
        outputs: Sequence[Output],
        *,
        least: Level = "info",
        clock: Callable[[], float] = time.time,
        account: str = "",
    ) -> None:
        """``account``: whose lines these are, where one process serves several; each line bears it."""
        self.name = name
        self.account = account
        self.least: Level = least
        self._outputs = tuple(outputs)
        self._clock = clock

    def say(
        self, level: Level, action: str, *, problem: BaseException | None = None, **fields: object
    ) -> None:
        """Log ``action``, a stable word in snake case, with its fields; never raises.

        The sentence ``log.<action>`` is filled with the fields. ``problem`` adds its text as ``detail``
        (where no field of that name is given) and its traceback as ``trace``.
        """
        if _NUMBERS[level] < _NUMBERS[self.least]:
            return
        if problem is not None:
            fields.setdefault("detail", str(problem) or type(problem).__name__)
        texts = {name: _value_text(value) for name, value in fields.items() if value is not None}
        sentence = _sentence(action, fields)
        if self.account:
            texts.setdefault("account", self.account)
            sentence = f"[{self.account}] {sentence}" if sentence else ""
        if problem is not None:
            texts["trace"] = "".join(traceback.format_exception(problem)).strip()
        line = Line(self._clock(), level, action, sentence, texts)
        for output in self._outputs:
            output.write(line)

    def also(self, output: Output) -> None:
        """Send what is said from now on to ``output`` as well."""
        self._outputs += (output,)

    def of_account(self, alias: str, folder: Path | None = None, least: Level | None = None) -> Log:
        """A log for the lines of one account of this process.

        They go where this log's go, and with ``folder`` into a file there instead of this log's own. To
        close it closes that file only.
        """
        lent: list[Output] = [
            _Lent(output) for output in self._outputs if folder is None or not isinstance(output, FileOutput)
        ]
        if folder is not None:
            lent.insert(0, FileOutput(folder / f"{self.name}.log"))
        return Log(self.name, lent, least=least or self.least, clock=self._clock, account=alias)

    @property
    def errors(self) -> int:
        """How many lines could not be written to the file so far."""
        return sum(getattr(output, "errors", 0) for output in self._outputs)

    def close(self) -> None:
        """End every output; lines said later may be lost."""
        for output in self._outputs:
            output.close()


def open_log(
    name: str,
    folder: Path | None,
    console: bool = True,
    *,
    least: Level = "info",
    clock: Callable[[], float] = time.time,
    stream: TextIO | None = None,
) -> Log:
    """The log ``<folder>/<name>.log`` (none where ``folder`` is None), and the console with ``console``.

    ``stream`` is the console's stream, standard output by default. A folder that can't be made or
    written raises nothing: it is said on standard error once, and tried again with every line.
    """
    outputs: list[Output] = []
    if folder is not None:
        outputs.append(FileOutput(folder / f"{name}.log"))
    if console:
        outputs.append(ConsoleOutput(stream if stream is not None else sys.stdout))
    return Log(name, outputs, least=least, clock=clock)


class _Lent:
    """Another log's output: whoever made it closes it."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def write(self, line: Line) -> None:
        self._output.write(line)

    def close(self) -> None:
        return


class FileOutput:
    """A rotating UTF-8 file. ``errors`` counts the lines that were lost."""

    def __init__(self, path: Path, file_bytes: int = FILE_BYTES, files_kept: int = FILES_KEPT) -> None:
        self.path = path
        self.errors = 0
        self._handler = _RotatingFile(path, file_bytes, files_kept, self._failed)

    def write(self, line: Line) -> None:
        """Append the line; a failure is counted and shown once until a line passes again."""
        self._handler.handle(logging.LogRecord("", _NUMBERS[line.level], "", 0, line.text, None, None))

    def close(self) -> None:
        """Close the file."""
        self._handler.close()

    def _failed(self, problem: BaseException | None) -> None:
        self.errors += 1
        if self.errors == 1 and sys.stderr is not None:
            try:
                print(say("log.log_failed", path=self.path, detail=problem), file=sys.stderr, flush=True)
            except (OSError, ValueError, UnicodeError):
                self.errors += 1  # nobody is left to tell; the count stands


class _RotatingFile(RotatingFileHandler):
    # Opened with the first line and again after a failure: a disk that comes back is used again.
    def __init__(
        self, path: Path, file_bytes: int, files_kept: int, failed: Callable[[BaseException | None], None]
    ) -> None:
        super().__init__(path, maxBytes=file_bytes, backupCount=files_kept, encoding="utf-8", delay=True)
        self.errors = "backslashreplace"  # a lone surrogate of a hostile name must not lose the line
        self.setFormatter(logging.Formatter("%(message)s"))
        self._failed = failed
        self._chunk = file_bytes

    def _open(self) -> io.TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        # The inherited one asks the disk three times a line, on the way of the next signal.
        if self.stream is None:
            self.stream = self._open()
        return 0 < self.maxBytes <= self.stream.tell() + len(self.format(record)) + 1

    def doRollover(self) -> None:
        try:
            super().doRollover()
            self.maxBytes = self._chunk
        except OSError as problem:
            # Windows: somebody reads the file, it can't be renamed. Go on in it, try again one chunk later.
            self.maxBytes += self._chunk
            self._failed(problem)
            self.stream = self._open()

    def handleError(self, record: logging.LogRecord) -> None:
        self._failed(sys.exc_info()[1])
        if self.stream is not None:
            try:
                self.stream.close()
            except (OSError, ValueError) as problem:
                self._failed(problem)
            self.stream = None


class ConsoleOutput:
    """Lines for a person, written by a thread of its own; full means dropped, and how many is said."""

    def __init__(self, stream: TextIO, waiting: int = CONSOLE_LINES) -> None:
        self.dropped = 0
        self._stream = stream
        self._queue: queue.Queue[str | None] = queue.Queue(waiting)
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)
        self._thread.start()

    def write(self, line: Line) -> None:
        """Hand the line to the thread, or drop it where too many wait."""
        try:
            self._queue.put_nowait(line.short)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Let the thread write what waits, for at most half a second."""
        try:
            self._queue.put(None, timeout=0.1)
        except queue.Full:
            return
        self._thread.join(0.5)

    def _run(self) -> None:
        told = 0
        while (text := self._queue.get()) is not None:
            if self.dropped > told:
                text = f"{text}  (+{self.dropped - told} …)"
                told = self.dropped
            try:
                encoding = self._stream.encoding or "utf-8"
                self._stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
                self._stream.flush()
            except (OSError, ValueError, LookupError):
                return  # nobody reads any more (closed pipe or window): the queue fills and drops


def read_actions(path: Path, signal_id: str | None = None) -> list[Line]:
    """The lines of a log and of its older files, oldest first; with ``signal_id`` only those about it.

    About it: any field of the line equals it, or a field of several values lists it. Lines that
    are not of this format are passed over. Raises OSError where the file is there and can't be read.
    """
    found = []
    older = [path.with_name(f"{path.name}.{number}") for number in range(FILES_KEPT, 0, -1)]
    for file in [*older, path]:
        if not file.exists():
            continue
        with open(file, encoding="utf-8", errors="replace", newline="\n") as texts:
            for text in texts:
                if signal_id is not None and signal_id not in text:
                    continue
                line = parse_line(text.rstrip("\r\n"))
                if line is not None and (signal_id is None or _is_about(line, signal_id)):
                    found.append(line)
    return found


def _sentence(action: str, fields: Mapping[str, object]) -> str:
    shown = {
        name: ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
        for name, value in fields.items()
    }
    try:
        return _printable(say(f"log.{action}", **shown))
    except (KeyError, IndexError, ValueError, TypeError, AttributeError, OSError):
        # No sentence for this action, or not with these fields: what its writer said, else the fields alone.
        return _printable(str(fields.get("sentence", "")))


def _value_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple, set, frozenset)):
        return ",".join(_value_text(part) for part in value)
    return str(value)


def _printable(text: str) -> str:
    return "".join(part if part.isprintable() else " " for part in text)


def _is_about(line: Line, signal_id: str) -> bool:
    return any(signal_id == value or signal_id in value.split(",") for value in line.fields.values())
