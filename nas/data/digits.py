"""The embedded data set: 1,797 handwritten digits of 8x8 pixels, from scikit-learn.

They are the test part of UCI's 'Optical Recognition of Handwritten Digits'. Nothing is downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nas.data.dataset import Findings, Progress
from nas.data.division import draw
from nas.data.reference import Reference, read_options
from nas.data.source import DECODING, Catalog, Opener, Source, datasets
from nas.errors import DataError

SPLIT_SEED = 0
TEST_SHARE = 0.2
VALIDATION_SHARE = 0.25  # of what the test split leaves: 60/20/20 in all


@datasets.register("digits")
@dataclass(frozen=True)
class Digits(Source):
    """Gray digits on black, split 60/20/20 by class; a mirrored digit is no digit."""

    @classmethod
    def parse(cls, reference: Reference) -> Self:
        """Takes no argument and no option."""
        if reference.argument:
            raise DataError(f"{reference}: this data set takes no argument; write 'digits'")
        return cls(**read_options(cls, reference))

    @classmethod
    def example(cls, folder: Path) -> str:
        """It needs no folder."""
        return "digits"

    @property
    def reference(self) -> str:
        """Always 'digits'."""
        return "digits"

    def stamp(self) -> str:
        """They come with scikit-learn."""
        return version("scikit-learn")

    def catalog(self, cache: Path, progress: Progress) -> Catalog:
        """Names are the positions in scikit-learn's array."""
        pixels, labels = _load()
        names = np.array([str(index) for index in range(len(labels))])
        test, rest = draw(names.tolist(), labels, TEST_SHARE, seed=SPLIT_SEED)
        held, kept = draw(names[rest].tolist(), labels[rest], VALIDATION_SHARE, seed=SPLIT_SEED)
        order = np.concatenate([rest[kept], rest[held], test])
        content = sha256(pixels[order].tobytes() + labels[order].tobytes())
        content.update(f"digits {DECODING} {len(kept)} {len(held)} {len(test)}".encode())
        return Catalog(
            classes=tuple(str(digit) for digit in range(10)),
            channels=1,
            names=tuple(names[order].tolist()),
            labels=labels[order],
            counts=(len(kept), len(held), len(test)),
            flippable=False,
            fingerprint=content.hexdigest()[:16],
            findings=Findings(),
        )

    def opener(self) -> Opener:
        """Images of 8x8 pixels."""
        pixels, _ = _load()
        return lambda name: Image.fromarray(pixels[int(name)])


def _load() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (1797, 8, 8) with 0..16 stretched to 0..255, and labels (1797,)."""
    # Not at the top: 0.9 s, and a worker that finds the resized images in the cache needs none of it.
    from sklearn.datasets import load_digits

    digits = load_digits()
    return np.round(digits.images * (255 / 16)).astype(np.uint8), digits.target.astype(np.int64)
