"""Fuzz ring: hostile files against every reader, each verdict checked again by rules written from the contract."""
