"""Folders with one folder of images a class."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.errors import DataError


class Members(NamedTuple):
    """Images by name, relative to the data set's folder, and the class index of each."""

    names: list[str]
    labels: NDArray[np.int64]


def subfolders(path: Path) -> list[str]:
    """Names of the folders in a folder, sorted; hidden ones are left out."""
    try:
        with os.scandir(path) as entries:
            return sorted(entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir())
    except OSError as error:
        raise DataError(f"{path}: cannot be listed ({error.strerror})") from error


def class_names(path: Path) -> tuple[str, ...]:
    """The classes that a folder has folders of; raises DataError where there are none, or only one."""
    classes = tuple(subfolders(path))
    if len(classes) < 2:
        found = f"only one class folder ({classes[0]})" if classes else "no class folder"
        raise DataError(f"{path}: {found}; put the images of each class, two at least, into a folder of its own")
    return classes


def members(path: Path, part: str, classes: Sequence[str]) -> Members:
    """The images under `path/part/CLASS/`, by class and name.

    Args:
        path: the data set's folder.
        part: '' where the class folders are in `path` itself.
        classes: those the images can be of, by label.

    Raises:
        DataError: a class has no images, or a folder is none of the classes.
    """
    unknown = set(subfolders(path / part)) - set(classes)
    if unknown:
        raise DataError(f"{path / part / min(unknown)}: not a class of {path / 'train'}; rename or delete the folder")
    prefix = f"{part}/" if part else ""
    found = [[f"{prefix}{name}/{file}" for file in _images(path / part / name)] for name in classes]
    labels = np.repeat(np.arange(len(classes), dtype=np.int64), [len(images) for images in found])
    return Members(list(chain.from_iterable(found)), labels)


def _images(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise DataError(f"{folder}: missing, though train/ has this class; every split needs images of every class")
    files = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    if not files:
        raise DataError(f"{folder}: no image in this class folder; add images or delete the class")
    return files
