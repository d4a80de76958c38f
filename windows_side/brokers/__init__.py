"""Brokers: the port, the worker that makes blocking calls asynchronous, and the brokers themselves."""
