"""What sources that read files have in common: a path, and options for split and damage."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, Self

from PIL import ImageColor

from nas.data.dataset import Progress
from nas.data.division import Shares
from nas.data.files import cannot_read, require_regular
from nas.data.images import Colour, composed, decoded
from nas.data.listing import Listing, Terms, assemble
from nas.data.reference import (
    Reference,
    colour,
    natural,
    one_of,
    option,
    read_options,
    share,
    written_options,
    yes_or_no,
)
from nas.data.source import DECODING, Catalog, Opener, Source
from nas.data.survey import Look, Survey, look_at
from nas.errors import DataError

_SURVEY = 2
"""Raised when a survey says more, or something else, about the same images."""


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
        if not _exists(path):
            raise DataError(f"{path}: no such file or folder; name {cls.holds}")
        if not path.is_dir():
            require_regular(path)
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
        return Terms(
            kind=self.kind,
            reference=self.reference,
            shares=shares,
            skip=self._skips(),
            flippable=self.flip,
            background=self._background(),
        )

    def _background(self) -> Colour | None:
        """What transparent images are composed onto; None where transparency is dropped."""
        return None


@dataclass(frozen=True)
class EncodedSource(FileSource):
    """A source of image files (JPEG, PNG and whatever else Pillow reads), each of which may be damaged.

    Attributes:
        corrupt: 'fail' or 'skip' where images cannot be used.
        background: colour that transparent images are composed onto, a name or #RRGGBB; '' drops their transparency.
    """

    corrupt: Literal["fail", "skip"] = option("fail", one_of("fail", "skip"))
    background: str = option("", colour)

    @abstractmethod
    def encoded(self) -> Callable[[str], bytes]:
        """What gives the bytes of an image file by its name; several threads may call it. Raises DataError."""

    def opener(self) -> Opener:
        """Open the bytes with Pillow."""
        read, background = self.encoded(), self._background()
        if background is None:
            return lambda name: decoded(read(name))
        return lambda name: composed(decoded(read(name)), background)

    def look(self) -> Callable[[str], Look]:
        """What looks at an image: hashes it and reads its header, or all of it where damaged ones are to be skipped."""
        read = self.encoded()
        return lambda name: look_at(name, read, decode=self._skips())

    def survey(self, cache: Path, names: Sequence[str], progress: Progress, *, about: str = "") -> Survey:
        """What the images of these names are, looked at once for as long as nothing was touched.

        Args:
            cache: keeps it.
            names: of the images.
            progress: told about the looking.
            about: what else the images depend on.
        """
        key = f"{self.kind} {DECODING} {_SURVEY} {self.stamp()} {self.corrupt} {len(names)} {about}"
        return Survey.remembered(cache, key, lambda: Survey.of(self.look(), names, progress))

    def _skips(self) -> bool:
        return self.corrupt == "skip"

    def _background(self) -> Colour | None:
        return _rgb(self.background) if self.background else None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError) as error:  # a name that is too long, or has a NUL in it
        raise cannot_read(path, error) from error


def _rgb(text: str) -> Colour:
    red, green, blue = ImageColor.getrgb(text)[:3]
    return red, green, blue
