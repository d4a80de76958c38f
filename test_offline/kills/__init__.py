"""Real executor processes killed with SIGKILL, thousands of times."""
