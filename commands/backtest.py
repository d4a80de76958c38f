"""``miniqmt backtest``: the strategy over a file of bars, its metrics and trades."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from mac_side.backtest.compiled import Engine, chosen_engine
from mac_side.backtest.dividends import AdjustedResult, read_dividends, run_with_dividends
from mac_side.backtest.engine import run_prepared
from mac_side.backtest.metrics import FEW_DAYS, Metrics, count_days, metrics_document, metrics_of
from mac_side.backtest.prepared import Prepared, prepare
from mac_side.backtest.read_series import read_series
from mac_side.backtest.result import BacktestResult
from mac_side.backtest.result_files import write_metrics, write_trades
from mac_side.strategy.grid_step import Decide, decide
from mac_side.strategy.own_step import own_step
from mac_side.strategy.parameters import GridParameters, read_assignments, with_settings
from mac_side.strategy.presets import preset as named_preset
from mac_side.strategy.presets import preset_code
from mac_side.strategy.presets import release as archived_release
from shared_schema.errors import SettingsError
from shared_schema.shanghai import shanghai
from shared_schema.words import say_both

DEFAULT_PRESET = "159201"
SAMPLES = Path(__file__).resolve().parents[1] / "shared_schema" / "sample"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backtest")(_command)


def backtest(
    preset: str | None = None,
    csv: Path | None = None,
    set_: list[str] | None = None,
    trades_out: Path | None = None,
    metrics_out: Path | None = None,
    plot: Path | None = None,
    release: str | None = None,
    engine: str = "auto",
    pool: float | None = None,
    dividends: str | None = None,
    report: Path | None = None,
    benchmark: Path | None = None,
    strategy: Path | None = None,
) -> int:
    """Run one backtest, print its figures and write the files asked for; 0 when done.

    ``pool`` in yuan, or several presets with commas between them, run over one cash pool; ``dividends``
    is a table of ex-dates (one for each preset). ``set_`` holds ``key=value`` texts over the preset
    (default 159201) or the release. Without ``csv`` the history in the working folder is read, else the
    shipped sample. ``engine`` changes the speed only. Raises SettingsError, DataError or FolderError.
    """
    chosen = chosen_engine(engine)
    tables = [Path(part) for part in dividends.split(",")] if dividends else []
    if pool is not None or "," in (preset or ""):
        from commands.backtest_pool import backtest_pool

        _only_for_one(release=release, plot=plot, report=report, strategy=strategy)
        names = (preset or DEFAULT_PRESET).split(",")
        files = [Path(part) for part in str(csv).split(",")] if csv is not None else []
        files = files or [found_bars(preset_code(name))[0] for name in names]
        return backtest_pool(names, files, pool, set_ or [], tables, trades_out, metrics_out, chosen)
    parameters, code = chosen_parameters(preset, release, set_ or [])
    path, kind = (csv, "csv") if csv is not None else found_bars(code)
    name = f"releases/{release}" if release else (preset or DEFAULT_PRESET)
    if strategy is not None:
        name = f"{strategy.stem} ({name})"
    print(say_both("backtest.reading_" + kind, path=path))
    prepared = prepare(read_series(path, chosen), parameters, engine=chosen)
    step = decide if strategy is None else own_step(strategy)
    result = _run(prepared, parameters, chosen, tables, step)
    other = _run(prepared, replace(parameters, live_rules=not parameters.live_rules), chosen, tables, step)
    for line in summary(name, result, other) + ex_date_lines(result):
        print(line)
    if trades_out is not None:
        write_trades(trades_out, result.trades)
    if metrics_out is not None:
        write_metrics(metrics_out, metrics_document(result, str(path)))
    if plot is not None:
        # A second of imports that a run without a picture need not wait for.
        from mac_side.backtest.plot import write_plot

        write_plot(plot, result, f"{name}  {path.name}")
    numbers = None
    if report is not None:
        from commands.backtest_report import ReportAbout, write_report_of

        about = ReportAbout(name, path, code, chosen, benchmark, cautions(parameters))
        numbers = write_report_of(report, result, other, about)
    for written in (trades_out, metrics_out, plot, report, numbers):
        if written is not None:
            print(say_both("backtest.written", path=written))
    return 0


def _run(
    prepared: Prepared, parameters: GridParameters, engine: Engine, tables: list[Path], step: Decide
) -> BacktestResult:
    if not tables:
        chosen: Engine = engine if step is decide else "step"
        return run_prepared(prepared, parameters, engine=chosen, step=step)
    if step is not decide:
        raise SettingsError("own_step.no_dividends")
    if len(tables) != 1:
        raise SettingsError("pooled.files", presets=1, files=len(tables))
    return run_with_dividends(prepared, parameters, read_dividends(tables[0]))


def ex_date_lines(result: BacktestResult) -> list[str]:
    """What the ex-dates of a run paid."""
    if not isinstance(result, AdjustedResult) or not result.adjusted:
        return []
    cash = sum(change.cash for change in result.adjusted)
    count, base = len(result.adjusted), result.base_dividends
    lines = [say_both("dividends.done", count=count, cash=f"{cash:,.2f}", base=f"{base:,.2f}")]
    for change in result.adjusted:
        if change.without_gap:
            lines.append(say_both("dividends.no_gap", day=change.dividend.day, factor=change.dividend.factor))
    return lines


def _only_for_one(**options: object) -> None:
    for name, value in options.items():
        if value is not None:
            raise SettingsError("pooled.not_with", option=f"--{name}")


def chosen_parameters(
    preset: str | None, release: str | None, assignments: list[str]
) -> tuple[GridParameters, str]:
    """The parameters of a preset or a release with ``key=value`` over them, and the code they are for."""
    if preset is not None and release is not None:
        raise SettingsError("backtest.preset_and_release", f"--preset {preset} --release {release}")
    base = archived_release(release) if release else named_preset(preset or DEFAULT_PRESET)
    code = preset_code(DEFAULT_PRESET if release else preset or DEFAULT_PRESET)
    return with_settings(base, read_assignments(assignments)), code


def found_bars(code: str) -> tuple[Path, str]:
    """The bars to read where none are named, and whether they are ``history`` or ``sample``."""
    history = Path(f"history_{code[:6]}_1m.csv")
    if history.exists():
        return history, "history"
    return SAMPLES / f"sample_{code[:6]}.csv", "sample"


def summary(name: str, result: BacktestResult, other: BacktestResult) -> list[str]:
    """A run's figures as lines, Chinese with English beside it; ``other`` ran under the other rules."""
    metrics, parameters = metrics_of(result), result.parameters
    lines = [
        say_both(
            "backtest.range",
            name=name,
            bars=f"{result.bars_in_file:,}",
            simulated=f"{len(result.close):,}",
            first=shanghai(float(result.end[0])).strftime("%Y-%m-%d %H:%M"),
            last=shanghai(float(result.end[-1])).strftime("%Y-%m-%d %H:%M"),
        ),
        say_both("backtest.trades", trades=metrics.trades, buys=metrics.buys, sells=metrics.sells),
        say_both("backtest.alpha", value=f"{metrics.alpha:,.2f}"),
        say_both("backtest.beta", value=f"{metrics.beta_profit:,.2f}"),
        say_both("backtest.total", value=f"{metrics.total_profit:,.2f}"),
        say_both("backtest.drawdown", value=f"{metrics.max_dd * 100:.2f}%"),
        _annual(metrics, count_days(result.day)),
        say_both(
            "backtest.full",
            count=metrics.exhaust_count,
            cycles=metrics.exhaust_cycles,
            losing=metrics.losing_cycles,
            bars=metrics.bars_would_buy_but_full,
        ),
        say_both(
            "backtest.held_back",
            paused=metrics.n_atr_pause_bars,
            stops=metrics.n_force_stops,
            days=metrics.days_util,
        ),
    ]
    compared = metrics_of(other)
    lines.append(
        say_both(
            "backtest.plain_beside" if parameters.live_rules else "backtest.live_beside",
            alpha=f"{compared.alpha:,.2f}",
            trades=compared.trades,
        )
    )
    return lines + cautions(parameters)


