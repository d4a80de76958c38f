"""Faults of files and people: 14 to 20, 27, 32, 63 to 72, 78. What is dropped here must never trade,
unless the fault says otherwise."""

from __future__ import annotations

import random
from typing import Any

import orjson

from shared_schema.drop_folder.names import signal_name
from shared_schema.ids import Epoch, SignalId
from shared_schema.integrity import checksum
from shared_schema.messages import OrderSignal, encode
from shared_schema.messages.record import Envelope
from shared_schema.sessions import trading_day_of
from test_offline.world.counter import CODE
from test_offline.world.fault_kinds import Begin, End, Fault, now_and_then
from test_offline.world.plan import Injection
from test_offline.world.sync import ROOT

DONE = f"{ROOT}/order_signal_done"
CONTROL = f"{ROOT}/control"


def script_signal(world, identity: str, shares: int, writer: str = "script@mac", **changes: Any) -> bytes:  # type: ignore[no-untyped-def]
    """A whole signal of a script beside the dashboard; envelope fields may be changed by name."""
    wall = world.timeline.now
    price = changes.pop("price", world.counter.price)
    head = {
        "writer": writer,
        "epoch": Epoch("script"),
        "seq": len(world.trace),
        "written_at": wall,
        "market_time": wall,
        "trading_day": trading_day_of(wall),
        "mode": world.plan.mode,
        "account": "main",
    }
    body = {
        "signal_id": SignalId(identity),
        "code": CODE,
        "direction": "BUY",
        "price": price,
        "shares": shares,
        "timestamp": wall,
        "strategy": "script",
        "executor": world.rules.instance,
        "expires_at": wall + 40.0,
        "cancel_after_seconds": 20.0,
    }
    for name, value in changes.items():
        (head if name in head else body)[name] = value
    return encode(Envelope.model_validate(head), OrderSignal.model_validate(body))


def _drop(world, name: str, raw: bytes) -> None:  # type: ignore[no-untyped-def]
    world.executor.disk.put(ROOT, name, raw)


def _identity(world, chance: random.Random) -> str:  # type: ignore[no-untyped-def]
    return f"BUY_159201.SZ_script_{chance.randrange(1 << 32):08x}"


