"""The grid strategy: pure, one copy for the live engine and the backtest."""
