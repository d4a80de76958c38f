"""Fault 76: the notification channel is down, slow or wrong, and trading never notices."""

from __future__ import annotations

import http.server
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commands.config import shown_settings
from commands.main import app_for
from shared_schema.errors import SettingsError
from shared_schema.log_lines import Line
from shared_schema.logs import Log, open_log
from shared_schema.notice_channels import Sent, channels
from shared_schema.notices import KINDS, NoticeOutput, attach, kind_of
from shared_schema.settings import Settings, load_settings
from shared_schema.settings_sections import Notices
from shared_schema.words import has
from tests.execution.shell import Shell

TOKEN = "b7e1f0secret"


class Channel:
    """Records what it is sent; may hang, raise or refuse."""

    def __init__(self, answer: Callable[[], Sent] = Sent) -> None:
        self.sent: list[tuple[str, str, bool]] = []
        self.answer = answer
        self.came = threading.Event()

    def __call__(self, title: str, body: str, *, silent: bool) -> Sent:
        """Take one message."""
        self.sent.append((title, body, silent))
        self.came.set()
        return self.answer()


class Lines:
    """Keeps the log's lines."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def write(self, line: Line) -> None:
        """Take one line."""
        self.lines.append(line)

    def close(self) -> None:
        """Nothing to close."""


def output(
    channel: Channel, wanted: Notices | None = None, waiting: int = 200
) -> tuple[Log, NoticeOutput, Lines]:
    """A log that sends to ``channel``."""
    lines = Lines()
    log = Log("order_executor", [lines])
    made = NoticeOutput(
        log, wanted or Notices(), lambda: channel, "win", waiting=waiting, pause=lambda _: None
    )
    log.also(made)
    return log, made, lines


def until(reached: Callable[[], object]) -> None:
    """Wait for the notices' thread."""
    deadline = time.monotonic() + 120
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_what_is_sent_is_the_logs_own_sentence() -> None:
    """Fill, halt, unknown and link arrive; a line that is no notice does not."""
    channel = Channel()
    log, made, _ = output(channel)
    log.say("info", "broker_ready")
    log.say("error", "halted", reason="test")
    log.say("info", "order_ended", signal_id="s1", filled=1000, sentence="1000 filled")
    made.close()
    text = "\n".join(body for _, body, _ in channel.sent)
    assert "test" in text and "1000 filled" in text and len(text.splitlines()) == 2
    assert all("win" in title for title, _, _ in channel.sent)


def test_ends_without_a_fill_are_rejections() -> None:
    """The same action, told apart by its fills."""
    shown = {"signal_id": "s", "sentence": "x"}
    assert kind_of(Line(0.0, "info", "order_ended", "", {**shown, "filled": "0"})) == "rejections"
    assert kind_of(Line(0.0, "info", "order_ended", "", {**shown, "filled": "5"})) == "fills"
    assert kind_of(Line(0.0, "info", "notice_failed", "", {})) is None, "else each failure would send another"


@pytest.mark.parametrize(("how", "sent"), [("on", [False]), ("silent", [True]), ("off", [])])
def test_each_kind_is_on_silent_or_off(how: str, sent: list[bool]) -> None:
    """Silent arrives without a sound; off never leaves this host."""
    channel = Channel()
    log, made, _ = output(channel, Notices(halt=how))
    log.say("error", "halted", reason="test")
    made.close()
    assert [silent for _, _, silent in channel.sent] == sent


@pytest.mark.slow
def test_an_order_is_placed_while_the_channel_hangs(tmp_path: Path) -> None:
    """The channel never answers and its queue overflows: orders go through, drops are counted and said."""
    shell = Shell(tmp_path).ready()
    released = threading.Event()

    def hang() -> Sent:
        released.wait(120)
        return Sent()

    channel = Channel(hang)
    log = shell.executor._log
    made = NoticeOutput(log, Notices(), lambda: channel, "win", waiting=2, pause=lambda _: None)
    log.also(made)
    for number in range(6):
        shell.drop(shell.signal(f"s{number}", price=1.2 - number * 0.001))
        assert shell.settled(f"s{number}").state == "filled"
    assert shell.orders == 6 and made.dropped > 0 and not released.is_set()
    released.set()
    until(lambda: "notices_dropped" in shell.lines.actions)
    shell.kill()


@pytest.mark.parametrize("problem", [OSError(f"https://x/{TOKEN}"), ValueError(TOKEN), None])
def test_a_channel_that_fails_is_counted_and_said_without_its_address(problem: Exception | None) -> None:
    """Raised or refused: the next notice is tried all the same, and no secret reaches the log."""

    def fail() -> Sent:
        if problem is not None:
            raise problem
        return Sent(("wecombot",))

    channel = Channel(fail)
    log, made, lines = output(channel)
    for number in range(2):
        channel.came.clear()
        log.say("error", "halted", reason=str(number))
        assert channel.came.wait(120)
        until(lambda number=number: made.failed == number + 1)  # type: ignore[misc]
    made.close()
    assert [line.action for line in lines.lines].count("notice_failed") == 2
    assert all(TOKEN not in line.text for line in lines.lines)


