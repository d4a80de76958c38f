"""The screen: a process that shows the engine's view and leaves commands for it."""
