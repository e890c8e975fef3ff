"""Images whose bytes no version of a library changes."""

from __future__ import annotations

from pathlib import Path

COUNT = 6


def ppm(shade: int) -> bytes:
    return b"P6 4 3 255\n" + bytes((shade + 7 * place) % 256 for place in range(36))


def write_folders(root: Path, *folders: str, count: int = COUNT) -> Path:
    """Folders of so many different images each; returns the one that they are in."""
    shade = 0
    for folder in folders:
        (root / folder).mkdir(parents=True)
        for index in range(count):
            (root / folder / f"{index}.ppm").write_bytes(ppm(shade))
            shade += 1
    return root
