"""Live trading over the stand-in: real processes, armed by typing, their clock in a trading day."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import tomlkit

from commands.demo_room.actors import Actor
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER
from shared_schema.sample.make_sample_bars import __file__ as sample_script
from shared_schema.sessions import SHANGHAI
from test_offline.fake_qmt.control import Control
from test_offline.fake_qmt.run_terminal import NUMBER

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = Path(sample_script).with_name("sample_159201.csv")
CODE, DAY = "159201.SZ", "2025-06-13"
OPENS = datetime.fromisoformat(f"{DAY}T09:29:57").replace(tzinfo=SHANGHAI).timestamp()
WAIT = 180.0
"""Seconds until a step fails: a cold start on a slow disk included."""


@dataclass
class LiveStage:
    """One host with a terminal, and one strategy script's place beside it."""

    root: Path
    further: dict[str, str] = field(default_factory=dict)
    """Further accounts at the terminal: alias and number."""
    actors: dict[str, Actor] = field(default_factory=dict)
    began: float = 0.0

    def __post_init__(self) -> None:
        self.offset = OPENS - time.time()
        for name in ("exchange", "runtime", "script", "logs", "terminal"):
            (self.root / name).mkdir(parents=True)
        settings = {
            "shared_dir": str(self.root / "exchange"),
            "log_dir": str(self.root / "logs"),
            "account": {"alias": "main", "id": NUMBER},
            "qmt": {"data_path": str(self.root / "terminal" / "userdata_mini")},
            "producer": {"codes": [CODE], "interval": 0.2},
            "accounts": {alias: {"id": number} for alias, number in self.further.items()},
        }
        (self.root / "host.toml").write_text(tomlkit.dumps(settings), encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """What each process of the host sees."""
        return os.environ | {
            "MINIQMT_CONFIG": str(self.root / "host.toml"),
            "RUNTIME_DIR": str(self.root / "runtime"),
            "XDG_STATE_HOME": str(self.root / "state"),
            "STANDIN_CLOCK_OFFSET": str(self.offset),
            "PYTHONPATH": str(ROOT),
            "PYTHONIOENCODING": "utf-8",
        }

    def open_market(self) -> None:
        """Start producer and executor, and the terminal's market: their clock stands where that begins,
        however long the steps before it took."""
        self.offset = OPENS - time.time()
        self.start("live-producer")
        self.start("live-executor")
        self.control()("begin")

    def start(self, role: str, *arguments: str) -> Actor:
        """Start a role; its output goes to a file."""
        output = self.root / f"{role}.out"
        if role == "terminal":
            command = ["test_offline/fake_qmt/run_terminal.py", str(self.root / "terminal")]
            command += ["--csv", str(SAMPLE), "--code", CODE, "--day", DAY, "--speed", "1"]
            command += ["--position", "20000@1.04"]
            command += [word for number in self.further.values() for word in ("--further", number)]
        else:
            command = ["test_offline/fake_qmt/actor.py", str(self.root / "terminal"), role, *arguments]
        with output.open("ab") as file:
            process = subprocess.Popen(
                [sys.executable, str(ROOT / command[0]), *command[1:]],
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self.actors[role] = Actor(role, process, output)
        return self.actors[role]

    def kill_and_restart_executor(self) -> None:
        """SIGKILL and a new start; no script may take its last heartbeat, still "ready", for the new one."""
        self.actors["live-executor"].kill()
        for beat in (self.root / "exchange" / HEARTBEAT_FOLDER).glob("executor-*.json"):
            beat.unlink()
        self.start("live-executor")

    def arm(self, *arguments: str, number: str = NUMBER) -> subprocess.CompletedProcess[str]:
        """``miniqmt arm`` with what a person types."""
        return subprocess.run(
            [sys.executable, "-m", "commands.main", "arm", *arguments],
            cwd=self.root,
            env=self.environment,
            input=f"{number}\n60000\nLIVE\n",
            capture_output=True,
            encoding="utf-8",
            timeout=WAIT,
        )

    def control(self) -> Control:
        """The terminal's remote control."""
        return Control(self.root / "terminal" / "userdata_mini")

    def script(self, text: str, at_most: float = WAIT) -> str:
        """Run a strategy script on the trading clock; what it printed."""
        file = self.root / "script.py"
        file.write_text(text, encoding="utf-8")
        environment = self.environment | {"RUNTIME_DIR": str(self.root / "script")}
        ended = subprocess.run(
            [
                sys.executable,
                str(ROOT / "test_offline/fake_qmt/actor.py"),
                str(self.root / "terminal"),
                "script",
                str(file),
            ],
            cwd=self.root,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=at_most,
        )
        assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}\n{self.words()}"
        return ended.stdout

    def words(self) -> str:
        """The last words of everybody."""
        return "\n".join(f"--- {role}\n{actor.last_words()}" for role, actor in self.actors.items())

    def close(self) -> None:
        """End everything that was started."""
        for actor in self.actors.values():
            if actor.is_alive:
                actor.process.send_signal(signal.SIGTERM)
        for actor in self.actors.values():
            actor.stop()