def test_a_library_that_is_missing_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process runs on without notices, and the sentence says what to install."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    lines = Lines()
    log = Log("order_executor", [lines])
    attach(log, Notices(urls=(f"wecombot://{TOKEN}",)), "win")
    until(lambda: lines.lines)
    assert lines.lines[0].action == "notices_off" and "requirements-notices.txt" in lines.lines[0].sentence
    log.say("error", "halted", reason="test")
    log.close()


@pytest.mark.parametrize("url", ["nosuchthing://x", "wecombot://", "tgram://"])
def test_an_unknown_address_is_named_by_its_kind_alone(url: str) -> None:
    """And never with its token."""
    pytest.importorskip("apprise")
    with pytest.raises(SettingsError) as refused:
        channels((f"{url}",))
    assert url.partition(":")[0] in str(refused.value)


def test_the_channels_of_the_trade_are_known() -> None:
    """WeCom, DingTalk, Feishu, Telegram and mail are addresses apprise takes; none is contacted here."""
    pytest.importorskip("apprise")
    key = "0a1b2c3d-1234-5678-9abc-0a1b2c3d4e5f"
    urls = (f"wecombot://{key}", f"dingtalk://{'a' * 64}/", f"feishu://{key}/",
            "tgram://123456789:abcdefg_hijklmnop/12315544/", "mailto://user:pass@example.com")  # fmt: skip
    assert [kind for kind, *_ in channels(urls)._channels] == [
        "wecombot",
        "dingtalk",
        "feishu",
        "tgram",
        "mailto",
    ]


class Server:
    """A small web server that plays a channel."""

    def __init__(self, status: int) -> None:
        got: list[bytes] = []
        self.got = got

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                got.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://127.0.0.1:{self._server.server_port}/{TOKEN}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Settings]]:
    """Settings of a host with these addresses."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNTIME_DIR", str(tmp_path / "runtime"))

    def write(urls: str) -> Settings:
        (tmp_path / "miniqmt.toml").write_text(f"[notices]\nurls = {urls}\n", encoding="utf-8")
        return load_settings()

    yield write


@pytest.mark.parametrize(("status", "code"), [(200, 0), (500, 1)])
def test_the_test_command_says_which_channel_took_it(
    settings: Callable[[str], Settings], status: int, code: int
) -> None:
    """Through the real library to a real server; the address is not printed."""
    pytest.importorskip("apprise")
    server = Server(status)
    try:
        settings(f"['{server.url}']")
        ended = CliRunner().invoke(app_for(["notice"]), ["notice", "test"])
    finally:
        server.close()
    assert ended.exit_code == code and server.got and TOKEN not in ended.output
    assert "miniqmt" in json.loads(server.got[0])["title"]


def test_addresses_are_masked_and_refused_in_the_exchange_folder(
    settings: Callable[[str], Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``config`` shows the last characters; a settings file that travels may not hold them."""
    found = settings(f"['wecombot://{TOKEN}']")
    shown = dict((key, value) for key, value, _ in shown_settings(found))
    assert TOKEN not in str(shown["notices.urls"]) and TOKEN not in repr(found)
    monkeypatch.setenv("MINIQMT_SHARED_DIR", str(tmp_path))
    monkeypatch.setenv("RUNTIME_DIR", str(tmp_path.parent / "elsewhere"))
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert TOKEN not in str(refused.value)
    (tmp_path / "miniqmt.toml").unlink()
    monkeypatch.setenv("MINIQMT_NOTICE_URLS", f"wecombot://{TOKEN}, mailto://a:b@c.d?to=x,y")
    assert load_settings().notices.urls == (f"wecombot://{TOKEN}", "mailto://a:b@c.d?to=x,y")


def test_every_word_that_sends_is_a_word_of_the_log(tmp_path: Path) -> None:
    """A renamed action would silence its notice; the broker's threads name theirs beside a whole sentence."""
    beside = set()
    for source in (Path(__file__).parents[2] / "windows_side").rglob("*.py"):
        beside |= set(re.findall(r'extra=\{"action": "(\w+)"\}', source.read_text("utf-8")))
    assert [word for word in KINDS if not has(f"log.{word}") and word not in beside] == []
    log = open_log("x", tmp_path, console=False)
    attach(log, Notices(), "win")
    assert len(log._outputs) == 1, "no channel, no thread"
    log.close()
