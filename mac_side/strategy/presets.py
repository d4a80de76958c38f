"""Named parameter sets: the presets beside this file and the archived releases of the project."""

from __future__ import annotations

import difflib
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from mac_side.strategy.parameters import GridParameters, with_settings
from shared_schema.errors import SettingsError
from shared_schema.ids import Code

RELEASES = Path(__file__).resolve().parents[2] / "releases"
_DESCRIPTIVE = ("code", "about")


@cache
def _presets() -> dict[str, dict[str, Any]]:
    with (Path(__file__).parent / "presets.toml").open("rb") as file:
        return tomllib.load(file)


def preset_names() -> tuple[str, ...]:
    """The names ``preset`` knows, in the order of the file."""
    return tuple(_presets())


def preset(name: str) -> GridParameters:
    """The parameters of preset ``name``; SettingsError with the nearest name where there is none."""
    entry = _entry(name)
    return with_settings(GridParameters(), {k: v for k, v in entry.items() if k not in _DESCRIPTIVE})


def preset_code(name: str) -> Code:
    """The instrument preset ``name`` was made for, ``159201.SZ``."""
    return Code(_entry(name)["code"])


def preset_for_code(code: Code) -> str:
    """The first preset made for ``code``; SettingsError where there is none."""
    for name, entry in _presets().items():
        if entry["code"] == code:
            return name
    raise SettingsError("strategy.no_preset_for_code", code, known=", ".join(preset_names()))


def release_names() -> tuple[str, ...]:
    """The archived releases that carry parameters."""
    return tuple(sorted(path.parent.name for path in RELEASES.glob("*/parameters.toml")))


def release(name: str) -> GridParameters:
    """The parameters archived in ``releases/<name>``; SettingsError where there is no such release."""
    if name not in release_names():
        raise SettingsError("strategy.unknown_release", name, known=", ".join(release_names()))
    with (RELEASES / name / "parameters.toml").open("rb") as file:
        return with_settings(GridParameters(), tomllib.load(file)["parameters"])


def _entry(name: str) -> dict[str, Any]:
    if name not in _presets():
        near = difflib.get_close_matches(name, preset_names(), n=1, cutoff=0.0)
        raise SettingsError("strategy.unknown_preset", name, nearest=near[0], known=", ".join(preset_names()))
    return _presets()[name]
