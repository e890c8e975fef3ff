"""Reading image files: what kind they are, and their pixels at the proxy's resolution."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from nas.data.dataset import Progress
from nas.errors import DataError

T = TypeVar("T")

GRAY = frozenset({"1", "L", "LA"})
COLOUR = frozenset({"P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"})
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)
CHUNK = 128
"""Files a thread takes at a time: a future costs 30 us, a small JPEG 200 us."""


class Header(NamedTuple):
    """What a file tells without being decoded."""

    digest: bytes
    is_gray: bool


def read_header(path: Path) -> Header:
    """Hash a file's bytes and read its image header.

    Raises:
        DataError: the file cannot be read, or is no image of 8 bits a channel.
    """
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            mode = image.mode
    except UNREADABLE as error:
        raise _unreadable(path, error) from error
    if mode not in GRAY | COLOUR:
        raise DataError(f"{path}: pixels of mode {mode!r} are not 8 bits a channel; save it as 8-bit gray or RGB")
    return Header(digest=sha256(content).digest(), is_gray=mode in GRAY)


def read_pixels(path: Path, *, side: int, channels: int) -> NDArray[np.uint8]:
    """Decode an image, scale its shorter side to `side` (with anti-aliasing) and cut out the centre.

    An alpha channel is dropped; a camera's orientation mark is obeyed.

    Returns:
        uint8, (channels, side, side).

    Raises:
        DataError: the file is damaged.
    """
    try:
        with Image.open(path) as image:
            image.draft(None, (2 * side, 2 * side))  # a JPEG decodes at 1/2, 1/4 or 1/8 where that is still enough
            upright = ImageOps.exif_transpose(image)
            pixels = np.asarray(ImageOps.fit(_plain(upright, channels), (side, side), Image.Resampling.BILINEAR))
    except UNREADABLE as error:
        raise _unreadable(path, error) from error
    return pixels.reshape(side, side, channels).transpose(2, 0, 1)


def in_threads(
    function: Callable[[Path], T], paths: Sequence[Path], progress: Progress, *, threads: int | None = None
) -> Iterator[T]:
    """Apply `function` to every path in a few threads (Pillow and hashlib let go of the interpreter's lock).

    Yields the results in order; the first error ends it and comes out of the iterator.
    """
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    pool = ThreadPoolExecutor(threads or min(8, os.cpu_count() or 1), thread_name_prefix="images")
    try:
        done = 0
        for results in pool.map(lambda chunk: [function(path) for path in chunk], chunks):
            yield from results
            done += len(results)
            progress(done, len(paths))
    finally:
        pool.shutdown(cancel_futures=True)


def _plain(image: Image.Image, channels: int) -> Image.Image:
    if channels == 1:
        return image.convert("L")
    if image.mode in ("P", "PA"):  # straight to RGB, Pillow warns where the palette has a transparent colour
        image = image.convert("RGBA")
    return image.convert("RGB")


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: cannot be read as an image ({error}); delete the file or replace it")
