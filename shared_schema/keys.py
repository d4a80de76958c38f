"""The shared secret of both hosts: made on one, carried to the other by hand, kept in a file of mode 600.

As text it is base32 in groups of four, the last group being a check over the others, so that a key typed
over from another screen is either right or refused. The file stands in ``RUNTIME_DIR`` (or where
``key_file`` says), never in the exchange folder: a key that travels with what it seals seals nothing.
A file and no system keyring: the executor runs where nobody is logged in to unlock one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
import stat
from pathlib import Path

from shared_schema.drop_folder import DropFolder
from shared_schema.errors import SettingsError
from shared_schema.exchange_folder import is_offline_folder
from shared_schema.integrity import Key
from shared_schema.logs import Log
from shared_schema.settings import Settings

KEY_FILE = "signing.key"
KEY_BYTES = 32
_GROUP = 4
_DIGITS = 52
"""Base32 digits of 32 bytes without padding; one group of check digits follows them."""
_LOOK_ALIKE = str.maketrans("018", "OIB")
"""Base32 has none of these digits: they can only be the letters they look like."""


def new_key() -> Key:
    """A key nobody else has."""
    return Key(secrets.token_bytes(KEY_BYTES))


def key_text(key: Key) -> str:
    """``key`` to be read by a person: 13 groups of four and the check group."""
    digits = _base32(key) + _check_group(key)
    return "-".join(digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP))


def key_from_text(text: str, where: object = "") -> Key:
    """The key in ``text``; case, blanks and hyphens do not matter. Raises SettingsError."""
    digits = "".join(text.split()).replace("-", "").upper().translate(_LOOK_ALIKE)
    if len(digits) != _DIGITS + _GROUP:
        raise SettingsError("keys.wrong_length", where, count=len(digits), right=_DIGITS + _GROUP)
    try:
        key = Key(base64.b32decode(digits[:_DIGITS] + "====", casefold=False))
    except (binascii.Error, ValueError):
        raise SettingsError("keys.mistyped", where) from None
    # The last digit has bits to spare: two spellings of one key would hide a slip of the hand.
    if _base32(key) + _check_group(key) != digits:
        raise SettingsError("keys.mistyped", where)
    return key


def fingerprint(key: Key) -> str:
    """Eight hex digits to compare two hosts by; they tell nothing of the key."""
    return hashlib.sha256(b"miniqmt fingerprint" + key).hexdigest()[:8]


def key_path(settings: Settings, *further: Path) -> Path:
    """Where this host keeps its key, one for all its accounts.

    Raises SettingsError for a place in an exchange folder."""
    settings = settings.host or settings
    path = settings.key_file or settings.runtime_dir / KEY_FILE
    for folder in (settings.shared_dir, settings.dashboard.work_dir, *further):
        if folder is not None and path.resolve().is_relative_to(folder.resolve()):
            raise SettingsError("keys.inside", path, folder=folder)
    return path


def load_key(settings: Settings) -> Key | None:
    """The key of this host; None where none was made.

    Raises SettingsError for a key that others can read, that is damaged, or that ``key_file`` names
    and that is not there.
    """
    settings = settings.host or settings
    runtime = settings.runtime_dir.resolve()
    offline = (f for f in (settings.shared_dir, settings.dashboard.work_dir) if f and is_offline_folder(f))
    if any(runtime.is_relative_to(folder.resolve()) for folder in offline):
        return None
    path = key_path(settings)
    key = read_key(path)
    if key is None and settings.key_file is not None:
        raise SettingsError("keys.missing", path)
    return key


def folder_key(settings: Settings, folder: Path) -> Key | None:
    """The key for what crosses ``folder``: none in an OFFLINE folder, which no live process may use."""
    if is_offline_folder(folder):
        return None
    key_path(settings, folder)
    return load_key(settings)


def read_key(path: Path) -> Key | None:
    """The key in ``path``; None where there is no such file. Raises SettingsError."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(1024)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise SettingsError("keys.unreadable", path, detail=problem.strerror or problem) from problem
    # On Windows a user's own folders are closed to other users, and the mode tells nothing.
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError("keys.open_to_others", path)
    return key_from_text(raw.decode("ascii", "replace"), path)


def write_key(path: Path, key: Key, *, replace: bool = False) -> None:
    """Keep ``key`` in ``path`` for this user alone. Raises SettingsError where another key stands there."""
    if not replace and path.exists() and read_key(path) != key:
        raise SettingsError("keys.exists", path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(key_text(key).encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as problem:
        temporary.unlink(missing_ok=True)
        raise SettingsError("keys.unwritable", path, detail=problem.strerror or problem) from problem


def say_key(log: Log, folder: DropFolder) -> None:
    """Tell at the start of a process which key seals its folder, or what it means that none does."""
    if folder.key is not None:
        log.say("info", "signing_key", fingerprint=fingerprint(folder.key))
    else:
        log.say("warning", "no_signing_key")


def _base32(key: Key) -> str:
    return base64.b32encode(key).decode("ascii").rstrip("=")


def _check_group(key: Key) -> str:
    return base64.b32encode(hashlib.sha256(b"miniqmt key" + key).digest()).decode("ascii")[:_GROUP]
