"""A data set that is decoded whenever it is read, since it would not fit in the cache."""

from __future__ import annotations

import heapq
import itertools
import json
from contextlib import suppress
from pathlib import Path

import numpy as np

from nas.data.atomic import new_file
from nas.data.cache import assembled, facts
from nas.data.dataset import DataSet
from nas.data.decoder_pool import Work
from nas.data.division import rank
from nas.data.source import DECODING, Catalog, Source
from nas.data.statistics import channel_statistics
from nas.data.streaming import StreamedImages

SAMPLE = 4096
"""Training images that mean and deviation are of. With natural images their error is below a gray level."""

_SAMPLE_SEED = 0
_BATCH = 256


def stream(source: Source, catalog: Catalog, cache: Path, resolution: int, *, decoders: int) -> DataSet:
    """The data set without its pixels. `cache` keeps only the mean and deviation, of a sample drawn by a hash of names.

    Raises:
        DataError: an image of the sample is damaged.
    """
    work = Work(reference=source.reference, channels=catalog.channels, side=resolution)
    bounds = itertools.pairwise([0, *itertools.accumulate(catalog.counts)])
    images = [StreamedImages(work, catalog.names[low:high], decoders) for low, high in bounds]
    memo = cache / "statistics" / f"{catalog.fingerprint}-{resolution}-v{DECODING}.json"
    mean, std = _recall(memo) or _measure(images[0], memo)
    return assembled(images, catalog.labels, facts(catalog, resolution, mean, std))


def _measure(images: StreamedImages, memo: Path) -> tuple[list[float], list[float]]:
    drawn = heapq.nsmallest(SAMPLE, range(len(images)), key=lambda index: rank(images.names[index], _SAMPLE_SEED))
    chosen = np.sort(np.array(drawn, dtype=np.intp))
    batches = (chosen[start : start + _BATCH] for start in range(0, len(chosen), _BATCH))
    mean, std = channel_statistics(images.read(batches), images.work.channels)
    with suppress(OSError), new_file(memo) as temporary:  # a cache that is full or read-only is no reason to stop
        temporary.write_text(json.dumps([mean, std]))
    return mean, std


def _recall(memo: Path) -> tuple[list[float], list[float]] | None:
    try:
        mean, std = json.loads(memo.read_text())
    except (OSError, ValueError, TypeError):  # none yet, or damaged
        return None
    return mean, std
