"""The risk: a key that is mistyped, readable by others, or lies in the folder it should protect."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from commands.main import app_for
from shared_schema.errors import SettingsError
from shared_schema.integrity import Key
from shared_schema.keys import (
    KEY_BYTES,
    KEY_FILE,
    fingerprint,
    folder_key,
    key_from_text,
    key_text,
    load_key,
    read_key,
    write_key,
)
from shared_schema.settings import Settings, load_settings

KEY = Key(bytes(range(KEY_BYTES)))
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@pytest.fixture
def share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The exchange folder of a host whose RUNTIME_DIR is beside it."""
    folder = tmp_path / "share"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINIQMT_SHARED_DIR", str(folder))
    monkeypatch.setenv("RUNTIME_DIR", str(tmp_path / "runtime"))
    return folder


def run(*typed: str, keys: str = "") -> Any:
    """A command line; an error of ours is raised."""
    ended = CliRunner().invoke(app_for(typed), list(typed), input=keys)
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return ended


def refusal(settings: Settings) -> str:
    """The word of what ``load_key`` says against this host's key."""
    with pytest.raises(SettingsError) as problem:
        load_key(settings)
    assert str(problem.value)  # every sentence of it is in the catalogue
    return problem.value.key


@given(st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES), st.randoms())
def test_a_key_survives_being_typed(secret: bytes, chance: random.Random) -> None:
    """Any key reads back from its text, in either case and however it is grouped."""
    text = key_text(Key(secret))
    typed = "".join(chance.choice((sign.lower(), sign)) + chance.choice(("", " ", "-")) for sign in text)
    assert key_from_text(typed) == secret


def test_every_single_slip_of_the_hand_is_refused() -> None:
    """Each digit replaced by each other one, and each pair of neighbours swapped: never another key."""
    text = key_text(KEY).replace("-", "")
    slips = {text[:at] + other + text[at + 1 :] for at in range(len(text)) for other in DIGITS}
    slips |= {text[:at] + text[at + 1] + text[at] + text[at + 2 :] for at in range(len(text) - 1)}
    slips.discard(text)
    for slip in slips:
        with pytest.raises(SettingsError):
            key_from_text(slip)
    assert len(slips) > 56 * 31


@pytest.mark.parametrize("text", ["", "ABCD", "é" * 56, "!" * 56, "A" * 57])
def test_what_is_no_key_is_refused_with_a_sentence(text: str) -> None:
    """Too short, too long, no base32: SettingsError, exit code 2."""
    with pytest.raises(SettingsError) as problem:
        key_from_text(text)
    assert problem.value.exit_code == 2 and str(problem.value)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_others_can_read_is_refused(share: Path, mode: int) -> None:
    """Whoever can read it could trade: the sentence says chmod 600 and which file."""
    settings = load_settings()
    path = settings.runtime_dir / KEY_FILE
    write_key(path, KEY)
    assert path.stat().st_mode & 0o777 == 0o600 and load_key(settings) == KEY
    path.chmod(mode)
    with pytest.raises(SettingsError) as problem:
        load_key(settings)
    assert problem.value.key == "keys.open_to_others" and f"chmod 600 {path}" in str(problem.value)


