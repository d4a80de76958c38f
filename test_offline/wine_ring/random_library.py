"""The one Windows library that Wine 8 lacks and the Rust packages need: ``bcryptprimitives.dll``.

They draw random bytes from its ``ProcessPrng``. Wine has the same thing under an older name, so a library
without any code of its own is enough: its only export is forwarded there. Layout: Microsoft's "PE Format",
export forwarders.
"""

from __future__ import annotations

import struct
from pathlib import Path

NAME = "bcryptprimitives.dll"
_EXPORT = b"ProcessPrng"
# RtlGenRandom(buffer, length) by the name under which advapi32 exports it.
_FORWARD = b"advapi32.SystemFunction036"

_ADDRESS = 0x1000  # of the only section, once loaded
_FILE_ALIGNMENT = 0x200


def write_into(system_folder: Path) -> None:
    """Write the library into Wine's ``system32`` unless Wine has its own."""
    target = system_folder / NAME
    if not target.exists():
        target.write_bytes(_headers(_exports()) + _padded(_exports()))


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _FILE_ALIGNMENT)


def _exports() -> bytes:
    """The export directory, its three tables of one entry and the texts they point to."""
    tables = _ADDRESS + 40
    names = [NAME.encode(), _EXPORT, _FORWARD]
    texts = b"".join(name + b"\0" for name in names)
    places = [tables + 10 + sum(len(name) + 1 for name in names[:index]) for index in range(3)]
    library, export, forward = places
    directory = struct.pack("<IIHHIIIIIII", 0, 0, 0, 0, library, 1, 1, 1, tables, tables + 4, tables + 8)
    return directory + struct.pack("<IIH", forward, export, 0) + texts


def _headers(section: bytes) -> bytes:
    """DOS stub, file header, optional header with the export directory, and the section's own header."""
    dos = b"MZ" + bytes(58) + struct.pack("<I", 64)
    file_header = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x2022)
    optional = struct.pack("<HBBIIIII", 0x20B, 14, 0, 0, _FILE_ALIGNMENT, 0, 0, 0)
    optional += struct.pack("<QIIHHHHHHI", 0x180000000, 0x1000, _FILE_ALIGNMENT, 6, 0, 0, 0, 6, 0, 0)
    stack_and_heap = (0x100000, 0x1000, 0x100000, 0x1000)
    optional += struct.pack("<IIIHHQQQQII", 0x2000, _FILE_ALIGNMENT, 0, 2, 0x100, *stack_and_heap, 0, 16)
    optional += struct.pack("<II", _ADDRESS, len(section)) + bytes(15 * 8)
    size = len(_padded(section))
    place = (len(section), _ADDRESS, size, _FILE_ALIGNMENT)
    row = struct.pack("<8sIIIIIIHHI", b".edata", *place, 0, 0, 0, 0, 0x40000040)
    return _padded(dos + file_header + optional + row)
