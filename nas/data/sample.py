"""A few images of a data set at any resolution, decoded on the spot: nothing of it is kept."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

from nas.data.dataset import Progress
from nas.data.images import ImageError, PixelReader, in_threads
from nas.data.load import default_cache
from nas.data.source import open_source


def sample_images(
    reference: str, count: int, *, resolution: int, seed: int, progress: Progress = lambda done, total: None
) -> NDArray[np.uint8]:
    """Images of the validation split, drawn without repetition: (N, C, S, S), N at most `count`.

    Args:
        reference: of the data set, as `load_data` takes it.
        count: how many; fewer where the split has fewer.
        resolution: side in pixels; the shorter side is scaled to it, the centre cut out.
        seed: of the choice.
        progress: told about the identification of a data set that is not known yet.

    Raises:
        UnknownNameError: no such data set.
        DataError: it cannot be used, or an image that was drawn is damaged.
    """
    source = open_source(reference)
    catalog = source.catalog(default_cache(), progress)
    train, validation, _ = catalog.counts
    names = catalog.names[train : train + validation]
    drawn = sorted(random.Random(seed).sample(range(len(names)), min(count, len(names))))
    read = PixelReader(source.opener(), side=resolution, channels=catalog.channels)
    try:
        return np.stack(list(in_threads(read, [names[index] for index in drawn], lambda done, total: None)))
    except ImageError as error:
        raise ImageError(f"{reference}: {error.name}", error.reason) from None
