"""Prints each key that the screen's reader reads, until ``q``."""

from __future__ import annotations

import time

from mac_side.screen.keys import key_reader

WITHIN = 600.0


def main() -> None:
    """Read and print."""
    deadline = time.monotonic() + WITHIN
    with key_reader() as reader:
        print(f"<{type(reader).__name__}>", flush=True)
        while time.monotonic() < deadline:
            for key in reader.read(0.5):
                print(f"<{key!a}>", flush=True)
                if key == "q":
                    return


if __name__ == "__main__":
    main()
