"""A mutant: one place of the product's code changed on purpose, and the risk that stands behind it.

The list is ``mutants.toml``. A mutant names a function, a piece of its text that stands there exactly
once, and what takes its place; so a change of the product that a mutant no longer fits is told at once.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from test_offline.mutants.harness import Harness, harness_of

LIST = Path(__file__).with_name("mutants.toml")


@dataclass(frozen=True)
class Mutant:
    """One breakage. ``place`` is ``module:Class.function``."""

    name: str
    risk: str
    """What it would do to a user."""
    place: str
    was: str
    becomes: str
    harness: Harness
    """What must catch it."""


def load() -> list[Mutant]:
    """Every mutant of the list."""
    return [_mutant(dict(entry)) for entry in tomllib.loads(LIST.read_text(encoding="utf-8"))["mutant"]]


def _mutant(entry: dict[str, Any]) -> Mutant:
    name, risk, place = entry.pop("name"), entry.pop("risk"), entry.pop("place")
    was, becomes = entry.pop("was").strip("\n"), entry.pop("becomes").strip("\n")
    return Mutant(name, risk, place, was, becomes, harness_of(entry))


@contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """The product with this mutant in it. Raises ValueError where its text does not stand there once."""
    function = function_at(mutant.place)
    whole, broken = function.__code__, broken_code(mutant)
    # The code is exchanged inside the function: whoever imported it by name calls the mutant too.
    function.__code__ = broken
    try:
        yield
    finally:
        function.__code__ = whole


def function_at(place: str) -> FunctionType:
    """The function a place names: plain, of a class, behind a property or a wrapper."""
    module, _, path = place.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = inspect.getattr_static(found, part)
    if isinstance(found, property):
        found = found.fget
    found = inspect.unwrap(getattr(found, "__func__", found))
    if not isinstance(found, FunctionType):
        raise ValueError(f"{place} is no function")
    return found


def broken_code(mutant: Mutant) -> CodeType:
    """The function's code with the mutant's text in place."""
    function = function_at(mutant.place)
    tree = ast.parse(broken_text(mutant))
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    # No annotation and no default is looked at: only the body counts.
    definition.returns = None
    space: dict[str, Any] = dict(function.__globals__)
    future = ast.parse("from __future__ import annotations").body
    exec(compile(ast.Module([*future, definition], []), f"<mutant {mutant.name}>", "exec"), space)
    code: CodeType = space[definition.name].__code__
    if code.co_freevars != function.__code__.co_freevars:
        raise ValueError(f"{mutant.name}: {mutant.place} is a closure")
    return code


def broken_text(mutant: Mutant) -> str:
    """The function's text with the mutant in it, its lines indented as the line it stands on."""
    text = textwrap.dedent(inspect.getsource(function_at(mutant.place)))
    first = mutant.was.splitlines()[0]
    lines = [line for line in text.splitlines() if first in line]
    if len(lines) != 1:
        raise ValueError(f"{mutant.name}: {first!r} stands {len(lines)} times in {mutant.place}")
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    was, becomes = (part.replace("\n", "\n" + indent) for part in (mutant.was, mutant.becomes))
    if text.count(was) != 1:
        raise ValueError(f"{mutant.name}: its text does not stand in {mutant.place}")
    return text.replace(was, becomes)
