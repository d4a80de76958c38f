"""A stand-in for the QMT terminal at xtquant's native boundary.

The unmodified ``xttrader.py`` and ``xtdata.py`` of the installed wheel run over our own
``xtpythonclient`` and ``datacenter``, which talk to a terminal (``terminal.py``) that may live in
a process of its own. ``install.py`` puts our two modules in place of the native ones.
"""
