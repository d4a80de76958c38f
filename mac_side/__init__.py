"""The strategy host: quotes in, decisions, signals out, results applied to the books."""
