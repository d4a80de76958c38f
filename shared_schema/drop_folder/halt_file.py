"""Writing a halt where hardly anything can be written: any file of such a name halts, an empty one too."""

from __future__ import annotations

from shared_schema.drop_folder.folder import DropFolder
from shared_schema.drop_folder.names import CONTROL_FOLDER, halt_name, other_halt_name
from shared_schema.errors import FolderError


def publish_halt(folder: DropFolder, writer: str, raw: bytes) -> str:
    """Publish ``raw`` as a halt of ``writer``; the name it got. Raises FolderError where nothing halts.

    Where the usual name can't be replaced (somebody holds it open, or made a folder of it), another one
    that halts as well is taken; where the disk takes no bytes any more, an empty file, which is as good
    a halt as half a one.
    """
    name = halt_name(writer)
    try:
        folder.publish(f"{CONTROL_FOLDER}/{name}", raw)
        return name
    except FolderError:
        other = other_halt_name(writer, folder.random_part().strip("."))
    try:
        folder.publish(f"{CONTROL_FOLDER}/{other}", raw)
    except FolderError as problem:
        try:
            folder.disk.create(folder.path / CONTROL_FOLDER / other, b"")
        except OSError:
            raise problem from None
    return other
