"""From a reference to a data set: describe it, identify it, load it at a resolution."""

from __future__ import annotations

from pathlib import Path

from nas.data.cache import recall, store
from nas.data.dataset import DataSet, Description, Progress
from nas.data.source import open_source
from nas.errors import DataError


def default_cache() -> Path:
    """Where resized images are kept unless another folder is given."""
    return Path.home() / ".cache" / "nas"


def describe(reference: str, *, cache: Path | None = None, progress: Progress | None = None) -> Description:
    """What is known of a data set without decoding it.

    The first call on a folder reads every file once to identify it; later ones look at names, sizes and times.

    Args:
        reference: `digits` or `folder:PATH`.
        cache: folder for what is worth keeping; `default_cache()` if None.
        progress: called with (done, total) images.

    Raises:
        UnknownNameError: no such data set.
        DataError: it is missing, empty, or not laid out as expected.
    """
    source = open_source(reference)
    catalog = source.catalog(_folder(cache), progress or _silent)
    train, validation, test = catalog.counts
    return Description(
        reference=source.reference,
        classes=catalog.classes,
        channels=catalog.channels,
        train=train,
        validation=validation,
        test=test,
        flippable=source.flippable,
        fingerprint=catalog.fingerprint,
    )


def fingerprint(reference: str, *, cache: Path | None = None, progress: Progress | None = None) -> str:
    """Identity of a data set's content and split: 16 hex digits; arguments and errors as in `describe`."""
    return describe(reference, cache=cache, progress=progress).fingerprint


def load_data(
    reference: str,
    *,
    resolution: int,
    cache: Path | None = None,
    progress: Progress | None = None,
    expected: str | None = None,
) -> DataSet:
    """A data set at a resolution: decoded and resized the first time, mapped from the cache ever after.

    Args:
        reference: `digits` or `folder:PATH`.
        resolution: side of the square images in pixels.
        cache: folder of the resized images; `default_cache()` if None.
        progress: called with (done, total) images while files are read or decoded.
        expected: fingerprint the data must have. If it is cached, the source is not even looked at.

    Raises:
        UnknownNameError: no such data set.
        DataError: it is missing, damaged, not laid out as expected, or not the one that was expected.
    """
    cache, progress = _folder(cache), progress or _silent
    known = recall(cache, expected, resolution) if expected is not None else None
    if known is not None:
        return known
    source = open_source(reference)
    catalog = source.catalog(cache, progress)
    if expected not in (None, catalog.fingerprint):
        raise DataError(
            f"{reference}: its fingerprint is {catalog.fingerprint}, not {expected}; it was changed since the study "
            "began, or is another copy: restore it, or begin a new study"
        )
    return recall(cache, catalog.fingerprint, resolution) or store(source, catalog, cache, resolution, progress)


def _folder(cache: Path | None) -> Path:
    folder = default_cache() if cache is None else cache
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be the cache of images ({error.strerror}); choose another folder") from error
    return folder


def _silent(done: int, total: int) -> None:
    """Report nothing."""
