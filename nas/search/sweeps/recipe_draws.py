"""Which changes of a recipe `nas refine` tries: around the recipe's own values, one draw a number.

* `learning_rate`: its own value times 1/4 to 4, log-uniformly.
* `weight_decay`: its own value times 1/8 to 8, log-uniformly; 0 stays 0.
* `drop_path`: uniformly from 0 to twice its own value, or to 0.2 if that is more. Where the recipe leaves it to the
  architecture, the architecture's value is its own.
* `label_smoothing`: likewise.
* Strength of augmentation: one factor, 1/2 to 2, log-uniformly, on all of `crop_padding`, `rand_augment.magnitude`,
  `random_erasing`, `mixup` and `cutmix` that the recipe has; what it has not stays away.

Everything else stays as it is, the length above all. Values have three significant digits.
"""

from __future__ import annotations

import math
import random
from typing import Any

from nas.architecture import Architecture
from nas.train.randomness import derive
from nas.train.recipe import Recipe

VERSION = 1
"""Raised when the same number draws something else; part of a refinement's definition."""

_RATE, _DECAY, _STRENGTH = 4.0, 8.0, 2.0  # largest factors; the smallest are their inverses
_AT_LEAST = 0.2  # how far a share is tried, however small its own value
_SHARE_LIMIT = 0.9
_LIMITS = {"crop_padding": 0.5, "random_erasing": 1.0, "mixup": math.inf, "cutmix": math.inf}
_MAGNITUDE_LIMIT = 10.0


def draw_recipe(recipe: Recipe, architecture: Architecture, number: int, *, seed: int) -> Recipe:
    """The recipe to try as the `number`-th; number 0 is the recipe itself.

    What is drawn follows from the seed and the number alone, so that two architectures get the same factors.

    Args:
        recipe: to change.
        architecture: what it will train.
        number: from 0.
        seed: of the draws.
    """
    if number == 0:
        return recipe
    rng = random.Random(derive(seed, f"recipe {number}"))
    # Everything is drawn, whether this recipe has a use for it or not, and always in this order.
    rate, decay, strength = (_log_uniform(rng, most) for most in (_RATE, _DECAY, _STRENGTH))
    path, smoothing = rng.random(), rng.random()
    own_path = architecture.drop_path if recipe.drop_path is None else recipe.drop_path
    return recipe.changed(
        learning_rate=_rounded(recipe.learning_rate * rate),
        weight_decay=_rounded(recipe.weight_decay * decay),
        drop_path=_rounded(path * _highest(own_path)),
        label_smoothing=_rounded(smoothing * _highest(recipe.label_smoothing)),
        **_augmentation(recipe, strength),
    )


def _augmentation(recipe: Recipe, strength: float) -> dict[str, Any]:
    changes: dict[str, Any] = {
        name: _rounded(min(limit, getattr(recipe, name) * strength))
        for name, limit in _LIMITS.items()
        if getattr(recipe, name)
    }
    if recipe.rand_augment is not None:
        magnitude = _rounded(min(_MAGNITUDE_LIMIT, recipe.rand_augment.magnitude * strength))
        changes["rand_augment"] = {**recipe.rand_augment.model_dump(mode="json"), "magnitude": magnitude}
    return changes


def _log_uniform(rng: random.Random, most: float) -> float:
    return math.exp(rng.uniform(-math.log(most), math.log(most)))


def _highest(own: float) -> float:
    return min(_SHARE_LIMIT, max(_AT_LEAST, 2 * own))


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
