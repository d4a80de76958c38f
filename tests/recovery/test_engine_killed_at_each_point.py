"""The engine dies at each named point and a new one goes on: one signal, one lot (faults 1 to 3)."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import orjson
import pytest

from mac_side.points import Point
from tests.mac_side.test_engine_over_a_folder import Desk


class Killed(BaseException):
    """Stands for kill -9."""


def run_morning(desk: Desk, point: Point | None, number: int) -> bool:
    """Anchor, fall, signal, fill, lot; whether the engine was killed on the way (and begun anew)."""
    left = [number]

    def reach(passed: Enum) -> None:
        if passed is point:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

    engine, killed = desk.engine(), False
    engine._reach = reach
    for step in range(16):
        if step < 8:  # four minutes at the anchor, four after the fall
            desk.clock += 60.0
            desk.quote(1.06 if step < 4 else 1.05)
        if step >= 10:
            desk.executor.answer_all()
        try:
            desk.turn(engine, 1.0)
        except Killed:
            killed, engine = True, desk.engine()
    return killed


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("point", [p for p in Point if p is not Point.HALT_WRITTEN], ids=lambda p: p.value)
def test_one_signal_and_one_lot_whenever_it_is_killed(point: Point, number: int, tmp_path: Path) -> None:
    """I1 and I12 on the strategy's side: same books as without a kill, one id, nothing pending."""
    quiet, place = tmp_path / "quiet", tmp_path / "killed"
    quiet.mkdir()
    place.mkdir()
    expected, desk = Desk(quiet), Desk(place)
    assert run_morning(expected, None, 0) is False
    killed = run_morning(desk, point, number)
    assert killed or number > 1, f"{point} was never reached"
    ids = []
    for each in (expected, desk):
        state = orjson.loads((each.runtime / "dashboard_state.simulate.json").read_bytes())
        lots = [(lot["shares"] if "shares" in lot else lot.get("volume")) for lot in state["positions"]]
        ids.append((len(state["positions"]), lots, len(state["outbox"])))
        assert all(entry["intention"]["settled"] for entry in state["outbox"])
    assert ids[0] == ids[1] and ids[0][0] == 1
    done = [path.name for path in (desk.path / "order_signal_done").iterdir()]
    assert len(done) == 1, f"more than one signal left: {done}"
