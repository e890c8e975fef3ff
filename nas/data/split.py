"""Stratified draws that are the same on every machine, for every version of every library.

Within a class the images are ordered by a hash of seed and name, and the first ones are drawn. Unlike a shuffle this
does not depend on a generator's implementation, and a new image leaves the order of the others alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


def draw(names: Sequence[str], labels: NDArray[np.int64], share: float, *, seed: int) -> tuple[Indices, Indices]:
    """Draw about `share` of every class, at least one image of it.

    Args:
        names: one per image; the identity the draw depends on.
        labels: (N,), the class of every image.
        share: in [0, 1].
        seed: another seed draws another part.

    Returns:
        The indices drawn and those that remain, both ascending.
    """
    is_drawn = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label).tolist()
        count = max(1, round(share * len(members)))
        is_drawn[sorted(members, key=lambda index: rank(names[index], seed))[:count]] = True
    return np.flatnonzero(is_drawn), np.flatnonzero(~is_drawn)


def rank(name: str, seed: int) -> bytes:
    """The place of an image in a draw: those with the smallest ranks are drawn."""
    return sha256(f"{seed}:{name}".encode(errors="surrogateescape")).digest()
