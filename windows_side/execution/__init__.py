"""The order's life on the trading host: state table, core, ledger, risk gate."""
