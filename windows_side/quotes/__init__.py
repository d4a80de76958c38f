"""Quote sources: the port, and the sources themselves."""
