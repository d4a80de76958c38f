"""The reconciliation as a table on the terminal, as JSON and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from commands.time_text import clock_text
from shared_schema.instruments import instrument
from shared_schema.words import say
from windows_side.brokers.money import Fees, amount_of, in_yuan
from windows_side.execution.reconcile import FillLine, OrderLine, Reconciliation

COLUMNS = (
    "time",
    "signal_id",
    "order_id",
    "trade_id",
    "strategy",
    "code",
    "direction",
    "shares",
    "price",
    "amount",
    "signal_price",
    "slippage_signal",
    "arrival_price",
    "slippage_arrival",
)


@dataclass(frozen=True)
class Total:
    """Of one strategy in one code; yuan and shares."""

    strategy: str
    code: str
    orders: int
    bought: int
    sold: int
    bought_yuan: float
    sold_yuan: float
    fees: float
    slippage_signal: float
    slippage_arrival: float


def fees_of(line: OrderLine, fees: Fees) -> float:
    """What the counter charges for an order by the settings' rates, yuan: the terminal tells no fees."""
    if not line.fills or line.order.signal is None:
        return 0.0
    traded = sum(amount_of(fill.price, fill.shares) for fill in line.fills)
    return in_yuan(fees.of_order(traded, line.fills[0].direction, instrument(line.order.signal.code)))


def totals(report: Reconciliation, fees: Fees) -> list[Total]:
    """Sums per strategy and code."""
    groups: dict[tuple[str, str], list[OrderLine]] = {}
    for line in report.lines:
        signal = line.order.signal
        if signal is not None:
            groups.setdefault((signal.strategy or "", signal.code), []).append(line)
    return [_total(strategy, code, lines, fees) for (strategy, code), lines in sorted(groups.items())]


def _total(strategy: str, code: str, lines: list[OrderLine], fees: Fees) -> Total:
    fills = [fill for line in lines for fill in line.fills]
    buys = [fill for fill in fills if fill.direction == "BUY"]
    sells = [fill for fill in fills if fill.direction == "SELL"]
    return Total(
        strategy=strategy,
        code=code,
        orders=len(lines),
        bought=sum(fill.shares for fill in buys),
        sold=sum(fill.shares for fill in sells),
        bought_yuan=_yuan(buys),
        sold_yuan=_yuan(sells),
        fees=sum(fees_of(line, fees) for line in lines),
        slippage_signal=sum(fill.slippage_signal for fill in fills),
        slippage_arrival=sum(fill.slippage_arrival or 0.0 for fill in fills),
    )


def _yuan(fills: Iterable[FillLine]) -> float:
    return in_yuan(sum(amount_of(fill.price, fill.shares) for fill in fills))


def show(report: Reconciliation, account: str, fees: Fees, console: Console) -> None:
    """Orders, totals, foreign orders and differences."""
    orders = [_order_cells(line, fees) for line in report.lines]
    _print(console, say("reconcile.title", day=report.day, account=account), "orders_columns", orders)
    sums = []
    for total in totals(report, fees):
        money = (
            total.bought_yuan,
            total.sold_yuan,
            total.fees,
            total.slippage_signal,
            total.slippage_arrival,
        )
        shares = (total.orders, total.bought, total.sold)
        told = (*map(str, shares), *(f"{yuan:,.2f}" for yuan in money))
        sums.append([total.strategy or "-", total.code, *told])
    _print(console, say("reconcile.totals"), "totals_columns", sums)
    console.print(
        say(
            "reconcile.fees_are_ours",
            rate=f"{fees.commission_rate:g}",
            least=f"{fees.min_commission:g}",
            stamp=f"{fees.stamp_duty_rate:g}",
        )
    )
    for order in report.foreign:
        place = f"{order.code} {order.direction} {order.filled_shares}/{order.shares} @ {order.price:g}"
        console.print(say("reconcile.foreign", order_id=order.order_id, place=place))
    for found in report.differences:
        sentence = say(f"reconcile.difference.{found.kind}", ours=found.ours, brokers=found.brokers)
        console.print(f"✗ {found.subject}: {sentence}", style="bold red")
    counts = {"orders": len(report.lines), "not_sent": len(report.not_sent), "foreign": len(report.foreign)}
    verdict = "agrees" if report.agrees else "differs"
    console.print(say(f"reconcile.{verdict}", count=len(report.differences), **counts), style="bold")


def _print(console: Console, title: str, columns: str, rows: list[list[str]]) -> None:
    """A table; where the terminal is too narrow for it each row as a line of its own, with no value cut."""
    names = say(f"reconcile.{columns}").split("|")
    table = Table(title=title)
    for number, name in enumerate(names):
        table.add_column(name, justify="left" if number < 2 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    room = console.options.update(max_width=10_000)
    if Measurement.get(console, room, table).maximum <= console.width:
        console.print(table)
        return
    console.print(title, style="italic", markup=False)
    for row in rows:
        told = "  ".join(f"{name} {cell}" for name, cell in zip(names, row, strict=True))
        console.print(told, markup=False, highlight=False, soft_wrap=True)


def _order_cells(line: OrderLine, fees: Fees) -> list[str]:
    order, signal, fills = line.order, line.order.signal, line.fills
    shares = sum(fill.shares for fill in fills)
    known = [fill.slippage_arrival for fill in fills if fill.slippage_arrival is not None]
    return [
        clock_text(order.calling_market)[:8] if order.calling_market else "-",
        order.signal_id,
        f"{signal.code} {signal.direction}" if signal else "-",
        f"{shares}/{signal.shares}" if signal else str(shares),
        f"{signal.price:.3f}" if signal else "-",
        f"{line.amount / shares:.4f}" if shares else "-",
        f"{sum(fill.slippage_signal for fill in fills):,.2f}",
        f"{sum(known):,.2f}" if known else "-",
        f"{fees_of(line, fees):,.2f}",
        order.state,
        say(f"reconcile.by.{line.by or 'none'}"),
    ]


def write_csv(report: Reconciliation, fees: Fees, folder: Path) -> Path:
    """``reconcile_YYYYMMDD.csv``: a line a fill, then the totals and the differences; the path written."""
    path = folder / f"reconcile_{report.day.replace('-', '')}.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for line in report.lines:
            for fill in line.fills:
                values = asdict(fill) | {
                    "time": clock_text(fill.time),
                    "amount": round(fill.price * fill.shares, 4),
                    "slippage_signal": round(fill.slippage_signal, 4),
                    "slippage_arrival": _rounded(fill.slippage_arrival),
                }
                writer.writerow([values[column] for column in COLUMNS])
        for kind, records in (("total", totals(report, fees)), ("difference", report.differences)):
            for record in records:
                writer.writerow([kind, *(f"{name}={value}" for name, value in asdict(record).items())])
    return path


def _rounded(yuan: float | None) -> float | str:
    return "" if yuan is None else round(yuan, 4)


def as_json(report: Reconciliation, fees: Fees) -> dict[str, Any]:
    """The report for scripts."""
    return {
        "format": 1,
        "day": report.day,
        "agrees": report.agrees,
        "orders": [
            {
                "signal_id": line.order.signal_id,
                "order_id": line.brokers.order_id if line.brokers else "",
                "matched_by": line.by,
                "state": line.order.state,
                "amount": line.amount,
                "fees": fees_of(line, fees),
                "fills": [asdict(fill) for fill in line.fills],
            }
            for line in report.lines
        ],
        "totals": [asdict(total) for total in totals(report, fees)],
        "foreign": [order.model_dump(mode="json") for order in report.foreign],
        "differences": [asdict(found) for found in report.differences],
    }