def _spoiled(spoil) -> Begin:  # type: ignore[no-untyped-def]
    """A signal whose bytes are spoiled: ``spoil(raw, chance)``."""

    def begin(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
        identity = _identity(world, chance)
        raw = spoil(script_signal(world, identity, 1000), chance)
        world.oracle.forbidden[identity] = injection.fault
        world.seen(injection.fault)
        _drop(world, chance.choice(("order_signal.json", signal_name(SignalId(identity)))), raw)

    return begin


def _torn(raw: bytes, chance: random.Random) -> bytes:
    return raw[: chance.randrange(1, len(raw))]


def _empty(raw: bytes, chance: random.Random) -> bytes:
    return chance.choice((b"", bytes(len(raw)), raw + bytes(64), bytes(64) + raw))


def _flipped(raw: bytes, chance: random.Random) -> bytes:
    while True:
        place = chance.randrange(len(raw))
        flipped = raw[:place] + bytes((raw[place] ^ (1 << chance.randrange(7)),)) + raw[place + 1 :]
        if not _means_the_same(flipped, raw):  # the last digit of a time may change no number
            return flipped


def _means_the_same(one: bytes, other: bytes) -> bool:
    try:
        return bool(orjson.loads(one) == orjson.loads(other))
    except orjson.JSONDecodeError:
        return False


def _odd_bytes(raw: bytes, chance: random.Random) -> bytes:
    return chance.choice(
        (
            raw.replace(b'"price":', b'"price":NaN,"was":'),
            raw.replace(b'"shares":', b'"shares":1e400,"was":'),
            raw.replace(b'"shares":', b'"shares":99999999999999999999,"was":'),
            raw[:-1] + b',"shares":2000}',
            b'{"a":' * 3000 + raw + b"}" * 3000,
            raw[:-1] + b',"note":"' + b"x" * 70_000 + b'"}',
            raw[:-1] + ',"note":"策略'.encode("gbk") + b'"}',
            b"\xff\xfe" + raw.decode().encode("utf-16-le"),
        )
    )


def _wrong_schema(raw: bytes, chance: random.Random) -> bytes:
    payload = orjson.loads(raw)
    payload.pop("checksum")
    change: dict[str, Any] = chance.choice(
        ({"schema_version": 3}, {"schema_version": 1}, {"more": 1}, {"shares": "1000"}, {"price": -1.0},
         {"direction": "HOLD"}, {"executor": None}, {"price_type": "market"})
    )  # fmt: skip
    payload |= change
    return orjson.dumps(payload | {"checksum": checksum(payload)}, option=orjson.OPT_SORT_KEYS)


def _other(**changes: Any) -> Begin:
    """A whole signal that is not for this executor to execute."""

    def begin(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
        identity = _identity(world, chance)
        given = {name: value(world) if callable(value) else value for name, value in changes.items()}
        world.oracle.forbidden[identity] = injection.fault
        world.seen(injection.fault)
        _drop(world, signal_name(SignalId(identity)), script_signal(world, identity, 1000, **given))

    return begin


def _second_writer(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    """The dashboard's own strategy name, from another host; it counts once the first is bound."""
    if not any(row.writer == "dashboard@mac" for row in world.oracle.rows.values()):
        return
    _other(strategy="grid", writer="dashboard@other")(world, injection, chance)


def _same_id(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    """A consumed signal comes again with other contents, whole and sealed."""
    disk = world.executor.disk
    done = disk.names(DONE)
    if not done:
        return
    try:
        payload = orjson.loads(disk.peek(DONE, chance.choice(done)).data)
    except orjson.JSONDecodeError:
        return
    if not isinstance(payload, dict) or "checksum" not in payload:
        return
    if not isinstance(payload.get("shares"), int):
        return
    payload.pop("checksum")
    payload["shares"] += 100
    raw = orjson.dumps(payload | {"checksum": checksum(payload)}, option=orjson.OPT_SORT_KEYS)
    world.seen(injection.fault)
    _drop(world, signal_name(SignalId(str(payload["signal_id"]))), raw)


def _duplicates(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    """A script's retry bug: the same intent under a new id two seconds later."""
    first, second = _identity(world, chance), _identity(world, chance)
    world.oracle.pairs.append(frozenset((first, second)))
    world.oracle.expected |= {first, second}
    shares, price = 100 * chance.randint(1, 9), world.counter.price
    world.seen(injection.fault)
    _drop(world, signal_name(SignalId(first)), script_signal(world, first, shares, price=price))
    world.timeline.after(
        chance.uniform(0.01, 2.0),
        lambda: _drop(
            world, signal_name(SignalId(second)), script_signal(world, second, shares, price=price)
        ),
    )


def _bad_name(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    """Ids that no file name can carry."""
    identity = chance.choice(("CON", "../../etc/x", "a:b", "NUL.txt", "信号", "x" * 300, ".hidden", "a/b"))
    world.oracle.forbidden[identity] = injection.fault
    world.seen(injection.fault)
    _drop(world, signal_name(SignalId(identity)), script_signal(world, identity, 1000))


def _temporary(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    """A whole signal under the temp names of sync tools and editors."""
    identity = _identity(world, chance)
    stem = signal_name(SignalId(identity))
    world.oracle.forbidden[identity] = injection.fault
    world.seen(injection.fault)
    name = chance.choice(
        (f".{stem}.swp", f"~syncthing~{stem}.tmp", f"{stem}.part", f"{stem}~", f"{stem}.!sync")
    )
    _drop(world, name, script_signal(world, identity, 1000))


def _storm(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    """A script drops 25 signals in a second: throttled, then refused."""
    world.seen(injection.fault)
    for number in range(25):
        identity = _identity(world, chance)
        raw = script_signal(world, identity, 100 * (number + 1))
        world.oracle.expected.add(identity)
        world.timeline.after(
            chance.uniform(0.0, 1.0),
            lambda identity=identity, raw=raw: _drop(world, signal_name(identity), raw),
        )


def _seed_script(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    """A script of the seed's time: no envelope, the one slot."""
    if world.plan.mode == "simulate":
        if world.clones:
            return  # it names no executor, and they take it: see _clone
        world.has_unaddressed = True
    identity = _identity(world, chance)
    body = {
        "signal_id": identity, "code": CODE, "direction": "BUY", "price": world.counter.price, "shares": 300,
        "timestamp": world.timeline.now, "reason": "script",
    }  # fmt: skip
    if world.plan.mode == "live":
        world.oracle.forbidden[identity] = "version 1 in live"
    world.seen(injection.fault)
    _drop(world, "order_signal.json", orjson.dumps(body))


def _fat_finger(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    slips: list[dict[str, Any]] = [{"price": 1.0555}, {"shares": 500_000}]
    if world.plan.mode == "live":
        # A simulating executor without a fresh quote knows no price to compare with (fault 66).
        slips += [{"price": 10.5}, {"price": 0.105}]
    changes = chance.choice(slips)
    _other(**({"price": 1.05} | {name: value for name, value in changes.items() if name == "price"}))(
        world, injection, chance
    ) if "price" in changes else _too_many(world, injection, chance)


def _too_many(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    identity = _identity(world, chance)
    world.oracle.forbidden[identity] = injection.fault
    world.seen(injection.fault)
    _drop(world, signal_name(SignalId(identity)), script_signal(world, identity, 500_000))


def _not_allowed(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    """More shares than may be sold, no whole lot, off the tick; in live also beyond the day's limits."""
    choices: list[dict[str, Any]] = [
        {"direction": "SELL", "shares": world.counter.shares // 100 * 100 + 30_000},
        {"shares": 150},
        {"price": 1.0505},
    ]
    if world.plan.mode == "live":
        choices += [{"price": 1.3}, {"price": 0.8}]
    changes = dict(chance.choice(choices))
    identity, shares = _identity(world, chance), int(changes.pop("shares", 1000))
    world.oracle.forbidden[identity] = injection.fault
    world.seen(injection.fault)
    _drop(world, signal_name(SignalId(identity)), script_signal(world, identity, shares, **changes))


def _runaway(world, injection: Injection, chance: random.Random) -> None:  # type: ignore[no-untyped-def]
    """A script that buys and sells without end: the executor may take it for what it is, and halt."""
    world.oracle.allow_halt()
    world.seen(injection.fault)
    for number in range(20):
        identity = _identity(world, chance)
        side = ("BUY", "SELL")[number % 2]

        def drop(identity: str = identity, side: str = side, number: int = number) -> None:
            raw = script_signal(world, identity, 3000 + 100 * number, direction=side)
            world.oracle.expected.add(identity)
            _drop(world, signal_name(SignalId(identity)), raw)

        world.timeline.after(0.8 * number, drop)


def _halt(world, injection: Injection, chance: random.Random) -> End:  # type: ignore[no-untyped-def]
    """A person halts: at the dashboard, or by a file on either host; later somebody resumes."""
    way = chance.choice(("screen", "file_e", "file_s"))
    world.seen(injection.fault)
    at = world.timeline.now
    raw = orjson.dumps({"halt": True, "reason": "test", "by": "person@x", "at": at})
    if way == "screen":
        world.tell_strategy("halt")
    elif way == "file_e":
        world.executor.disk.put(CONTROL, "halt.person@win.json", raw)
    else:
        world.strategy.disk.put(CONTROL, "halt.person@mac.json", raw)
    return lambda: world.operator_resumes()


def _odd_halt(world, injection: Injection, chance: random.Random) -> End:  # type: ignore[no-untyped-def]
    """Half a halt, a conflict copy of one, one that is deleted again: each is a halt."""
    raw = orjson.dumps({"halt": True, "reason": "odd", "by": "person@x", "at": world.timeline.now})
    name, data = chance.choice(
        (
            ("halt.person@win.json", raw[: chance.randrange(1, len(raw))]),
            ("halt.person@win.sync-conflict-20261118-100000-QFUOC7P.json", raw),
            ("HALT.txt", b""),
            ("halt.a@b.json", raw.replace(b"true", b"false")[:-3]),
        )
    )
    world.seen(injection.fault)
    disk = world.executor.disk
    disk.put(CONTROL, name, data)
    if chance.random() < 0.5:
        world.timeline.after(3.0, lambda: disk.drop(CONTROL, name))
    return lambda: world.operator_resumes()


def _old_result(world, injection: Injection, chance: random.Random) -> End | None:  # type: ignore[no-untyped-def]
    """An earlier revision of a result is put back over a later one."""
    disk, folder = world.strategy.disk, f"{ROOT}/order_results"
    names = disk.names(folder)
    if not names:
        return None
    name = chance.choice(names)
    raw = disk.peek(folder, name).data

    def end() -> None:
        world.seen(injection.fault)
        disk.put(folder, name, raw)

    return end


PEOPLE = {
    "torn_signal": Fault(14, _spoiled(_torn)),
    "empty_signal": Fault(15, _spoiled(_empty)),
    "flipped_bit": Fault(16, _spoiled(_flipped)),
    "wrong_schema": Fault(17, _spoiled(_wrong_schema)),
    "odd_bytes": Fault(18, _spoiled(_odd_bytes)),
    "same_id": Fault(19, _same_id),
    "duplicate_intent": Fault(20, _duplicates),
    "bad_name": Fault(27, _bad_name),
    "expired_signal": Fault(28, _other(expires_at=lambda world: world.timeline.now - 400.0)),
    "temp_names": Fault(32, _temporary),
    "old_executor": Fault(36, _other(executor="sim-gone")),
    "storm": Fault(63, _storm),
    "not_allowed": Fault(61, _not_allowed),
    "runaway": Fault(64, _runaway),
    "fat_finger": Fault(65, _fat_finger),
    "quotes_stop": now_and_then(66, 1.0),
    "quotes_odd": now_and_then(66, 0.5),
    "halted": Fault(67, _halt, (2.0, 20.0)),
    "odd_halt": Fault(68, _odd_halt, (2.0, 20.0)),
    "seed_script": Fault(69, _seed_script),
    "wrong_mode": Fault(
        70, _other(mode=lambda world: "live" if world.plan.mode == "simulate" else "simulate")
    ),
    "wrong_account": Fault(70, _other(account="other")),
    "second_writer": Fault(72, _second_writer),
    "old_result": Fault(78, _old_result, (2.0, 30.0)),
}
"""By name."""
