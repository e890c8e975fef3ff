"""What every image of a source is, found out by reading it once and remembered until something is touched."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nas.data.atomic import new_file
from nas.data.dataset import Progress
from nas.data.images import COLOUR, GRAY, UNREADABLE, ImageError, PixelReader, in_threads, unreadable
from nas.data.source import Opener

DIGEST_BYTES = 32


class Look(NamedTuple):
    """What one image is.

    Attributes:
        digest: identity of its content, 32 bytes.
        mode: Pillow's word for the kind of its pixels; '' where it cannot be told.
        problem: why it cannot be used; '' where it can.
    """

    digest: bytes
    mode: str
    problem: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What the images of a source are, in the order of their names.

    Attributes:
        digests: uint8, (N, 32).
        modes: (N,), Pillow's words in ASCII.
        problems: why an image cannot be used, by its index, ascending.
    """

    digests: NDArray[np.uint8]
    modes: NDArray[np.bytes_]
    problems: Mapping[int, str]

    @classmethod
    def of(cls, look: Callable[[str], Look], names: Sequence[str], progress: Progress) -> Self:
        """Look at every image, in a few threads."""
        digests = np.empty((len(names), DIGEST_BYTES), dtype=np.uint8)
        modes = np.empty(len(names), dtype="S8")
        problems = {}
        for index, seen in enumerate(in_threads(look, names, progress)):
            digests[index] = np.frombuffer(seen.digest, dtype=np.uint8)
            modes[index] = seen.mode.encode()
            if seen.problem:
                problems[index] = seen.problem
        return cls(digests, modes, problems)

    @classmethod
    def remembered(cls, cache: Path, key: str, make: Callable[[], Self]) -> Self:
        """The survey kept under `key`, or what `make` gives, which is then kept.

        Bytes are hashed, not times: a copy of the data on another machine is the same data. The key is made of times
        and sizes, so that reading it all is needed only once.
        """
        memo = cache / "listings" / f"{sha256(key.encode()).hexdigest()[:32]}.npz"
        known = cls._recall(memo)
        if known is not None:
            return known
        made = make()
        made._save(memo)
        return made

    def labelled(self, labels: NDArray[np.int64]) -> Self:
        """The same with digests that cover the labels too: for names that do not imply them."""
        digests = np.empty_like(self.digests)
        for index, (digest, label) in enumerate(zip(self.digests, labels.astype("<i8"), strict=True)):
            digests[index] = np.frombuffer(sha256(digest.tobytes() + label.tobytes()).digest(), dtype=np.uint8)
        return replace(self, digests=digests)

    def _save(self, memo: Path) -> None:
        problems = np.array(json.dumps(list(self.problems.items())))
        # A cache that is full or read-only is no reason to stop.
        with suppress(OSError), new_file(memo) as temporary, temporary.open("wb") as file:
            np.savez(file, digests=self.digests, modes=self.modes, problems=problems)

    @classmethod
    def _recall(cls, memo: Path) -> Self | None:
        try:
            with np.load(memo, allow_pickle=False) as kept:
                return cls(kept["digests"], kept["modes"], dict(json.loads(str(kept["problems"]))))
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):  # none yet, or damaged
            return None


def look_at(name: str, content: bytes, *, decode: bool) -> Look:
    """Hash an image file's bytes and read its header.

    Args:
        name: of the image.
        content: the bytes.
        decode: read the pixels as well, at the smallest scale: damage behind the header shows.
    """
    mode, problem = kind_of(name, lambda _: Image.open(io.BytesIO(content)), decode=decode)
    return Look(sha256(content).digest(), mode, problem)


def kind_of(name: str, opener: Opener, *, decode: bool) -> tuple[str, str]:
    """The mode of an image, and why it cannot be used ('' where it can); arguments as in `look_at`."""
    try:
        with opener(name) as image:
            mode = image.mode
    except UNREADABLE as error:
        return "", unreadable(error)
    if mode not in GRAY | COLOUR:
        return mode, f"pixels of mode {mode!r} are not 8 bits a channel"
    if decode:
        try:
            PixelReader(opener, side=1, channels=3)(name)
        except ImageError as error:
            return mode, error.reason
    return mode, ""
