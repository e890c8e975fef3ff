"""The shape bias of trained weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nas.analysis.shape_bias import Tally, tallies_by_shape, tally
from nas.data.cue_conflict import find_cue_conflicts, read_cue_conflicts
from nas.errors import UserError
from nas.evaluate.shape_bias import askable, categories_of, decide
from nas.export.networks import load_network

_BATCH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeBias:
    """The shape bias of one network.

    Attributes:
        name: of the network as the user wrote it.
        id: of its architecture.
        resolution: side of the images in pixels.
        overall: all images with a conflict that it can be asked about.
        by_shape: the same by category of the shape.
        without_conflict: images left out because shape and texture are of one category.
        unknown: images left out because the classifier has no class for shape or texture.
        categories: the classes of the classifier that belong to each category, by index.
    """

    name: str
    id: str
    resolution: int
    overall: Tally
    by_shape: dict[str, Tally]
    without_conflict: int
    unknown: int
    categories: dict[str, tuple[int, ...]]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "name": self.name,
            "id": self.id,
            "resolution": self.resolution,
            **self.overall.to_dict(),
            "without_conflict": self.without_conflict,
            "unknown": self.unknown,
            "classes": {category: one.to_dict() for category, one in self.by_shape.items()},
            "mapping": {category: list(indices) for category, indices in self.categories.items()},
        }


def measure_shape_bias(
    reference: str, folder: Path, *, storage: str, device: str, progress: Callable[[float], None] = lambda done: None
) -> ShapeBias:
    """Ask trained weights about the cue-conflict images of a folder.

    Raises:
        UserError: no trained weights, or none of the images can be asked about.
        DataError: the folder or an image in it cannot be used.
    """
    found = find_cue_conflicts(folder)
    loaded = load_network(reference, storage, seed=0)
    if not loaded.is_trained:
        raise UserError(
            f"{reference}: has no trained weights; name a folder that `nas train`, `nas export` or `nas import` wrote"
        )
    categories = categories_of(loaded.class_names, loaded.task.classes)
    images = askable(found, categories)
    without_conflict = sum(one.shape == one.texture for one in found)
    if not images:
        raise UserError(
            f"{folder}: no image with a conflict between two classes of the network: {', '.join(categories)}"
        )
    place = torch.device(device)
    network = loaded.network.to(place)
    mean, std = (torch.tensor(values, device=place).view(1, -1, 1, 1) for values in (loaded.mean, loaded.std))
    side = loaded.task.resolution
    batches = read_cue_conflicts(
        images,
        side=side,
        channels=loaded.task.channels,
        batch=_BATCH,
        progress=lambda done, total: progress(done / total),
    )
    decisions = decide(
        network, images, batches, categories, lambda pixels: (pixels.to(place).float() / 255 - mean) / std
    )
    return ShapeBias(
        name=loaded.name,
        id=loaded.architecture.id,
        resolution=side,
        overall=tally(decisions),
        by_shape=tallies_by_shape(decisions),
        without_conflict=without_conflict,
        unknown=len(found) - without_conflict - len(images),
        categories=categories,
    )
