"""Resized images on disk, one folder per data set and resolution, mapped by every process that trains on them."""

from __future__ import annotations

import itertools
import json
import math
import os
import shutil
import weakref
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nas.data.atomic import new_folder
from nas.data.dataset import DataSet, Progress, Split
from nas.data.images import ImageError, PixelReader, in_threads, refusal
from nas.data.room import META, NoRoomError, hold, images_folder, limit_of, room_for, writing
from nas.data.source import Catalog, Source
from nas.data.statistics import blocks_of, channel_statistics
from nas.data.streaming import StreamedImages
from nas.errors import DataError
from nas.units import format_bytes

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

FORMAT = 2
"""Raised when what is in a folder changes its form or meaning."""

IMAGES, LABELS = "images.npy", "labels.npy"


def entry(cache: Path, fingerprint: str, resolution: int) -> Path:
    """The folder of one data set at one resolution."""
    return images_folder(cache) / f"{fingerprint}-{resolution}-v{FORMAT}"


def recall(cache: Path, fingerprint: str, resolution: int, *, reference: str = "") -> DataSet | None:
    """Map what is cached; None if it is not, or is damaged. It is held for as long as anything of it is mapped.

    Several sources may hold the same images, so there are no findings in it: they are about a source.

    Args:
        cache: where it is.
        fingerprint: of the data set.
        resolution: side of the images.
        reference: of the source that it stands for this time, for `nas cache`.
    """
    folder = entry(cache, fingerprint, resolution)
    if not folder.is_dir():
        return None
    held = hold(folder, reference)
    try:
        about = json.loads((folder / META).read_text())
        labels: NDArray[np.int64] = np.load(folder / LABELS)
        # "c": private pages that are never written, so they stay shared; torch warns of read-only arrays.
        images: NDArray[np.uint8] = np.load(folder / IMAGES, mmap_mode="c")  # ValueError where the file is cut short
        if images.shape != (sum(about["counts"]), about["channels"], resolution, resolution):
            raise ValueError("another shape than the facts say")
        bounds = itertools.pairwise([0, *itertools.accumulate(about["counts"])])
        data = assembled([images[low:high] for low, high in bounds], labels, about)
    except (OSError, ValueError, EOFError, KeyError, TypeError):
        held.close()
        return None
    weakref.finalize(images, held.close)
    return data


def store(
    source: Source, catalog: Catalog, cache: Path, resolution: int, progress: Progress, *, limit: int
) -> DataSet | None:
    """Decode into the cache and map the result; the processes that want the same wait for the first one.

    Args:
        source: where the images come from.
        catalog: its images.
        cache: where they go.
        resolution: side of the images.
        progress: told about the decoding.
        limit: bytes that the cache may take with the new entry.

    Returns:
        The data set, or None if it does not fit.

    Raises:
        DataError: images are damaged, or the disk is full.
    """
    folder = entry(cache, catalog.fingerprint, resolution)
    shape = (len(catalog.names), catalog.channels, resolution, resolution)
    size = math.prod(shape) + catalog.labels.nbytes
    with writing(folder), hold(folder):
        known = recall(cache, catalog.fingerprint, resolution, reference=source.reference)
        if known is not None:
            return known
        shutil.rmtree(folder, ignore_errors=True)  # damaged
        try:
            with new_folder(folder) as temporary:
                with room_for(cache, size, limit):
                    images = _new_array(temporary / IMAGES, shape)
                _fill(temporary, images, source, catalog, progress)
        except NoRoomError:
            return None
        except OSError as error:
            raise _no_room(folder.parent, size, error) from error
        fresh = recall(cache, catalog.fingerprint, resolution, reference=source.reference)
    if fresh is None:
        raise DataError(f"{folder}: what was just written there cannot be read back; check the disk")
    return fresh