def _annual(metrics: Metrics, days: int) -> str:
    key = "annual_short" if days < FEW_DAYS else "annual"
    value, used = f"{metrics.flow_ann:.2%}", f"{metrics.flow_ann_util:.2%}"
    return say_both(f"backtest.{key}", value=value, used=used, days=days)


def cautions(parameters: GridParameters) -> list[str]:
    """The known traps that these parameters walk into."""
    lines = []
    most = sum(parameters.layer_money) * max(factors.money for factors in parameters.trend_factors)
    if most > parameters.batch_money:
        lines.append(
            say_both("backtest.overspends", most=f"{most:,.0f}", money=f"{parameters.batch_money:,.0f}")
        )
    if parameters.mtf_enabled and parameters.mtf_lookahead:
        lines.append(say_both("backtest.lookahead"))
    if not parameters.sell_by_lot and not parameters.whole_exit:
        lines.append(say_both("backtest.no_exit"))
    return lines


def _command(
    preset: Annotated[str | None, typer.Option("--preset", help=say_both("backtest.help_preset"))] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help=say_both("backtest.help_csv"))] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help=say_both("backtest.help_set"))] = None,
    trades_out: Annotated[
        Path | None, typer.Option("--trades-out", help=say_both("backtest.help_trades_out"))
    ] = None,
    metrics_out: Annotated[
        Path | None, typer.Option("--metrics-out", help=say_both("backtest.help_metrics_out"))
    ] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help=say_both("backtest.help_plot"))] = None,
    release: Annotated[str | None, typer.Option("--release", help=say_both("backtest.help_release"))] = None,
    engine: Annotated[str, typer.Option("--engine", help=say_both("backtest.help_engine"))] = "auto",
    pool: Annotated[float | None, typer.Option("--pool", help=say_both("pooled.help_pool"))] = None,
    dividends: Annotated[str | None, typer.Option("--dividends", help=say_both("dividends.help"))] = None,
    report: Annotated[Path | None, typer.Option("--report", help=say_both("backtest.help_report"))] = None,
    benchmark: Annotated[
        Path | None, typer.Option("--benchmark", help=say_both("backtest.help_benchmark"))
    ] = None,
    strategy: Annotated[Path | None, typer.Option("--strategy", help=say_both("own_step.help"))] = None,
) -> None:
    raise typer.Exit(
        backtest(
            preset,
            csv,
            set_,
            trades_out,
            metrics_out,
            plot,
            release,
            engine,
            pool,
            dividends,
            report,
            benchmark,
            strategy,
        )
    )
