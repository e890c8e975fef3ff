"""From an image to its pixels at the proxy's resolution.

What is not RGB is made so: gray is repeated, a palette looked up, CMYK and YCbCr converted by Pillow; an alpha channel
is dropped, unless a source composes it onto a background (`composed`). Where every image of a data set is gray ('L',
'LA' or '1') they stay so, with one channel. More than 8 bits a channel (16-bit or floating-point gray) has no one right
way down to 8, so such an image counts as one that cannot be used; 16-bit RGB is an exception Pillow makes: it reads the
higher byte.

Whatever a decoder or a file system raises is the problem of one image: an `ImageError`, which callers count and name.
"""

from __future__ import annotations

import io
import logging
import math
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from nas.data.dataset import Progress
from nas.data.files import FileError, shown
from nas.data.source import Opener
from nas.errors import DataError

T = TypeVar("T")

GRAY = frozenset({"1", "L", "LA"})
COLOUR = frozenset({"P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"})
RUNS_PROGRAMS = frozenset({"EPS"})
"""Formats that Pillow hands to another program (Ghostscript), which no image of a data set shall start."""

CHUNK = 128
"""Images a thread takes at a time: a future costs 30 us, a small JPEG 200 us."""

NAMED = 5
"""Images that a message names before it only counts."""

_LARGE_PIXELS = 2**24
"""Of an image that waits for others of its kind: Pillow takes four bytes a pixel, and up to 179 million pixels."""
_LARGE = threading.Lock()

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What puts an image upright, by the orientation that its camera noted (Exif 3.0, tag 0x0112)."""

logging.getLogger("PIL").addHandler(logging.NullHandler())  # what it logs of damaged images, it also raises

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class ImageError(DataError):
    """One image that cannot be used.

    Attributes:
        name: of the image in its source.
        reason: what is wrong with it.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{shown(name)}: {reason}")
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
                require_pixels(image)
                image.draft(None, (2 * side, 2 * side))  # a JPEG decodes at 1/2, 1/4 or 1/8 where that is still enough
                with _LARGE if math.prod(image.size) > _LARGE_PIXELS else nullcontext():
                    plain = _plain(upright(image), self.channels)
                    fitted = ImageOps.fit(plain, (side, side), Image.Resampling.BILINEAR)
                pixels = np.asarray(fitted).reshape(side, side, self.channels)
        except Exception as error:  # a decoder may raise anything, and a plug-in's source, too
            raise ImageError(name, unreadable(error)) from error
        return pixels.transpose(2, 0, 1)


def decoded(content: bytes | BinaryIO) -> Image.Image:
    """The image in a file, or in its bytes, not read yet beyond its header."""
    Image.preinit()  # the usual formats are tried first
    Image.init()
    file = io.BytesIO(content) if isinstance(content, bytes) else content
    return Image.open(file, formats=[one for one in Image.ID if one not in RUNS_PROGRAMS])


def picture(pixels: NDArray[np.uint8]) -> Image.Image:
    """An image of pixels (H, W, C), with C of 1 or 3."""
    return Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels))


def require_pixels(image: Image.Image) -> None:
    """Raise ValueError where an image has none."""
    if 0 in image.size:
        raise ValueError(f"{image.width} x {image.height}: it has no pixels")


def upright(image: Image.Image) -> Image.Image:
    """An image as its camera was held. Of its metadata nothing but the orientation is read."""
    image.load()
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # the metadata is damaged, and the pixels are whole
        turn = None
    return image if turn is None else image.transpose(turn)


def composed(image: Image.Image, background: Colour) -> Image.Image:
    """An image on a background of one colour: gray if both are, else RGB. One without transparency as it is."""
    if not image.has_transparency_data:
        return image
    standing = upright(image)
    is_gray = image.mode in GRAY and len(set(background)) == 1
    made = Image.alpha_composite(Image.new("RGBA", standing.size, (*background, 255)), standing.convert("RGBA"))
    return made.convert("L" if is_gray else "RGB")


def unreadable(error: Exception) -> str:
    """Why an image could not be read, in the words of a message; without addresses in memory."""
    if isinstance(error, ImageError | FileError):
        return error.reason
    if isinstance(error, DataError):
        return shown(error, 300)
    if isinstance(error, UnidentifiedImageError):
        reason = "cannot identify image file"
    elif isinstance(error, MemoryError):
        reason = "it takes more memory than there is"
    else:
        reason = shown(_ADDRESS.sub("", str(error)), 200) or type(error).__name__
    return f"cannot be read as an image ({reason})"


def refusal(reference: str, problems: Sequence[ImageError], total: int) -> DataError:
    """The error that counts and names the images of a source that cannot be used."""
    named = "; ".join(map(str, problems[:NAMED]))
    more = f"; and {len(problems) - NAMED:,} more" if len(problems) > NAMED else ""
    return DataError(
        f"{reference}: {len(problems):,} of {total:,} images cannot be used: {named}{more}. Repair them, or have "
        "them left out with the option '?corrupt=skip'"
    )


def in_threads(
    function: Callable[[str], T], names: Sequence[str], progress: Progress, *, threads: int | None = None
) -> Iterator[T]:
    """Apply `function` to every name in a few threads (Pillow and hashlib let go of the interpreter's lock).

    Yields the results in order; the first error ends it and comes out of the iterator.
    """
    chunks = [names[start : start + CHUNK] for start in range(0, len(names), CHUNK)]
    with warnings.catch_warnings():
        # Pillow warns of odd metadata, once an image; what matters of it is an error. Set here and not in the threads,
        # which share the setting.
        warnings.simplefilter("ignore")
        yield from _in_threads(function, chunks, len(names), progress, threads)


def _in_threads(
    function: Callable[[str], T], chunks: Sequence[Sequence[str]], total: int, progress: Progress, threads: int | None
) -> Iterator[T]:
    is_over = threading.Event()

    def apply(chunk: Sequence[str]) -> list[T]:
        """Stops in the middle once nobody wants the results: a chunk of large photographs takes a minute."""
        return [function(name) for name in chunk if not is_over.is_set()]

    pool = ThreadPoolExecutor(threads or min(8, os.cpu_count() or 1), thread_name_prefix="images")
    try:
        done = 0
        for results in pool.map(apply, chunks):
            yield from results
            done += len(results)
            progress(done, total)
    finally:
        is_over.set()
        pool.shutdown(cancel_futures=True)


def _plain(image: Image.Image, channels: int) -> Image.Image:
    wanted = "L" if channels == 1 else "RGB"
    if image.mode == wanted:  # `convert` would copy it, and a large one is hundreds of megabytes
        return image
    if channels == 3 and image.mode in ("P", "PA"):  # straight to RGB, Pillow warns of a palette's transparent colour
        image = image.convert("RGBA")
    return image.convert(wanted)
