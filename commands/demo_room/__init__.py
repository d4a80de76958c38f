"""The demo: three real processes over a temporary folder, a replayed day, and a summary that adds up."""