def test_a_key_in_the_exchange_folder_is_refused(
    share: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named there by key_file, also through a link; and in a folder given on a command line."""
    (tmp_path / "link").symlink_to(share)
    for place in (share / "signing.key", tmp_path / "link" / "sub" / "signing.key"):
        monkeypatch.setenv("MINIQMT_KEY_FILE", str(place))
        assert refusal(load_settings()) == "keys.inside"
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setenv("MINIQMT_KEY_FILE", str(other / "signing.key"))
    with pytest.raises(SettingsError) as problem:
        folder_key(load_settings(), other)
    assert problem.value.key == "keys.inside"


def test_a_key_that_was_asked_for_and_is_gone_is_no_missing_key(
    share: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """key_file naming nothing stops; no key_file and no file is "no key"; a damaged one never is."""
    assert load_key(load_settings()) is None
    (tmp_path / "runtime").mkdir()
    damaged = tmp_path / "runtime" / KEY_FILE
    damaged.write_text(key_text(KEY)[:-1])
    damaged.chmod(0o600)
    assert refusal(load_settings()) == "keys.wrong_length"
    damaged.write_bytes(b"\xff\x00" * 28)
    assert refusal(load_settings()) == "keys.mistyped"
    monkeypatch.setenv("MINIQMT_KEY_FILE", str(tmp_path / "nowhere.key"))
    assert refusal(load_settings()) == "keys.missing"


def test_an_offline_folder_goes_without(share: Path) -> None:
    """The marker OFFLINE: no key though the host has one, so that the seed's scripts still work there."""
    settings = load_settings()
    write_key(settings.runtime_dir / KEY_FILE, KEY)
    assert folder_key(settings, share) == KEY
    (share / "OFFLINE").touch()
    assert folder_key(settings, share) is None


def test_a_key_is_never_replaced_unasked(tmp_path: Path) -> None:
    """Another key: refused without ``replace``; the same key again is no change. Nothing is left over."""
    path = tmp_path / "signing.key"
    write_key(path, KEY)
    write_key(path, KEY)
    other = Key(bytes(KEY_BYTES))
    with pytest.raises(SettingsError) as problem:
        write_key(path, other)
    assert problem.value.key == "keys.exists" and read_key(path) == KEY
    write_key(path, other, replace=True)
    assert read_key(path) == other and list(tmp_path.iterdir()) == [path]


def test_made_here_and_typed_there(share: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``key make`` here, what it printed through ``key import`` there: equal keys, equal fingerprints."""
    assert run("key", "show").exit_code == 1
    told = run("key", "make").output
    key = load_key(load_settings())
    assert key is not None and key_text(key) in told and fingerprint(key) in told
    assert key_text(key) in run("key", "show").output
    with pytest.raises(SettingsError):
        run("key", "make")
    monkeypatch.setenv("RUNTIME_DIR", str(tmp_path / "other_host"))
    with pytest.raises(SettingsError) as problem:
        run("key", "import", key_text(key)[:-1] + ("A" if key_text(key)[-1] != "A" else "B"))
    assert problem.value.key == "keys.mistyped" and load_key(load_settings()) is None
    assert fingerprint(key) in run("key", "import", keys=key_text(key).lower() + "\n").output
    assert load_key(load_settings()) == key


def test_config_and_doctor_tell_of_the_key_and_never_tell_it(share: Path) -> None:
    """Without a key doctor warns; with one both show its fingerprint, and no part of it."""
    def shown() -> Any:
        return json.loads(run("config", "--json").output)["signing_key"]["value"]

    def finding() -> dict[str, Any]:
        told = json.loads(run("doctor", "--json").output)["findings"]
        return next(found for found in told if found["name"] == "signing_key")

    assert shown() is None and finding()["level"] == "warning" and finding()["advice"]
    path = load_settings().runtime_dir / KEY_FILE
    write_key(path, KEY)
    assert fingerprint(KEY) in shown() and finding()["level"] == "ok"
    everything = run("config").output + run("doctor").output
    assert fingerprint(KEY) in everything
    assert not any(group in everything for group in key_text(KEY).split("-"))
    path.write_text("damaged")
    assert shown() and run("doctor").exit_code == 1


@pytest.mark.parametrize("role", ["both", "strategy"])
def test_init_makes_or_takes_over_the_key(share: Path, tmp_path: Path, role: str) -> None:
    """``--key make`` makes one, a typed key is kept, a mistyped one is asked again, and one there stays."""
    options = ["init", "--yes", "--folder", str(share), "--file", str(tmp_path / "host.toml"), "--role", role]
    run(*options)
    assert load_key(load_settings()) is None
    run(*options, "--overwrite", "--key", key_text(KEY))
    assert load_key(load_settings()) == KEY
    run(*options, "--overwrite")
    assert load_key(load_settings()) == KEY
    with pytest.raises(SettingsError):
        run(*options, "--overwrite", "--key", "make")
    (tmp_path / "runtime" / KEY_FILE).unlink()
    run(*options, "--overwrite", "--key", "make")
    assert load_key(load_settings()) not in (None, KEY)
    with pytest.raises(SettingsError):
        run(*options, "--overwrite", "--key", key_text(KEY)[:-1] + "!")
