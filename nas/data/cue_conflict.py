"""Cue-conflict images: files named `<shape><number>-<texture><number>.png`, as R. Geirhos et al. published them.

github.com/rgeirhos/texture-vs-shape, folder `stimuli/style-transfer-preprocessed-512`; sub-folders do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nas.analysis.shape_bias import CATEGORIES
from nas.data.images import PixelReader, decoded, in_threads
from nas.errors import DataError

_SUFFIXES = (".png", ".jpg", ".jpeg")
_NAME = re.compile(r"([a-z]+)\d*-([a-z]+)\d*")
_NAMED = 3  # files that a message names


@dataclass(frozen=True, slots=True)
class CueConflict:
    """One image.

    Attributes:
        path: where it is.
        shape, texture: categories.
    """

    path: Path = field(repr=False)
    shape: str
    texture: str


def find_cue_conflicts(folder: Path) -> list[CueConflict]:
    """The images in a folder and the folders in it, by name.

    Raises:
        DataError: there is no such folder, no image in it, or one whose name says nothing.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; --data names the folder with the cue-conflict images")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())
    if not files:
        raise DataError(f"{folder}: no images ({', '.join(_SUFFIXES)}) in it")
    found, strange = [], []
    for path in files:
        match = _NAME.fullmatch(path.stem)
        if match is None or not {match[1], match[2]} <= set(CATEGORIES):
            strange.append(path.name)
        else:
            found.append(CueConflict(path, match[1], match[2]))
    if strange:
        named = ", ".join(strange[:_NAMED])
        more = f" and {len(strange) - _NAMED:,} more" if len(strange) > _NAMED else ""
        raise DataError(
            f"{folder}: {named}{more}: not named like cat7-elephant1.png, the shape's class before the texture's; "
            f"classes: {', '.join(CATEGORIES)}"
        )
    return found


def read_cue_conflicts(
    images: Sequence[CueConflict], *, side: int, channels: int, batch: int, progress: Callable[[int, int], None]
) -> Iterator[NDArray[np.uint8]]:
    """Their pixels in batches, uint8, (N, C, S, S); raises ImageError for a damaged one."""

    def opened(name: str) -> Image.Image:
        return decoded(Path(name).read_bytes())

    read = PixelReader(opened, side=side, channels=channels)
    for start in range(0, len(images), batch):
        names = [str(one.path) for one in images[start : start + batch]]
        yield np.stack(list(in_threads(read, names, lambda done, total: None)))
        progress(start + len(names), len(images))
