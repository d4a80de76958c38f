"""What the demo prints: the plan before, the summary after."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from commands.demo_room.floor import Spread
from commands.demo_room.plan import Plan
from commands.demo_room.summary import Summary
from shared_schema.words import say


def show_plan(console: Console, plan: Plan) -> None:
    """Which bars, which day, which grid: so that nobody takes a fitted grid for advice."""
    source = say("demo.sample") if plan.is_sample else str(plan.csv)
    console.print(
        say("demo.bars", source=source, code=plan.code, day=plan.day, minutes=plan.minutes), markup=False
    )
    step = plan.parameters.grid_step_floor * 100
    console.print(say("demo.fitted", ticks=plan.fit.step_ticks, step=step, anchor=plan.anchor), markup=False)
    console.print(
        say("demo.base", shares=plan.base_shares, price=plan.base_price, speed=plan.speed), markup=False
    )
    if not plan.fit.lively:
        console.print(say("demo.quiet_day", orders=plan.fit.orders), markup=False)


def show_summary(console: Console, summary: Summary, floor: Spread, visitor: list[str], ended: str) -> None:
    """Counts, latencies with the floor beside them, and the comparison."""
    counts = summary.counts
    table = Table(title=say("demo.title"), show_header=False, min_width=48)
    table.add_column()
    table.add_column(justify="right")
    for key in ("quotes", "signals", "orders", "sells", "fills", "partly", "cancels", "refusals", "unknown"):
        table.add_row(say(f"demo.{key}"), str(getattr(counts, key)))
    console.print(table)
    console.print(_latencies(summary, floor))
    for message in visitor:
        console.print(say("demo.visitor_says", message=message), markup=False)
    if summary.differences:
        console.print(say("demo.differs"), style="bold red")
        for difference in summary.differences:
            console.print(f"  {difference}", markup=False)
    else:
        console.print(say("demo.agrees", ended=ended), style="bold green")


def _latencies(summary: Summary, floor: Spread) -> Table:
    table = Table(title=say("demo.latency"), min_width=48)
    table.add_column("", overflow="fold")  # 80 columns are too few for the floor's name: two lines, not "…"
    for name in ("p50", "p99", say("demo.times_floor"), say("demo.count")):
        table.add_column(name, justify="right")
    rows = (("demo.to_order", summary.to_order), ("demo.to_result", summary.to_result), ("demo.floor", floor))
    for key, spread in rows:
        if spread is not None:
            ratio = f"{spread.p50 / floor.p50:.1f}x"
            table.add_row(say(key), _ms(spread.p50), _ms(spread.p99), ratio, str(spread.count))
    return table


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"
