"""Windows code on Linux: a real Windows CPython under Wine runs the Windows side.

Good for the errors of replace and remove under open handles, for consoles and logs in other code pages, for
case-blind names and for a start without a terminal. No proof of NTFS timing, antivirus or a real terminal.
"""
