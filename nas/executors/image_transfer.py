"""Decoded images for the nodes of a cluster: which ones, and their way from the driver's cache into a node's.

They travel in blocks, so that no process ever has all of them in its memory. On every machine one process writes and
the others wait for it, by the lock that the cache has anyway; where machines share a cache, nothing travels.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BLOCK = 64 * 2**20  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A data set at one resolution, decoded.

    Attributes:
        fingerprint: of the data set.
        resolution: side of its images.
    """

    fingerprint: str
    resolution: int

    def is_here(self) -> bool:
        """Whether it is in this machine's cache, and whole."""
        from nas.data import default_cache
        from nas.data.cache import recall

        return recall(default_cache(), self.fingerprint, self.resolution) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTransfer:
    """A decoded data set under way.

    Attributes:
        content: which one.
        size: bytes of all its files.
        files: name of each file, and where its blocks are.
    """

    content: Decoded
    size: int
    files: tuple[tuple[str, tuple[Any, ...]], ...]


def pack(content: Decoded, put: Callable[[Any], Any]) -> ImageTransfer | None:
    """A transfer of what is in this machine's cache; None if it is not there, because it did not fit.

    Args:
        content: which data set.
        put: keeps a block (uint8, (N,)) where every node can get it, and returns what to get it by.
    """
    from nas.data import default_cache
    from nas.data.cache import entry

    folder = entry(default_cache(), content.fingerprint, content.resolution)
    if not content.is_here():
        return None
    files = sorted(folder.iterdir())
    return ImageTransfer(
        content=content,
        size=sum(file.stat().st_size for file in files),
        files=tuple((file.name, tuple(map(put, _blocks(file)))) for file in files),
    )


def unpack(transfer: ImageTransfer, get: Callable[[Any], Any]) -> None:
    """Write a transfer into this machine's cache, unless it is there by now or the cache has no room for it.

    Args:
        transfer: what to write.
        get: gives the block behind what `put` returned.

    Raises:
        OSError: it cannot be written.
    """
    from nas.data import default_cache
    from nas.data.cache import receive

    blocks = ((name, map(get, places)) for name, places in transfer.files)
    receive(default_cache(), transfer.content.fingerprint, transfer.content.resolution, blocks, size=transfer.size)


def _blocks(file: Path) -> Iterator[Any]:
    import numpy as np

    whole = np.memmap(file, dtype=np.uint8, mode="r")
    bounds = itertools.pairwise([*range(0, len(whole), _BLOCK), len(whole)])
    return (whole[low:high] for low, high in bounds)
