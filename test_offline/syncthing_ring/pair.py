"""Two Syncthing engines on loopback, each with one folder, connected to nothing but each other."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

FOLDER_ID = "bridge"
DEVICE_ID = re.compile(r'<device id="([A-Z0-9-]{63})"')
STARTS_WITHIN = 120.0
"""Seconds; measured 1.6 on two cores, far more where nothing is cached."""
_POLL = 0.05


class SyncthingFault(RuntimeError):
    """The engines did not do what the ring needs; says which and what they last logged."""


def syncthing() -> str | None:
    """The engine's program: ``SYNCTHING_BIN``, else the one on the path; None where there is none."""
    return os.environ.get("SYNCTHING_BIN") or shutil.which("syncthing")


def wait_until(condition: Callable[[], bool], at_most: float, pause: float = _POLL) -> bool:
    """Whether ``condition`` held within ``at_most`` seconds."""
    deadline = time.monotonic() + at_most
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
    return True


@dataclass
class Engine:
    """One Syncthing process: its private home, the folder it syncs, its two loopback ports."""

    name: str
    home: Path
    path: Path
    """The synced folder."""
    delay: int
    """``fsWatcherDelayS``, seconds: a change waits half to one and a half times as long."""
    sync_port: int
    control_port: int
    is_dialled: bool
    """Whether it waits to be called; the other one calls."""
    device: str = ""
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Make key, certificate and folder. The marker must stand before the start, or the folder stops."""
        self.home.mkdir(parents=True)
        (self.path / ".stfolder").mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [_program(), "generate", f"--home={self.home}", "--no-default-folder", "--skip-port-probing"],
            env=_environment(),
            capture_output=True,
            timeout=STARTS_WITHIN,
        )
        found = DEVICE_ID.search(self._config.read_text("utf-8")) if self._config.exists() else None
        if done.returncode != 0 or found is None:
            raise SyncthingFault(f"{self.name}: generate failed: {done.stderr.decode(errors='replace')}")
        self.device = found.group(1)

    @property
    def _config(self) -> Path:
        return self.home / "config.xml"

    def configure(self, peer: Engine) -> None:
        """Write a configuration that knows this one peer and reaches nothing else."""
        self._config.write_text(_configuration(self, peer), encoding="utf-8")

    def start(self) -> None:
        """Start the engine. No monitor process: the process held here is the engine itself."""
        with (self.home / "engine.log").open("ab") as log:
            self.process = subprocess.Popen(
                [_program(), "serve", f"--home={self.home}", "--no-browser"],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        """End the engine, also a frozen one."""
        process, self.process = self.process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(8)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def freeze(self) -> None:
        """SIGSTOP: what happens in the folder queues up unseen; the connection stays."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self.process is None or self.process.poll() is not None:
            raise SyncthingFault(f"{self.name} is not running: {self.last_words()}")
        self.process.send_signal(number)

    def ask(self, path: str, *, post: bool = False) -> dict[str, Any]:
        """One call of the engine's own interface; ``{}`` for an empty answer. Raises SyncthingFault."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.control_port}/rest/{path}",
            data=b"" if post else None,
            headers={"X-API-Key": self.key},
        )
        try:
            with _DIRECT.open(request, timeout=60) as answer:
                text = answer.read()
        except (OSError, urllib.error.URLError) as problem:
            raise SyncthingFault(f"{self.name}: {path}: {problem}") from problem
        found = json.loads(text) if text.strip() else {}
        return found if isinstance(found, dict) else {"answer": found}

    def is_up(self) -> bool:
        """Whether its own interface answers."""
        try:
            self.ask("system/ping")
        except SyncthingFault:
            return False
        return True

    def is_connected(self, peer: Engine) -> bool:
        """Whether the engine is up and holds a connection to ``peer``."""
        try:
            told = self.ask("system/connections")["connections"].get(peer.device, {})
        except SyncthingFault:
            return False
        return bool(told.get("connected"))

    def is_idle(self) -> bool:
        """Whether it has nothing to scan and nothing to fetch, as far as it knows."""
        try:
            status = self.ask(f"db/status?folder={FOLDER_ID}")
        except SyncthingFault:
            return False
        return status.get("state") == "idle" and status.get("needTotalItems", 1) == 0

    def last_words(self) -> str:
        """The end of the engine's log."""
        log = self.home / "engine.log"
        return log.read_text("utf-8", "replace")[-1500:] if log.exists() else ""


