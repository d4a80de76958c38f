"""Ages go on while the engine writes nothing: a frozen screen must not look fresh."""

from __future__ import annotations

from mac_side.view import View


def silence_of(view: View, wall: float) -> float:
    """Seconds since the engine made ``view``; the end of a run is not silence.

    One made in the future counts as old as it is ahead: where a clock was set back, an engine that lives
    soon writes another, and one that died must not look fresh until the clock has caught up.
    """
    return 0.0 if view.ended else abs(wall - view.wall)


def aged(view: View, wall: float) -> View:
    """``view`` with the ages it would have at ``wall`` (Unix seconds)."""
    passed = silence_of(view, wall)
    link = view.link

    def older(seconds: float | None) -> float | None:
        return None if seconds is None else seconds + passed

    older_link = link.model_copy(
        update={
            "quote_age": older(link.quote_age),
            "executor_age": older(link.executor_age),
            "producer_age": older(link.producer_age),
        }
    )
    return view.model_copy(update={"link": older_link})