def receive(
    cache: Path,
    fingerprint: str,
    resolution: int,
    files: Iterable[tuple[str, Iterable[Buffer]]],
    *,
    size: int,
) -> None:
    """Write an entry from the files of another machine's; the processes that want the same wait for the first one.

    Where it is there already, or would not fit, nothing is read or written.

    Args:
        cache: where it goes.
        fingerprint: of the data set.
        resolution: side of the images.
        files: the name of each file and its content, in blocks.
        size: bytes of all of it.

    Raises:
        OSError: the disk is full, or the cache cannot be written to.
    """
    folder = entry(cache, fingerprint, resolution)
    with writing(folder), hold(folder):
        if recall(cache, fingerprint, resolution) is not None:
            return
        shutil.rmtree(folder, ignore_errors=True)  # damaged
        with suppress(NoRoomError), room_for(cache, size, limit_of(cache)), new_folder(folder) as temporary:
            for name, blocks in files:
                with (temporary / name).open("wb") as file:
                    file.writelines(blocks)


def facts(catalog: Catalog, resolution: int, mean: list[float], std: list[float]) -> dict[str, Any]:
    """What the fingerprint of a data set stands for besides images and labels, JSON-ready."""
    return {
        "fingerprint": catalog.fingerprint,
        "classes": catalog.classes,
        "channels": catalog.channels,
        "counts": catalog.counts,
        "resolution": resolution,
        "mean": mean,
        "std": std,
        "flippable": catalog.flippable,
    }


def assembled(
    images: Sequence[NDArray[np.uint8] | StreamedImages], labels: NDArray[np.int64], about: dict[str, Any]
) -> DataSet:
    """A data set from the images of its three splits, all labels, and its `facts`."""
    bounds = itertools.pairwise([0, *itertools.accumulate(about["counts"])])
    train, validation, test = (
        Split(images=some, labels=labels[low:high]) for some, (low, high) in zip(images, bounds, strict=True)
    )
    return DataSet(
        train=train,
        validation=validation,
        test=test,
        classes=tuple(about["classes"]),
        channels=about["channels"],
        resolution=about["resolution"],
        mean=tuple(about["mean"]),
        std=tuple(about["std"]),
        flippable=about["flippable"],
        fingerprint=about["fingerprint"],
    )


def _fill(
    folder: Path,
    images: np.memmap[Any, np.dtype[np.uint8]],
    source: Source,
    catalog: Catalog,
    progress: Progress,
) -> None:
    _decode(source, catalog, images, progress)
    images.flush()
    np.save(folder / LABELS, catalog.labels)
    mean, std = channel_statistics(blocks_of(images[: catalog.counts[0]]), catalog.channels)
    (folder / META).write_text(json.dumps(facts(catalog, images.shape[-1], mean, std)))


def _decode(source: Source, catalog: Catalog, into: NDArray[np.uint8], progress: Progress) -> None:
    """Fill `into` in the catalog's order. Goes on after a damaged image, so that one error names them all."""
    read = PixelReader(source.opener(), side=into.shape[-1], channels=catalog.channels)
    problems: list[ImageError] = []

    def attempt(name: str) -> NDArray[np.uint8] | ImageError:
        try:
            return read(name)
        except ImageError as error:
            return error

    for row, pixels in enumerate(in_threads(attempt, catalog.names, progress)):
        if isinstance(pixels, ImageError):
            problems.append(pixels)
        else:
            into[row] = pixels
    if problems:
        raise refusal(source.reference, problems, len(into))


def _new_array(path: Path, shape: tuple[int, ...]) -> np.memmap[Any, np.dtype[np.uint8]]:
    """An uint8 array on disk whose room is reserved: a full disk is an error here, not a signal at some later write.

    Raises:
        OSError: there is no room.
    """
    array: np.memmap[Any, np.dtype[np.uint8]] = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


def _no_room(place: Path, size: int, error: OSError) -> DataError:
    return DataError(
        f"{place}: no room for {format_bytes(size)} of resized images ({error.strerror or error}); free some, or take "
        "another cache folder (--cache) or a smaller resolution"
    )
