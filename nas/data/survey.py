"""What every image of a source is, found out by reading it once and remembered until something is touched."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from nas.data.atomic import new_file
from nas.data.dataset import Progress
from nas.data.images import COLOUR, GRAY, ImageError, PixelReader, decoded, in_threads, require_pixels, unreadable
from nas.data.source import Opener

DIGEST_BYTES = 32

_MODES = {1: b"L", 3: b"RGB"}


class Look(NamedTuple):
    """What one image is.

    Attributes:
        digest: identity of its content, 32 bytes.
        mode: Pillow's word for the kind of its pixels; '' where it cannot be told.
        problem: why it cannot be used; '' where it can.
        is_transparent: whether some of its pixels may be.
    """

    digest: bytes
    mode: str
    problem: str = ""
    is_transparent: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What the images of a source are, in the order of their names.

    Attributes:
        digests: uint8, (N, 32).
        modes: (N,), Pillow's words in ASCII.
        problems: why an image cannot be used, by its index, ascending.
        transparent: bool, (N,), whether some of its pixels may be.
    """

    digests: NDArray[np.uint8]
    modes: NDArray[np.bytes_]
    problems: Mapping[int, str]
    transparent: NDArray[np.bool_]

    @classmethod
    def of(cls, look: Callable[[str], Look], names: Sequence[str], progress: Progress) -> Self:
        """Look at every image, in a few threads."""
        digests = np.empty((len(names), DIGEST_BYTES), dtype=np.uint8)
        modes = np.empty(len(names), dtype="S8")
        transparent = np.zeros(len(names), dtype=bool)
        problems = {}
        for index, seen in enumerate(in_threads(look, names, progress)):
            digests[index] = np.frombuffer(seen.digest, dtype=np.uint8)
            modes[index] = seen.mode.encode()
            transparent[index] = seen.is_transparent
            if seen.problem:
                problems[index] = seen.problem
        return cls(digests, modes, problems, transparent)

    @classmethod
    def of_arrays(cls, arrays: Iterable[NDArray[np.uint8]]) -> Self:
        """The survey of arrays of pixels (N, H, W, C), which may be mapped files, with C of 1 or 3."""
        digests, modes = [], []
        for images in arrays:
            hashes = [sha256(image.tobytes()).digest() for image in images]
            digests.append(np.frombuffer(b"".join(hashes), dtype=np.uint8).reshape(-1, DIGEST_BYTES))
            modes.append(np.full(len(images), _MODES[images.shape[-1]]))
        joined = np.concatenate(modes)
        return cls(np.concatenate(digests), joined, {}, np.zeros(len(joined), dtype=bool))

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
            np.savez(file, digests=self.digests, modes=self.modes, problems=problems, transparent=self.transparent)

    @classmethod
    def _recall(cls, memo: Path) -> Self | None:
        try:
            with np.load(memo, allow_pickle=False) as kept:
                problems = dict(json.loads(str(kept["problems"])))
                return cls(kept["digests"], kept["modes"], problems, kept["transparent"])
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):  # none yet, or damaged
            return None


def look_at(name: str, read: Callable[[str], bytes], *, decode: bool) -> Look:
    """Hash an image file's bytes and read its header.

    Args:
        name: of the image.
        read: gives the bytes; whatever it raises is this image's problem.
        decode: read the pixels as well, at the smallest scale: damage behind the header shows.
    """
    try:
        content = read(name)
    except Exception as error:
        return Look(bytes(DIGEST_BYTES), "", unreadable(error))
    return kind_of(name, lambda _: decoded(content), sha256(content).digest(), decode=decode)


def kind_of(name: str, opener: Opener, digest: bytes, *, decode: bool) -> Look:
    """What an image is by its header; arguments as in `look_at`."""
    try:
        with opener(name) as image:
            mode, is_transparent = image.mode, image.has_transparency_data
            require_pixels(image)
    except Exception as error:
        return Look(digest, "", unreadable(error))
    if mode not in GRAY | COLOUR:
        return Look(digest, mode, f"pixels of mode {mode!r} are not 8 bits a channel")
    if decode:
        try:
            PixelReader(opener, side=1, channels=3)(name)
        except ImageError as error:
            return Look(digest, mode, error.reason)
    return Look(digest, mode, "", is_transparent)
