"""Effective receptive fields of architectures by reference, on the same images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nas.analysis.receptive_field import Field, Square, logarithmic, smallest_squares
from nas.data.sample import sample_images
from nas.errors import UserError
from nas.evaluate.receptive_field import receptive_field
from nas.export.networks import LoadedNetwork, load_network
from nas.train.randomness import stream


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReceptiveField:
    """The effective receptive field of one network.

    Attributes:
        name: of the network as the user wrote it.
        id: of its architecture.
        weights: `trained` or `fresh`.
        resolution: side of the images in pixels.
        images: how many there were.
        field: contribution of every pixel, (H, W).
        squares: that hold the shares of the logarithm, as in RepLKNet's table.
        linear: that hold the shares of the contributions themselves.
    """

    name: str
    id: str
    weights: str
    resolution: int
    images: int
    field: Field
    squares: tuple[Square, ...]
    linear: tuple[Square, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, without the map: areas by percent of the contribution."""
        return {
            "name": self.name,
            "id": self.id,
            "weights": self.weights,
            "resolution": self.resolution,
            "images": self.images,
            "area": {percent(one.share): one.area for one in self.squares},
            "side": {percent(one.share): one.side for one in self.squares},
            "linear_area": {percent(one.share): one.area for one in self.linear},
            "linear_side": {percent(one.share): one.side for one in self.linear},
        }


def percent(share: float) -> str:
    """A share as a key: '20'."""
    return f"{100 * share:g}"


class Images:
    """The images that all networks see: of a data set, or of noise."""

    def __init__(self, data: str | None, count: int, *, seed: int) -> None:
        """Draw `count` images of the validation split of `data`; without data, of noise.

        Noise is normally distributed, of mean 0 and deviation 1 after normalisation.
        """
        self._data, self._count, self._seed = data, count, seed
        self._read: dict[int, Tensor] = {}

    def channels(self, resolution: int) -> int:
        """Of the images."""
        return 3 if self._data is None else self._pixels(self._data, resolution).shape[1]

    def of(self, network: LoadedNetwork, resolution: int) -> Tensor:
        """Normalised for a network, float32 (N, C, S, S); raises UserError where it takes other channels."""
        channels = network.task.channels
        if self._data is None:
            shape = (self._count, channels, resolution, resolution)
            return torch.randn(shape, generator=stream(self._seed, "noise"))
        pixels = self._pixels(self._data, resolution)
        if pixels.shape[1] != channels:
            raise UserError(
                f"{network.name}: takes images of {channels} channels, and those of {self._data} have {pixels.shape[1]}"
            )
        mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (network.mean, network.std))
        return (pixels.float() / 255 - mean) / std

    def _pixels(self, data: str, resolution: int) -> Tensor:
        if resolution not in self._read:
            read = sample_images(data, self._count, resolution=resolution, seed=self._seed)
            self._read = {resolution: torch.from_numpy(read)}
        return self._read[resolution]


def measure_field(
    reference: str,
    images: Images,
    *,
    storage: str,
    resolution: int | None,
    seed: int,
    device: str,
    progress: Callable[[float], None] = lambda done: None,
) -> ReceptiveField:
    """The field of one network.

    Args:
        reference: a preset, an architecture file, a folder with weights, or `STUDY:ID`.
        images: that it sees.
        storage: the ledger.
        resolution: side of the images; None for that of the network's own task.
        seed: of fresh weights.
        device: where to compute.
        progress: told the fraction done.

    Raises:
        UserError: nothing of that name, or images of other channels.
        NoField: the network has none, see `nas.evaluate.receptive_field`.
    """
    loaded = load_network(reference, storage, seed=seed)
    side = resolution or loaded.task.resolution
    if not loaded.is_trained and images.channels(side) != loaded.task.channels:
        loaded = load_network(reference, storage, seed=seed, channels=images.channels(side))
    place = torch.device(device)
    given = images.of(loaded, side).to(place)
    loaded.network.to(place)
    field = receptive_field(loaded.network, given, progress)
    return ReceptiveField(
        name=loaded.name,
        id=loaded.architecture.id,
        weights=loaded.weights,
        resolution=side,
        images=len(given),
        field=field,
        squares=smallest_squares(logarithmic(field)),
        linear=smallest_squares(field),
    )
