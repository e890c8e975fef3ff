"""What sources that read files have in common: a path, and options for split and damage."""

from __future__ import annotations

import io
import os
from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar, Literal, Self

from PIL import Image

from nas.data.dataset import Progress
from nas.data.division import Shares
from nas.data.listing import Listing, Terms, assemble
from nas.data.options import natural, one_of, option, read_options, share, written_options, yes_or_no
from nas.data.reference import Reference
from nas.data.source import DECODING, Catalog, Opener, Source
from nas.data.survey import Look, look_at
from nas.errors import DataError


@dataclass(frozen=True)
class FileSource(Source):
    """A source at a path. Its dataclass fields made by `option` are what a reference can say behind '?'.

    Attributes:
        path: absolute.
        validation: share of the images to hold out for validation; None for the default.
        test: the same for test.
        seed: of what is held out.
        flip: whether a mirrored image still shows its class.
    """

    kind: ClassVar[str]
    """Its name in the registry."""
    holds: ClassVar[str]
    """What must be at the path, for messages: 'a folder that …' or 'a file …'."""
    held_out: ClassVar[float] = 0.1
    """Default share of a train part for validation."""

    path: Path
    validation: float | None = option(None, share)
    test: float | None = option(None, share)
    seed: int = option(0, natural)
    flip: bool = option(True, yes_or_no)

    @classmethod
    def parse(cls, reference: Reference) -> Self:
        """The argument is a path; a relative one is made absolute."""
        if not reference.argument:
            raise DataError(f"{reference.name}: the path is missing; write '{reference.name}:PATH'")
        path = Path(reference.argument).expanduser().absolute()
        if not path.exists():
            raise DataError(f"{path}: no such file or folder; name {cls.holds}")
        return cls(path, **read_options(cls, reference))

    @property
    def reference(self) -> str:
        """With the absolute path, and the options that are not at their defaults."""
        return str(Reference(self.kind, str(self.path), written_options(self)))

    def catalog(self, cache: Path, progress: Progress) -> Catalog:
        """What `listing` gives, divided and identified."""
        return assemble(self.listing(cache, progress), self._terms())

    @abstractmethod
    def listing(self, cache: Path, progress: Progress) -> Listing:
        """Every image, what it is, and the parts that the source itself has; raises DataError."""

    def _skips(self) -> bool:
        """Whether images that cannot be used are left out."""
        return False

    def _terms(self) -> Terms:
        shares = Shares(validation=self.validation, test=self.test, seed=self.seed, held_out=self.held_out)
        return Terms(kind=self.kind, reference=self.reference, shares=shares, skip=self._skips(), flippable=self.flip)


@dataclass(frozen=True)
class EncodedSource(FileSource):
    """A source of image files (JPEG, PNG and whatever else Pillow reads), each of which may be damaged.

    Attributes:
        corrupt: 'fail' or 'skip' where images cannot be used.
    """

    corrupt: Literal["fail", "skip"] = option("fail", one_of("fail", "skip"))

    @abstractmethod
    def encoded(self) -> Callable[[str], bytes]:
        """What gives the bytes of an image file by its name; several threads may call it. Raises DataError."""

    def opener(self) -> Opener:
        """Open the bytes with Pillow."""
        read = self.encoded()
        return lambda name: Image.open(io.BytesIO(read(name)))

    def look(self) -> Callable[[str], Look]:
        """What looks at an image: hashes it and reads its header, or all of it where damaged ones are to be skipped."""
        read = self.encoded()
        return lambda name: look_at(name, read(name), decode=self._skips())

    def survey_key(self) -> str:
        """What a survey is remembered under."""
        return f"{self.kind} {DECODING} {self.stamp()} {self.corrupt}"

    def _skips(self) -> bool:
        return self.corrupt == "skip"


def stamp_of(paths: Iterable[str | Path]) -> str:
    """Changes with the name, size or time of any of these files or folders; raises DataError where one is missing."""
    stamp = sha256()
    for path in paths:
        try:
            status = os.stat(path)
        except OSError as error:
            raise cannot_read(path, error) from error
        stamp.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return stamp.hexdigest()


def read_file(path: str | Path) -> bytes:
    """A whole file; raises DataError where it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise cannot_read(path, error) from error


def cannot_read(path: str | Path, error: OSError) -> DataError:
    """The error about a file or folder that the system does not let us read."""
    return DataError(f"{path}: cannot be read ({error.strerror}); repair or delete it")
