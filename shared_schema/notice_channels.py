"""Notices through apprise: WeCom, DingTalk, Feishu, Telegram, mail, the desktop and some hundred more.

apprise is an extra (``requirements-notices.txt``), imported here alone. It may write whole addresses into
its own log, so that is switched off; ours names the kind of a channel only.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shared_schema.errors import SettingsError

QUIET = {"tgram": "silent=yes", "ntfy": "priority=min", "ntfys": "priority=min", "pover": "priority=low"}
"""How a channel is told to make no sound, where it knows; elsewhere a silent notice is an ordinary one."""


@dataclass(frozen=True)
class Sent:
    """What became of a message."""

    failed: tuple[str, ...] = ()
    """Kinds of the channels that did not take it."""


def scheme_of(url: str) -> str:
    """The kind of a channel: all of an address that may be shown."""
    return urlsplit(url).scheme or "?"


class AppriseChannels:
    """The channels of the settings. Raises SettingsError where apprise is missing or knows one not."""

    def __init__(self, urls: tuple[str, ...]) -> None:
        try:
            import apprise
        except ImportError as problem:
            raise SettingsError("notices.no_apprise") from problem
        logging.getLogger("apprise").disabled = True
        self._types = apprise.NotifyType
        self._channels: list[tuple[str, Any, Any]] = []
        for url in urls:
            kind = scheme_of(url)
            quiet = url + ("&" if "?" in url else "?") + QUIET[kind] if kind in QUIET else url
            loud_one, quiet_one = (apprise.Apprise.instantiate(one) for one in (url, quiet))
            if loud_one is None or quiet_one is None:
                raise SettingsError("notices.bad_url", "notices.urls", kind=kind)
            self._channels.append((kind, loud_one, quiet_one))

    def __call__(self, title: str, body: str, *, silent: bool) -> Sent:
        """Send to each; one that fails keeps none of the others from it."""
        failed = []
        for kind, loud_one, quiet_one in self._channels:
            channel = quiet_one if silent else loud_one
            level = self._types.INFO if silent else self._types.WARNING
            try:
                taken = bool(channel.notify(body=body, title=title, notify_type=level))
            except Exception:  # a plugin may raise anything, and its text may hold the address
                taken = False
            failed += [] if taken else [kind]
        return Sent(tuple(failed))


def channels(urls: tuple[str, ...]) -> AppriseChannels:
    """The sender for these addresses. Raises SettingsError."""
    return AppriseChannels(urls)
