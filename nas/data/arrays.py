"""Sources whose images are arrays of pixels: nothing to decode, and nothing that could be damaged by itself."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nas.data.survey import DIGEST_BYTES, Survey

_MODES = {1: b"L", 3: b"RGB"}


def survey_of(arrays: Iterable[NDArray[np.uint8]]) -> Survey:
    """The survey of the images of arrays (N, H, W, C), which may be mapped files, with C of 1 or 3."""
    digests, modes = [], []
    for images in arrays:
        hashes = [sha256(image.tobytes()).digest() for image in images]
        digests.append(np.frombuffer(b"".join(hashes), dtype=np.uint8).reshape(-1, DIGEST_BYTES))
        modes.append(np.full(len(images), _MODES[images.shape[-1]]))
    return Survey(np.concatenate(digests), np.concatenate(modes), {})


def picture(pixels: NDArray[np.uint8]) -> Image.Image:
    """An image of pixels (H, W, C)."""
    return Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels))
