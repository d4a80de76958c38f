"""Faults 42 to 60: what brokers and terminals do."""

from __future__ import annotations

import random

from test_offline.world.fault_kinds import End, Fault, now_and_then
from test_offline.world.plan import Injection


def _disconnect(world, injection: Injection, chance: random.Random) -> End | None:  # type: ignore[no-untyped-def]
    """The link falls; a real terminal's lists are empty for a while after it comes back."""
    link = world.executor.link
    if link is None or not link.ready:
        return None
    world.seen(injection.fault)
    world.on["empty_lists"] = 0.7
    link.disconnect(injection.seconds / 2)

    def end() -> None:
        world.on.pop("empty_lists", None)

    return end


def _old_connection(world, injection: Injection, chance: random.Random) -> End:  # type: ignore[no-untyped-def]
    """Short breaks of the link while pushes are slow: what the old one said arrives over the new one."""
    world.on["push_out_of_order"] = 1.0

    def drop() -> None:
        if world.executor.link is not None and "push_out_of_order" in world.on:
            world.executor.link.disconnect(0.2)
            world.timeline.after(2.0, drop)

    drop()

    def end() -> None:
        world.on.pop("push_out_of_order", None)

    return end


def _impossible(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    """More shares than ordered, or a price of nothing: the account must halt."""
    tags = world.counter.true_tags
    ours = [order for order in world.counter.live() if tags.get(order.order_id) == order.remark]
    link = world.executor.link
    if not ours or link is None or not link.ready:
        return
    order = chance.choice(ours)
    world.oracle.expect_halt()
    world.seen(injection.fault)
    world.counter.fill(order.order_id, order.shares + 100)


def _foreign(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    """Another hand orders the same code, side, price and size as one of ours."""
    world.oracle.foreign = True
    ours = [order for order in world.counter.orders.values() if order.order_id in world.counter.true_tags]
    like = chance.choice(ours) if ours else None
    direction = like.direction if like else "BUY"
    price, shares = (like.price, like.shares) if like else (1.05, 1000)
    world.seen(injection.fault)
    order = world.counter.place_foreign(direction, price, shares, chance.choice(("", "手工", "other")))
    world.timeline.after(chance.uniform(0.1, 5.0), lambda: world.counter.match(order.order_id))


def _hand_cancel(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    ours = [order for order in world.counter.live() if order.order_id in world.counter.true_tags]
    if ours:
        world.seen(injection.fault)
        world.counter.cancel(chance.choice(ours).order_id)


def _no_trading(world, injection: Injection, chance: random.Random) -> End:  # type: ignore[no-untyped-def]
    """Nothing trades for a while: orders rest until they are taken back."""
    world.counter.may_trade = False
    world.seen(injection.fault)

    def end() -> None:
        world.counter.may_trade = True

    return end


BROKER = {
    "times_out_placed": now_and_then(42, 0.6),
    "times_out_not_placed": now_and_then(43, 0.6),
    "bad_return": now_and_then(44, 0.6),
    "refused_for_sure": now_and_then(44, 0.5, "simulated"),
    "wrong_order_id": now_and_then(45, 0.5, "qmt"),
    "return_lost": now_and_then(45, 0.6),
    "push_doubled": now_and_then(46, 0.6),
    "push_out_of_order": now_and_then(47, 0.6),
    "push_lost": now_and_then(48, 0.6),
    "old_connection": Fault(49, _old_connection, (10.0, 30.0)),
    "disconnect": Fault(50, _disconnect, (2.0, 20.0)),
    "empty_lists": now_and_then(50, 0.5, "qmt"),
    "query_fails": now_and_then(50, 0.5),
    "partial_list": now_and_then(51, 0.5, "qmt"),
    "stale_list": now_and_then(51, 0.5, "qmt"),
    "snapshot_incomplete": now_and_then(51, 0.5, "qmt"),
    "remark_altered": now_and_then(52, 0.5, "qmt"),
    "fills_during_cancel": now_and_then(53, 0.7),
    "cancel_refused": now_and_then(53, 0.6),
    "order_rests": Fault(53, _no_trading, (20.0, 60.0)),
    "impossible_fill": Fault(54, _impossible),
    "rejected_after_accept": now_and_then(55, 0.5),
    "foreign_order": Fault(56, _foreign),
    "hand_cancel": Fault(57, _hand_cancel),
    "terminal_restarts": Fault(58, _disconnect, (30.0, 60.0)),
    "call_hangs": now_and_then(60, 0.5, seconds=(5.0, 20.0)),
}
"""By name. Each is a thing that was seen at a real terminal, or read in its callers' complaints."""
