"""The recipe of a proxy that nobody named: chosen by the size of the networks and the number of images.

A proxy is useless where every network guesses, and where every one is right. One recipe cannot be neither everywhere:
what takes large networks to 85 % of the digits in 67 steps leaves small ones at 11 to 54 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from nas.train.recipe import Recipe
from nas.units import format_count

SMALL = 3_000_000
"""Parameters below which networks count as small. Weights that start with the papers' deviation of 0.02 are those of a
fan-in of 2,500; the narrower the network, the less of the signal they let through."""
FEWEST_STEPS = 64
"""Steps of a training, at least: less teaches no network anything."""
MOST_IMAGES = 10_000
"""Images that a small network sees, about: a ranking of small networks needs no more, as measured on CIFAR-10."""
IMAGES_OF_CLASS = 100
"""The same for each class, where there are many of them."""

_SMALL: Mapping[str, Any] = {"init": "fan_in", "layer_scale_init": 1.0, "crop_padding": 0.0}
_SHARES = 100  # a share of the images is a whole number of percent, so that it reads well


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenBy:
    """What a default recipe was chosen by.

    Attributes:
        params: of the middle one of the networks, as they are trained.
        images: to train on.
        classes: of them.
    """

    params: int
    images: int
    classes: int

    @property
    def is_small(self) -> bool:
        """Whether the networks count as small."""
        return self.params < SMALL

    def __str__(self) -> str:
        size = "small" if self.is_small else "large"
        share = self.recipe().data_share
        part = "" if share == 1 else f" ({share:.0%} of them)"
        return (
            f"the default for {size} networks ({format_count(self.params)} parameters) and {self.images:,} images{part}"
        )

    def recipe(self) -> Recipe:
        """The recipe.

        * Large networks: the recipe's defaults, one epoch.
        * Small networks (below `SMALL`): the same steps from starting weights that suit narrow networks, a layer scale
          of 1 and no random crops; of many images only a share, so that about `MOST_IMAGES` are seen, or
          `IMAGES_OF_CLASS` of each class if that is more.
        * Few images: as many epochs as it takes to make `FEWEST_STEPS` steps, whatever the size.
        """
        fields = dict(_SMALL) if self.is_small else {}
        most = max(MOST_IMAGES, IMAGES_OF_CLASS * self.classes)
        if self.is_small and self.images > most:
            fields["data_share"] = math.ceil(_SHARES * most / self.images) / _SHARES
        steps = max(1, self.images // Recipe().batch)
        if steps < FEWEST_STEPS:
            fields["epochs"] = math.ceil(FEWEST_STEPS / steps)
        return Recipe.from_dict(fields)

    def to_dict(self) -> dict[str, int]:
        """Plain data; inverse of `from_dict`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, int]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(**data)
