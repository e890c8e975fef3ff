"""Where labelled images come from, and the words users name that by.

Data sets of other distributions are entry points of the group `nas.datasets`, each naming a subclass of `Source`:

    [project.entry-points."nas.datasets"]
    plankton = "plankton_images:Plankton"

They are looked for only where a name is unknown, so that an installed one costs nothing to those who do not use it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nas.data.dataset import Findings, Progress
from nas.data.reference import Reference
from nas.errors import DataError, UnknownNameError
from nas.registry import Registry, did_you_mean

T = TypeVar("T")

GROUP = "nas.datasets"

DECODING = 1
"""Raised when the same source gives other pixels or another split; part of every fingerprint."""

Opener = Callable[[str], Image.Image]
"""Gives an image by its name, decoded or not; several threads may call it at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Catalog:
    """The images of a source, by name: what there is and which split it belongs to, nothing decoded.

    Attributes:
        classes: class names in the order of the labels.
        channels: 1 if every image is gray, else 3.
        names: one per image, unique, in the order train, validation, test.
        labels: int64, (N,), in the same order.
        counts: images in train, validation and test.
        flippable: whether a mirrored image still shows its class.
        fingerprint: 16 hex digits over content, names, split and whatever else changes a training.
        findings: what was unusual among the images.
    """

    classes: tuple[str, ...]
    channels: int
    names: tuple[str, ...]
    labels: NDArray[np.int64]
    counts: tuple[int, int, int]
    flippable: bool
    fingerprint: str
    findings: Findings


class Source(ABC):
    """A place that labelled images come from."""

    @classmethod
    @abstractmethod
    def parse(cls, reference: Reference) -> Self:
        """The source that a reference names; raises DataError where its argument or an option is wrong."""

    @classmethod
    @abstractmethod
    def example(cls, folder: Path) -> str:
        """Write a tiny valid data set into an empty folder and return its reference: what tests run on."""

    @property
    @abstractmethod
    def reference(self) -> str:
        """The reference that names this source in any process on this machine."""

    @abstractmethod
    def stamp(self) -> str:
        """What changes whenever the images may have; quick, so from names, sizes and times. Raises DataError."""

    @abstractmethod
    def catalog(self, cache: Path, progress: Progress) -> Catalog:
        """List and identify the images; raises DataError. `cache` may keep what is slow to find out again."""

    @abstractmethod
    def opener(self) -> Opener:
        """What gives the images of the catalog by name, in this or another process; raises DataError."""


datasets: Registry[type[Source]] = Registry("data set")


def open_source(reference: str) -> Source:
    """The source behind a reference.

    Raises:
        UnknownNameError: nothing is registered under its name, here or by an installed plug-in.
        DataError: the argument or an option is missing, superfluous or wrong.
    """
    parts = Reference.parse(reference)
    if parts.name not in datasets:
        if Path(reference).expanduser().is_dir():
            raise DataError(f"{reference}: a folder of images is named with a prefix; write 'folder:{reference}'")
        load_plugin(parts.name, datasets, Source)
    return datasets[parts.name].parse(parts)


def load_plugin(name: str, registry: Registry[type[T]], base: type) -> None:
    """Import the plug-in called `name` and register it.

    Args:
        name: as a user wrote it.
        registry: where it belongs.
        base: what it must be a subclass of.

    Raises:
        UnknownNameError: there is no such plug-in; the message proposes registered names and those of plug-ins.
        DataError: it cannot be imported, or is something else.
    """
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        plugins = sorted(set(found) - set(registry))
        installed = f" (installed plug-ins: {', '.join(plugins)})" if plugins else ""
        advice = did_you_mean(name, [*registry, *plugins])
        raise UnknownNameError(f"unknown {registry.kind} {name!r}; {advice}{installed}")
    registry.register(name)(_imported(found[name], base))


def _imported(point: EntryPoint, base: type) -> Any:
    origin = f"data set {point.name!r} of the installed distribution {point.dist.name if point.dist else '?'!r}"
    try:
        thing = point.load()
    except Exception as error:  # whatever foreign code raises when it is imported
        raise DataError(f"{origin} cannot be imported ({error!r}); repair or uninstall it") from error
    if not (isinstance(thing, type) and issubclass(thing, base)):
        raise DataError(f"{origin} is {point.value}, which is no subclass of {base.__module__}.{base.__qualname__}")
    return thing
