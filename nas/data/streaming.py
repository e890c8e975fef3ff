"""Images of a split that would not fit in the cache: decoded by processes whenever they are read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nas.data.decoder_pool import Batch, DecoderPool, Work

AHEAD = 4
"""Batches that are decoded before they are asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class StreamedImages:
    """What stands in place of the array of a split's images.

    Attributes:
        work: where they come from, and their size.
        names: one per image, in the order of the labels.
        decoders: processes that decode while they are read.
    """

    dtype: ClassVar[np.dtype[np.uint8]] = np.dtype(np.uint8)

    work: Work
    names: Sequence[str] = field(repr=False)
    decoders: int

    def __len__(self) -> int:
        """How many images."""
        return len(self.names)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, C, H, W)."""
        return len(self), self.work.channels, self.work.side, self.work.side

    @property
    def nbytes(self) -> int:
        """Of all images, were they in memory."""
        return len(self) * self.work.image_bytes

    def read(self, batches: Iterable[NDArray[np.intp]]) -> Iterator[NDArray[np.uint8]]:
        """The images of each batch of indices, in order: uint8, (n, C, H, W), the same pixels as the cache would have.

        The processes start with the first batch and end with the last, or when the iterator is closed or forgotten.

        Raises:
            DataError: an image is damaged.
            IndexError: there is no image of such an index.
            NasError: a process that decodes has ended.
        """
        upcoming = iter(batches)
        first = next(upcoming, None)
        if first is None:
            return
        with DecoderPool(self.work, self.names, decoders=self.decoders) as pool:
            begun: deque[Batch] = deque([pool.begin(first)])
            while begun:
                while len(begun) <= AHEAD and (indices := next(upcoming, None)) is not None:
                    begun.append(pool.begin(indices))
                yield pool.finish(begun.popleft())
