"""Every zero-cost score of an architecture, as a proxy would start to train it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from nas.architecture import Architecture
from nas.data import DataSet
from nas.evaluate.zerocost import scores
from nas.train.batches import Normalise
from nas.train.model import make_model
from nas.train.process import one_thread
from nas.train.randomness import stream
from nas.train.recipe import Recipe
from nas.train.resize import central_crop, resize

BATCH = 64
"""Images that scores look at."""


class Scored(NamedTuple):
    """A score and what it took: None where it is not finite for this network."""

    value: float | None
    seconds: float


def score_architecture(
    architecture: Architecture,
    data: DataSet,
    recipe: Recipe,
    *,
    seed: int,
    names: Iterable[str] = tuple(scores),
    device: torch.device | str = "cpu",
) -> dict[str, Scored]:
    """Scores by name, computed on one thread as a worker has it.

    Args:
        architecture: what to score.
        data: whose training images to look at.
        recipe: whose start of the network to score.
        seed: of the starting weights, the batch and what the scores draw; equal seeds see equal images.
        names: which scores.
        device: where to compute.
    """
    place = torch.device(device)
    network = make_model(architecture, data.task, recipe, seed=seed).to(place)
    images = _images(data, recipe, seed, place)
    scored = {}
    with one_thread():
        for name in names:
            generator = stream(seed, f"score {name}")
            begun = time.perf_counter()
            value = scores[name](network, images, generator)
            scored[name] = Scored(value if math.isfinite(value) else None, time.perf_counter() - begun)
    return scored


def _images(data: DataSet, recipe: Recipe, seed: int, device: torch.device) -> Tensor:
    """Training images (BATCH, C, H, W) without augmentation, normalised, at the recipe's resolution."""
    chosen = torch.randperm(len(data.train), generator=stream(seed, "score images"))[:BATCH].numpy()
    (images,) = data.train.read([chosen])
    resized = resize(torch.from_numpy(images).to(device), recipe.stored_resolution)
    return Normalise(data, device)(central_crop(resized, recipe.resolution))
