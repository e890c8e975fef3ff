"""Shape bias: of the decisions for the shape or the texture of a cue-conflict image, the share that is for the shape.

R. Geirhos et al., "ImageNet-trained CNNs are biased towards texture" (arXiv:1811.12231, section 3 and figure 4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from nas.analysis.intervals import Interval, wilson

CATEGORIES = (
    "airplane", "bear", "bicycle", "bird", "boat", "bottle", "car", "cat", "chair", "clock", "dog", "elephant",
    "keyboard", "knife", "oven", "truck",
)  # fmt: skip
"""The classes of the cue-conflict images."""


class Decision(NamedTuple):
    """What a network took an image for; all three are categories."""

    shape: str
    texture: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Decisions on images whose shape and texture are of different categories.

    Attributes:
        images: how many there were.
        shape, texture: decisions for either; the others were for neither.
    """

    images: int
    shape: int
    texture: int

    @property
    def share(self) -> float | None:
        """Of the decisions for shape or texture, those for the shape, in [0, 1]; None where there are none."""
        decided = self.shape + self.texture
        return self.shape / decided if decided else None

    @property
    def interval(self) -> Interval | None:
        """95% (Wilson), over the choice of images."""
        return None if self.share is None else wilson(self.share, self.shape + self.texture)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        interval = self.interval
        return {
            "images": self.images,
            "shape": self.shape,
            "texture": self.texture,
            "neither": self.images - self.shape - self.texture,
            "share": self.share,
            "low": None if interval is None else interval.low,
            "high": None if interval is None else interval.high,
        }


def tally(decisions: Iterable[Decision]) -> Tally:
    """Count decisions; those on images without a conflict are left out."""
    conflicts = [one for one in decisions if one.shape != one.texture]
    return Tally(
        images=len(conflicts),
        shape=sum(one.answer == one.shape for one in conflicts),
        texture=sum(one.answer == one.texture for one in conflicts),
    )


def tallies_by_shape(decisions: Iterable[Decision]) -> dict[str, Tally]:
    """A tally for each category of the shape, in alphabetical order."""
    kept = list(decisions)
    shapes = sorted({one.shape for one in kept})
    return {shape: tally(one for one in kept if one.shape == shape) for shape in shapes}