@dataclass(frozen=True)
class SyncthingPair:
    """Both engines, running. ``a`` is the strategy host's side, ``b`` the trading host's."""

    a: Engine
    b: Engine

    @property
    def delay(self) -> float:
        """Seconds a change waits before it is looked at, on average."""
        return float(self.a.delay)

    def disconnect(self) -> None:
        """Pause each device at the other: no connection, both engines go on scanning."""
        self.a.ask(f"system/pause?device={self.b.device}", post=True)
        self.b.ask(f"system/pause?device={self.a.device}", post=True)

    def connect(self) -> None:
        """End the pause. Raises SyncthingFault where they do not find each other."""
        self.a.ask(f"system/resume?device={self.b.device}", post=True)
        self.b.ask(f"system/resume?device={self.a.device}", post=True)
        self.wait_connected()

    def wait_connected(self) -> None:
        """Wait until both say that they are connected. Raises SyncthingFault."""
        if not wait_until(lambda: self.a.is_connected(self.b) and self.b.is_connected(self.a), STARTS_WITHIN):
            raise SyncthingFault(f"never connected.\n{self.a.last_words()}\n{self.b.last_words()}")

    def is_idle(self) -> bool:
        """Whether neither engine knows of anything to do; changes of the last seconds may be unseen yet."""
        return self.a.is_idle() and self.b.is_idle()

    def heal(self) -> None:
        """End every fault of this pair: nobody frozen, connected."""
        self.a.thaw()
        self.b.thaw()
        self.connect()


@contextlib.contextmanager
def syncthing_pair(root: Path, a: Path, b: Path, delay: int = 1) -> Iterator[SyncthingPair]:
    """Two running engines that keep the folders ``a`` and ``b`` equal; ended with the block.

    ``delay`` in seconds; 1 is the least that 1.19 takes. Raises SyncthingFault.
    """
    ports = _free_ports(4)
    engines = (
        Engine("engine_a", root / "engine_a", a, delay, ports[0], ports[1], False),
        Engine("engine_b", root / "engine_b", b, delay, ports[2], ports[3], True),
    )
    try:
        for engine in engines:
            engine.prepare()
        for engine, peer in (engines[::-1], engines):
            engine.configure(peer)
            engine.start()
            # The one that is called first: a call that finds nobody is tried again only 5 s later.
            if not wait_until(engine.is_up, STARTS_WITHIN):
                raise SyncthingFault(f"{engine.name} does not answer: {engine.last_words()}")
        pair = SyncthingPair(*engines)
        pair.wait_connected()
        if not wait_until(pair.is_idle, STARTS_WITHIN):
            raise SyncthingFault(f"never idle.\n{pair.a.last_words()}\n{pair.b.last_words()}")
        yield pair
    finally:
        for engine in engines:
            engine.stop()


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _program() -> str:
    program = syncthing()
    if program is None:
        raise SyncthingFault("syncthing is not installed: see test_offline/syncthing_ring/install.sh")
    return program


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    # STMONITORED: no parent that restarts it, so that a signal reaches the engine itself.
    return kept | {"STMONITORED": "yes", "STNOUPGRADE": "1", "STNODEFAULTFOLDER": "1"}


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for opened in sockets:
            opened.bind(("127.0.0.1", 0))
        return [opened.getsockname()[1] for opened in sockets]


_OFF = (
    "globalAnnounceEnabled",
    "localAnnounceEnabled",
    "relaysEnabled",
    "natEnabled",
    "announceLANAddresses",
    "crashReportingEnabled",
    "startBrowser",
    "setLowPriority",
)


def _address(engine: Engine, other: Engine) -> str:
    # Only the first engine dials. Both dial from the port they listen on, and where they do so at the same
    # moment they get one connection with two clients and no server, which hangs for 20 s (seen).
    return "dynamic" if engine.is_dialled and other is not engine else f"tcp://127.0.0.1:{other.sync_port}"


def _configuration(engine: Engine, peer: Engine) -> str:
    off = "".join(f"<{name}>false</{name}>" for name in _OFF)
    devices = "".join(
        f'<device id="{one.device}" name="{one.name}">'
        f"<address>{_address(engine, one)}</address>"
        "<allowedNetwork>127.0.0.0/8</allowedNetwork></device>"
        for one in (engine, peer)
    )
    return f"""<configuration version="35">
<folder id="{FOLDER_ID}" label="{FOLDER_ID}" path={quoteattr(str(engine.path))} type="sendreceive"
 rescanIntervalS="3600" fsWatcherEnabled="true" fsWatcherDelayS="{engine.delay}" ignorePerms="true">
<device id="{engine.device}"/><device id="{peer.device}"/>
<minDiskFree unit="%">0</minDiskFree><order>random</order><maxConflicts>10</maxConflicts>
</folder>
{devices}
<gui enabled="true" tls="false">
<address>127.0.0.1:{engine.control_port}</address><apikey>{engine.key}</apikey></gui>
<options>
<listenAddress>tcp://127.0.0.1:{engine.sync_port}</listenAddress>{off}
<stunKeepaliveStartS>0</stunKeepaliveStartS><urAccepted>-1</urAccepted>
<autoUpgradeIntervalH>0</autoUpgradeIntervalH><reconnectionIntervalS>1</reconnectionIntervalS>
<progressUpdateIntervalS>-1</progressUpdateIntervalS>
</options></configuration>
"""
