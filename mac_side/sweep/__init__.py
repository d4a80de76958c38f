"""Sweeps: many sets of parameters over one series, walked forward."""
