"""A step of one's own: a Python file with ``decide``, loaded, and held to what any step must keep.

The interface is docs/own_strategy.md. Whatever a step wants, books, outbox, executor and risk gate stay as
they are: a wrong step can want badly, it can't trade past them.
"""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

from mac_side.strategy.grid_step import Buy, Decide, Decision, GridState, Market
from mac_side.strategy.parameters import GridParameters
from shared_schema.errors import SettingsError, StateError


def own_step(path: Path) -> Decide:
    """``decide`` of the file ``path``, checked at every call. SettingsError where there is none."""
    if not path.is_file():
        raise SettingsError("own_step.no_file", path)
    spec = importlib.util.spec_from_file_location(f"own_step_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise SettingsError("own_step.no_python", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SettingsError("own_step.does_not_load", path, reason=_reason(error)) from error
    found = getattr(module, "decide", None)
    if not callable(found):
        raise SettingsError("own_step.no_decide", path)
    return _checked(found, path)


def _checked(step: Decide, path: Path) -> Decide:
    def decide(state: GridState, market: Market, parameters: GridParameters) -> Decision:
        try:
            decision = step(state, market, parameters)
        except Exception as error:
            raise StateError("own_step.failed", path, reason=_reason(error), bar=market.bar) from error
        wrong = problem_of(decision, state, market)
        if wrong:
            raise StateError("own_step.wrong_decision", path, reason=wrong, bar=market.bar)
        return decision

    return decide


def problem_of(decision: object, state: GridState, market: Market) -> str:
    """What is wrong with ``decision``, in English for whoever writes the step; empty where nothing is."""
    if not isinstance(decision, Decision):
        return f"decide gave {type(decision).__name__}, not Decision"
    kinds = [type(intent).__name__ for intent in decision.intents]
    if kinds not in ([], ["Buy"], ["Sell"], ["Sell", "Buy"]):
        return f"the intents are {kinds}: at most one Sell, then at most one Buy"
    held = state.layers
    for intent in decision.intents:
        if intent.price != market.price:
            return f"{type(intent).__name__} at {intent.price}, the market is at {market.price}"
        if isinstance(intent, Buy):
            if intent.layer != held:
                return f"Buy opens layer {intent.layer}, but {held} are held (from 0)"
            if intent.shares <= 0 or intent.shares % 100 or not math.isfinite(intent.shares):
                return f"Buy of {intent.shares} shares: whole hundreds above 0"
            continue
        places = intent.positions
        if not places or list(places) != sorted(set(places)) or not 0 <= places[0] <= places[-1] < held:
            return f"Sell of the lots at {places}, but {held} are held (from 0, rising)"
        if intent.lots != tuple(state.lots[place] for place in places):
            return "Sell names lots that do not stand at its positions"
        if market.sellable is not None and intent.shares > market.sellable:
            return f"Sell of {intent.shares} shares, {market.sellable} may be sold"
        held -= len(places)
    return ""


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
