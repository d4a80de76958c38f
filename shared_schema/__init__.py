"""The ground floor: what crosses the folder, and the rules both hosts share.

Imported by ``mac_side`` and ``windows_side``; imports neither.
"""
