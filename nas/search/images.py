"""The images of a study: which they are, and that they are ready before any worker waits for them."""

from __future__ import annotations

from collections.abc import Callable

from nas.data import DataSet, describe, load_data
from nas.executors.image_transfer import Decoded
from nas.train.recipe import Recipe

_STREAMED = (
    "the images do not fit in the cache and are decoded again whenever they are read; `nas cache --limit` says how "
    "much room it has"
)


def images_of(fingerprint: str, *recipes: Recipe) -> tuple[Decoded, ...]:
    """The decoded images that trainings by these recipes read."""
    resolutions = sorted({recipe.stored_resolution for recipe in recipes})
    return tuple(Decoded(fingerprint=fingerprint, resolution=resolution) for resolution in resolutions)


def decode_images(
    reference: str,
    resolution: int,
    *,
    expected: str | None = None,
    progress: Callable[[int, int], None],
    note: Callable[[str], None],
) -> DataSet:
    """Decode a data set into the cache, once for all workers.

    Args:
        reference: of the data set.
        resolution: side of the images in pixels.
        expected: its fingerprint, where that is known already.
        progress: told how many images are ready, and of how many.
        note: told at the end, in a sentence each, what is unusual about them.

    Raises:
        DataError: the images cannot be read, or are not the ones that were expected.
    """
    # The source is looked at even where the cache has its images: it may have changed, and findings are about it.
    found = describe(reference, progress=progress, expected=expected)
    data = load_data(found.reference, resolution=resolution, progress=progress, expected=found.fingerprint)
    for sentence in [*found.findings.sentences(), *([_STREAMED] if data.train.is_streamed else [])]:
        note(sentence)
    return data
