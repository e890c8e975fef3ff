"""From a reference to a data set: describe it, identify it, load it at a resolution."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas.data.atomic import new_file
from nas.data.cache import recall, store
from nas.data.cores import available_cores
from nas.data.dataset import DataSet, Description, Findings, Progress
from nas.data.room import limit_of
from nas.data.source import DECODING, Catalog, Source, open_source
from nas.data.streamed import stream
from nas.errors import DataError

CACHE_VARIABLE = "NAS_CACHE"


def default_cache() -> Path:
    """Where resized images are kept unless another folder is given: as `NAS_CACHE` says, or below the user's caches.

    These are `XDG_CACHE_HOME` or `~/.cache`; a relative path there means nothing, by the XDG specification.
    """
    said = os.environ.get(CACHE_VARIABLE)
    if said:
        return Path(said).absolute()
    caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (caches if caches.is_absolute() else Path.home() / ".cache") / "nas"


def describe(
    reference: str, *, cache: Path | None = None, progress: Progress | None = None, expected: str | None = None
) -> Description:
    """What is known of a data set without decoding it.

    The first call reads every image once to identify it; later ones look only at names, sizes and times.

    Args:
        reference: `NAME`, `NAME:ARGUMENT` or either with `?OPTION=VALUE&...`, as in `folder:PATH?corrupt=skip`.
        cache: folder for what is worth keeping; `default_cache()` if None.
        progress: called with (done, total) images.
        expected: fingerprint the data must have.

    Raises:
        UnknownNameError: no such data set.
        DataError: it is missing, empty, damaged, not laid out as expected, or not the one that was expected.
    """
    source = open_source(reference)
    description, _ = _described(source, _folder(cache), progress or _silent)
    _require_same(description, expected)
    return description


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
    limit: int | None = None,
    decoders: int | None = None,
) -> DataSet:
    """A data set at a resolution: decoded and resized the first time, mapped from the cache ever after.

    Where it does not fit in the cache (least recently used data sets that no process uses are removed first), nothing
    is written: its splits are streamed, that is, decoded by processes whenever they are read.

    Args:
        reference: as in `describe`.
        resolution: side of the square images in pixels.
        cache: folder of the resized images; `default_cache()` if None.
        progress: called with (done, total) images while files are read or decoded.
        expected: fingerprint the data must have. If it is cached, the source is not even looked at, so there are no
            findings.
        limit: bytes of resized images that the cache may hold; None for what it was told (`nas cache --limit`).
        decoders: processes that decode what is streamed; None for one a core.

    Raises:
        UnknownNameError: no such data set.
        DataError: it is missing, damaged, not laid out as expected, or not the one that was expected.
    """
    cache, progress = _folder(cache), progress or _silent
    known = recall(cache, expected, resolution, reference=reference) if expected is not None else None
    if known is not None:
        return known
    source = open_source(reference)
    description, catalog = _described(source, cache, progress)
    _require_same(description, expected)
    data = recall(cache, description.fingerprint, resolution, reference=source.reference)
    if data is None:
        data = _read(source, catalog or source.catalog(cache, progress), cache, resolution, progress, limit, decoders)
    return replace(data, findings=description.findings)


def _require_same(found: Description, expected: str | None) -> None:
    if expected not in (None, found.fingerprint):
        raise DataError(
            f"{found.reference}: its images, their labels or their split have changed since they were trained on, or "
            f"this is another copy. There are now {found.train:,} images to train on, {found.validation:,} for "
            f"validation and {found.test:,} for test, of {len(found.classes):,} classes; restore what there was, or "
            "begin a new study"
        )


def _read(
    source: Source,
    catalog: Catalog,
    cache: Path,
    resolution: int,
    progress: Progress,
    limit: int | None,
    decoders: int | None,
) -> DataSet:
    allowed = limit_of(cache) if limit is None else limit
    stored = store(source, catalog, cache, resolution, progress, limit=allowed)
    return stored or stream(source, catalog, cache, resolution, decoders=decoders or available_cores())


def _described(source: Source, cache: Path, progress: Progress) -> tuple[Description, Catalog | None]:
    """The description of a source, and its catalog if that had to be made for it."""
    key = f"{DECODING} {source.reference} {source.stamp()}"
    memo = cache / "descriptions" / f"{sha256(key.encode(errors='surrogateescape')).hexdigest()[:32]}.json"
    known = _recall(memo)
    if known is not None:
        return known, None
    catalog = source.catalog(cache, progress)
    description = _description(source, catalog)
    with suppress(OSError), new_file(memo) as temporary:  # a cache that is full or read-only is no reason to stop
        temporary.write_text(json.dumps(asdict(description)))
    return description, catalog


def _description(source: Source, catalog: Catalog) -> Description:
    train, validation, test = catalog.counts
    return Description(
        reference=source.reference,
        classes=catalog.classes,
        channels=catalog.channels,
        train=train,
        validation=validation,
        test=test,
        chance=_largest_share(catalog.labels[train : train + validation]),
        flippable=catalog.flippable,
        fingerprint=catalog.fingerprint,
        findings=catalog.findings,
    )


def _largest_share(labels: NDArray[np.int64]) -> float:
    """The share of the most frequent label."""
    return float(np.bincount(labels).max() / len(labels))


def _recall(memo: Path) -> Description | None:
    try:
        data = json.loads(memo.read_text())
        findings = Findings.from_dict(data.pop("findings"))
        return Description(**{**data, "classes": tuple(data["classes"]), "findings": findings})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # none yet, or not ours: find out again
        return None


def _folder(cache: Path | None) -> Path:
    folder = default_cache() if cache is None else cache
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be the cache of images ({error.strerror}); choose another folder") from error
    return folder


def _silent(done: int, total: int) -> None:
    """Report nothing."""
