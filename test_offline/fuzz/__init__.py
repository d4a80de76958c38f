"""Fuzz ring: hostile files against every reader, each verdict checked by rules from the contract."""
