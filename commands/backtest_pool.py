"""``miniqmt backtest --preset A,B --pool YUAN``: several codes on one timeline over one cash pool."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mac_side.backtest.compiled import Engine
from mac_side.backtest.dividends import read_dividends
from mac_side.backtest.engine import run_prepared
from mac_side.backtest.metrics import metrics_document, metrics_of
from mac_side.backtest.pooled import Member, PooledResult, run_pooled
from mac_side.backtest.prepared import prepare
from mac_side.backtest.read_series import read_series
from mac_side.backtest.result_files import TRADE_COLUMNS, write_metrics, write_whole
from mac_side.strategy.parameters import read_assignments, with_settings
from mac_side.strategy.presets import preset as named_preset
from mac_side.strategy.presets import preset_code
from shared_schema.cash_pool import PoolTerms
from shared_schema.errors import SettingsError
from shared_schema.settings_sections import Limits
from shared_schema.shanghai import shanghai
from shared_schema.words import say, say_both


def backtest_pool(
    names: list[str],
    files: list[Path],
    pool: float | None,
    assignments: list[str],
    dividends: list[Path],
    trades_out: Path | None,
    metrics_out: Path | None,
    engine: Engine,
) -> int:
    """Run the presets ``names`` over their ``files`` together; print figures, write what is asked for.

    ``pool`` in yuan, None: the executor's default. Raises SettingsError, DataError or FolderError.
    """
    if pool is not None and not 0 < pool < 1e12:
        raise SettingsError("pooled.bad_pool", value=pool)
    if len(files) != len(names) or (dividends and len(dividends) != len(names)):
        found = dividends if len(files) == len(names) else files
        raise SettingsError("pooled.files", presets=len(names), files=len(found))
    members = []
    for place, (name, path) in enumerate(zip(names, files, strict=True)):
        parameters = with_settings(named_preset(name), read_assignments(assignments))
        print(say_both("backtest.reading_csv", path=path))
        table = read_dividends(dividends[place]) if dividends else ()
        prepared = prepare(read_series(path, engine), parameters, engine=engine)
        members.append(Member(preset_code(name), prepared, parameters, table))
    codes = [member.code for member in members]
    twice = next((code for code in codes if codes.count(code) > 1), None)
    if twice is not None:
        raise SettingsError("pooled.same_code", code=twice)
    limits = Limits()
    terms = PoolTerms(limits.pool_yuan if pool is None else pool, limits.pool_code_yuan)
    done = run_pooled(members, terms)
    for line in _lines(done, members, engine):
        print(line)
    if trades_out is not None:
        write_whole(trades_out, _trades(done))
        print(say_both("backtest.written", path=trades_out))
    if metrics_out is not None:
        write_metrics(metrics_out, document(done, members, [str(path) for path in files]))
        print(say_both("backtest.written", path=metrics_out))
    return 0


def document(done: PooledResult, members: list[Member], sources: list[str]) -> dict[str, Any]:
    """What goes into the metrics file: each code's own document, the pool, and all together."""
    results = list(done.results.values())
    return {
        "codes": {
            code: metrics_document(result, source)
            for (code, result), source in zip(done.results.items(), sources, strict=True)
        },
        "together": {
            "alpha": done.alpha,
            "trades": sum(len(result.table) for result in results),
            "max_dd": done.drawdown(members[0].parameters.curve_base),
        },
        "pool": {
            **asdict(done.terms),
            "most_used": done.most_used,
            "refused": dict(done.refused),
            "widened_decisions": done.widened_steps,
        },
    }


def _lines(done: PooledResult, members: list[Member], engine: Engine) -> list[str]:
    lines = []
    for member in members:
        metrics = metrics_of(done.results[member.code])
        name = member.code
        lines.append(say_both("backtest.range", **_range(name, done, member)))
        lines.append(
            say_both("backtest.trades", trades=metrics.trades, buys=metrics.buys, sells=metrics.sells)
        )
        lines.append(say_both("backtest.alpha", value=f"{metrics.alpha:,.2f}"))
        lines.append(say_both("backtest.drawdown", value=f"{metrics.max_dd * 100:.2f}%"))
        alone = metrics_of(run_prepared(member.prepared, member.parameters, engine=engine))
        lines.append(
            say_both("pooled.alone", code=name, alpha=f"{alone.alpha:,.2f}", trades=alone.trades)
        )
    lines.append(
        say_both(
            "pooled.together",
            alpha=f"{done.alpha:,.2f}",
            trades=sum(len(result.table) for result in done.results.values()),
            drawdown=f"{done.drawdown(members[0].parameters.curve_base) * 100:.2f}%",
        )
    )
    terms = done.terms
    lines.append(
        say_both(
            "pooled.pool",
            total=f"{terms.total:,.0f}",
            cap=f"{terms.code_cap:,.0f}",
            most=f"{done.most_used:,.2f}",
            share=f"{done.most_used / terms.total:.0%}",
        )
    )
    refused = "  ".join(say(f"pooled.{word}", count=count) for word, count in done.refused.items())
    lines.append(
        say_both("pooled.refused", refused=refused) if refused else say_both("pooled.none_refused")
    )
    lines.append(say_both("pooled.widened", count=done.widened_steps))
    return lines


def _range(name: str, done: PooledResult, member: Member) -> dict[str, str]:
    result = done.results[member.code]
    return {
        "name": name,
        "bars": f"{result.bars_in_file:,}",
        "simulated": f"{len(result.close):,}",
        "first": shanghai(float(result.end[0])).strftime("%Y-%m-%d %H:%M"),
        "last": shanghai(float(result.end[-1])).strftime("%Y-%m-%d %H:%M"),
    }


def _trades(done: PooledResult) -> bytes:
    """Trades of all codes by time, the code in a last column."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*TRADE_COLUMNS, "code"))
    order = list(done.results)
    rows = [(trade, code) for code, result in done.results.items() for trade in result.trades]
    for trade, code in sorted(rows, key=lambda row: (row[0].time, order.index(row[1]))):
        time = shanghai(trade.time).isoformat(" ")
        writer.writerow((time, trade.type, repr(trade.price), trade.shares, trade.reason, code))
    return text.getvalue().encode()
