"""From an image to its pixels at the proxy's resolution.

What is not RGB is made so: gray is repeated, a palette looked up, CMYK and YCbCr converted by Pillow; an alpha channel
is dropped. Where every image of a data set is gray ('L', 'LA' or '1') they stay so, with one channel. More than 8 bits
a channel (16-bit or floating-point gray) has no one right way down to 8, so such an image counts as one that cannot be
used; 16-bit RGB is an exception Pillow makes: it reads the higher byte.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from nas.data.dataset import Progress
from nas.data.source import Opener
from nas.errors import DataError

T = TypeVar("T")

GRAY = frozenset({"1", "L", "LA"})
COLOUR = frozenset({"P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"})
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)
"""What Pillow raises on damaged images."""

CHUNK = 128
"""Images a thread takes at a time: a future costs 30 us, a small JPEG 200 us."""

NAMED = 5
"""Images that a message names before it only counts."""


class ImageError(DataError):
    """One image that cannot be used.

    Attributes:
        name: of the image in its source.
        reason: what is wrong with it.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PixelReader:
    """Reads images by name, with the shorter side scaled to `side` (with anti-aliasing) and the centre cut out.

    A camera's orientation mark is obeyed.

    Attributes:
        open: gives the image of a name.
        side: of the result in pixels.
        channels: of the result, 1 or 3.
    """

    open: Opener
    side: int
    channels: int

    def __call__(self, name: str) -> NDArray[np.uint8]:
        """uint8, (channels, side, side); raises ImageError where the image is damaged."""
        side = self.side
        try:
            with self.open(name) as image:
                image.draft(None, (2 * side, 2 * side))  # a JPEG decodes at 1/2, 1/4 or 1/8 where that is still enough
                upright = ImageOps.exif_transpose(image)
                fitted = ImageOps.fit(_plain(upright, self.channels), (side, side), Image.Resampling.BILINEAR)
        except UNREADABLE as error:
            raise ImageError(name, unreadable(error)) from error
        return np.asarray(fitted).reshape(side, side, self.channels).transpose(2, 0, 1)


def unreadable(error: Exception) -> str:
    """Why Pillow could not read an image, in the words of a message; without addresses in memory."""
    reason = "cannot identify image file" if isinstance(error, UnidentifiedImageError) else error
    return f"cannot be read as an image ({reason})"


def refusal(reference: str, problems: Sequence[ImageError], total: int) -> DataError:
    """The error that counts and names the images of a source that cannot be used."""
    named = "; ".join(map(str, problems[:NAMED]))
    more = f"; and {len(problems) - NAMED:,} more" if len(problems) > NAMED else ""
    return DataError(
        f"{reference}: {len(problems):,} of {total:,} images cannot be used: {named}{more}. Repair or delete them, or "
        "have them left out with the option '?corrupt=skip'"
    )


def in_threads(
    function: Callable[[str], T], names: Sequence[str], progress: Progress, *, threads: int | None = None
) -> Iterator[T]:
    """Apply `function` to every name in a few threads (Pillow and hashlib let go of the interpreter's lock).

    Yields the results in order; the first error ends it and comes out of the iterator.
    """
    chunks = [names[start : start + CHUNK] for start in range(0, len(names), CHUNK)]
    pool = ThreadPoolExecutor(threads or min(8, os.cpu_count() or 1), thread_name_prefix="images")
    try:
        done = 0
        for results in pool.map(lambda chunk: [function(name) for name in chunk], chunks):
            yield from results
            done += len(results)
            progress(done, len(names))
    finally:
        pool.shutdown(cancel_futures=True)


def _plain(image: Image.Image, channels: int) -> Image.Image:
    if channels == 1:
        return image.convert("L")
    if image.mode in ("P", "PA"):  # straight to RGB, Pillow warns where the palette has a transparent colour
        image = image.convert("RGBA")
    return image.convert("RGB")
