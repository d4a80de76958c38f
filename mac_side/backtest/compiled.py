"""Numba where it is installed: the same functions compiled, with the machine code kept on disk.

Numba is an extra (``pip install miniqmt[fast]``). Without it the same source runs as plain Python.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cache
from typing import Any, Literal

from shared_schema.errors import SettingsError

Engine = Literal["auto", "numba", "python", "step"]
ENGINES: tuple[Engine, ...] = ("auto", "numba", "python", "step")
"""``numba`` and ``python`` run the loop of ``grid_loop``, ``step`` the live engine's own ``decide``."""


@cache
def have_numba() -> bool:
    """Whether numba can be imported, without importing it (half a second)."""
    return importlib.util.find_spec("numba") is not None


def chosen_engine(name: str) -> Engine:
    """The engine to run for ``name``: ``auto`` is numba where installed. SettingsError for any other word."""
    if name == "auto":
        return "numba" if have_numba() else "python"
    if name == "numba" and not have_numba():
        raise SettingsError("backtest.no_numba", name)
    if name not in ENGINES:
        raise SettingsError("backtest.no_such_engine", name, known=", ".join(ENGINES))
    return name  # type: ignore[return-value]


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` compiled by numba; it lets other threads run. Strict floats: the same bits as Python."""
    from numba import njit

    return njit(cache=True, nogil=True, fastmath=False)(function)  # type: ignore[no-any-return]


def plain_ema(values: Any, alpha: float) -> Any:
    """The EMA as a loop to be compiled: the same sums, in the same order, as ``exponential_mean``."""
    smooth = values.copy()
    for place in range(1, len(values)):
        smooth[place] = alpha * values[place] + (1 - alpha) * smooth[place - 1]
    return smooth
