"""The backtest: the strategy's own step over a series of bars, its metrics and its files."""
