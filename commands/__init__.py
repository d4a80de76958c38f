"""The ``miniqmt`` commands; the only room that knows both sides."""
