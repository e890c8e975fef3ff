"""Resized images on disk, one folder per data set and resolution, mapped by every process that trains on them."""

from __future__ import annotations

import fcntl
import itertools
import json
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.data.atomic import new_folder
from nas.data.dataset import DataSet, Progress, Split
from nas.data.source import Catalog, Source
from nas.errors import DataError

FORMAT = 1
"""Raised when what is in a folder changes its form or meaning."""

IMAGES, LABELS, META = "images.npy", "labels.npy", "meta.json"
STATISTICS_BYTES = 2**24


def entry(cache: Path, fingerprint: str, resolution: int) -> Path:
    """The folder of one data set at one resolution."""
    return cache / "images" / f"{fingerprint}-{resolution}-v{FORMAT}"


def recall(cache: Path, fingerprint: str, resolution: int) -> DataSet | None:
    """Map what is cached; None if it is not, or is damaged."""
    folder = entry(cache, fingerprint, resolution)
    try:
        meta = json.loads((folder / META).read_text())
        labels: NDArray[np.int64] = np.load(folder / LABELS)
        # "c": private pages that are never written, so they stay shared; torch warns of read-only arrays.
        images: NDArray[np.uint8] = np.load(folder / IMAGES, mmap_mode="c")  # ValueError where the file is cut short
        if images.shape != (sum(meta["counts"]), meta["channels"], resolution, resolution):
            return None
        return _dataset(images, labels, meta)
    except (OSError, ValueError, EOFError, KeyError, TypeError):
        return None


def store(source: Source, catalog: Catalog, cache: Path, resolution: int, progress: Progress) -> DataSet:
    """Decode into the cache and map the result; the processes that want the same wait for the first one.

    Raises:
        DataError: an image is damaged, or the disk is full.
    """
    folder = entry(cache, catalog.fingerprint, resolution)
    with _lock(folder):
        known = recall(cache, catalog.fingerprint, resolution)
        if known is not None:
            return known
        shutil.rmtree(folder, ignore_errors=True)  # damaged
        with new_folder(folder) as temporary:
            _write(temporary, source, catalog, resolution, progress)
    fresh = recall(cache, catalog.fingerprint, resolution)
    if fresh is None:
        raise DataError(f"{folder}: what was just written there cannot be read back; check the disk")
    return fresh


def _write(folder: Path, source: Source, catalog: Catalog, resolution: int, progress: Progress) -> None:
    shape = (len(catalog.names), catalog.channels, resolution, resolution)
    images = _new_array(folder / IMAGES, shape)
    source.decode(catalog, images, progress)
    images.flush()
    np.save(folder / LABELS, catalog.labels)
    mean, std = channel_statistics(images[: catalog.counts[0]])
    meta = {
        "fingerprint": catalog.fingerprint,
        "classes": catalog.classes,
        "channels": catalog.channels,
        "counts": catalog.counts,
        "resolution": resolution,
        "mean": mean,
        "std": std,
        "flippable": source.flippable,
    }
    (folder / META).write_text(json.dumps(meta))


def _new_array(path: Path, shape: tuple[int, ...]) -> np.memmap[Any, np.dtype[np.uint8]]:
    """An uint8 array on disk whose room is reserved: a full disk is an error here, not a signal at some later write."""
    try:
        array: np.memmap[Any, np.dtype[np.uint8]] = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    except OSError as error:
        raise DataError(
            f"{path.parent.parent}: no room for {math.prod(shape) / 1e9:.1f} GB of resized images ({error.strerror}); "
            "free some, or take another cache folder or a smaller resolution"
        ) from error
    return array


def channel_statistics(images: NDArray[np.uint8]) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of every channel of (N, C, H, W), of values scaled to [0, 1].

    Exact: from counts of the 256 values. A constant channel gets the deviation of one gray level, never 0.
    """
    channels = images.shape[1]
    counts = np.zeros((channels, 256), dtype=np.int64)
    rows = max(1, STATISTICS_BYTES // max(1, images[:1].nbytes))
    for start in range(0, len(images), rows):
        for channel in range(channels):
            counts[channel] += np.bincount(images[start : start + rows, channel].ravel(), minlength=256)
    values = np.arange(256) / 255
    mean = (counts * values).sum(1) / counts.sum(1)
    variance = (counts * (values - mean[:, None]) ** 2).sum(1) / counts.sum(1)
    return mean.tolist(), np.maximum(np.sqrt(variance), 1 / 255).tolist()


def _dataset(images: NDArray[np.uint8], labels: NDArray[np.int64], meta: dict[str, Any]) -> DataSet:
    train, validation, test = meta["counts"]
    bounds = (0, train, train + validation, train + validation + test)
    splits = [Split(images=images[low:high], labels=labels[low:high]) for low, high in itertools.pairwise(bounds)]
    return DataSet(
        train=splits[0],
        validation=splits[1],
        test=splits[2],
        classes=tuple(meta["classes"]),
        channels=meta["channels"],
        resolution=meta["resolution"],
        mean=tuple(meta["mean"]),
        std=tuple(meta["std"]),
        flippable=meta["flippable"],
        fingerprint=meta["fingerprint"],
    )


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Let one process at a time fill `folder`. Only spares work: without it the faster writer would win."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
