"""Every zero-cost score of an architecture, as a proxy would start to train it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from nas.architecture import Architecture
from nas.data import DataSet
from nas.evaluate.zerocost import scores
from nas.train.batches import Normalise
from nas.train.model import make_model
from nas.train.randomness import derive
from nas.train.recipe import Recipe

BATCH = 64
"""Images that scores look at."""


class Scored(NamedTuple):
    """A score and what it took: None where it is not finite for this network."""

    value: float | None
    seconds: float


def score_architecture(
    architecture: Architecture, data: DataSet, recipe: Recipe, *, seed: int, device: torch.device | str = "cpu"
) -> dict[str, Scored]:
    """All scores, by name, on one thread as a worker has it.

    Args:
        architecture: what to score.
        data: whose training images to look at.
        recipe: whose start of the network to score.
        seed: of the starting weights, the batch and what the scores draw; equal seeds see equal images.
        device: where to compute.
    """
    place = torch.device(device)
    network = make_model(architecture, data.task, recipe, seed=seed).to(place)
    images = _images(data, seed, place)
    scored = {}
    with _one_thread():
        for name, score in scores.items():
            generator = torch.Generator().manual_seed(derive(seed, f"score {name}"))
            begun = time.perf_counter()
            value = score(network, images, generator)
            scored[name] = Scored(value if math.isfinite(value) else None, time.perf_counter() - begun)
    return scored


def _images(data: DataSet, seed: int, device: torch.device) -> Tensor:
    """Normalised training images (BATCH, C, H, W)."""
    generator = torch.Generator().manual_seed(derive(seed, "score images"))
    chosen = torch.randperm(len(data.train), generator=generator)[:BATCH]
    return Normalise(data, device)(torch.from_numpy(data.train.images[chosen.numpy()]).to(device))


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
