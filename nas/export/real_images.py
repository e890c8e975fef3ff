"""Real images, on which every form of a network is compared beside random ones: their activations are of another kind.

A study's candidate sees validation images of its own; any other network the two photographs that come with
scikit-learn, `china.jpg` and `flower.jpg`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nas.data import DataSet
from nas.data.images import PixelReader, decoded
from nas.errors import UserError
from nas.task import Task
from nas.train.resize import resize
from nas.units import plural

_COUNT = 4  # validation images: two more than photographs, and quick at any resolution
_PHOTOGRAPHS = ("china.jpg", "flower.jpg")


class RealImages(NamedTuple):
    """Images as the network takes them.

    Attributes:
        origin: whose they are, for people.
        images: float32, (N, C, H, W), normalised.
    """

    origin: str
    images: Tensor


def photographs(task: Task, mean: Sequence[float], std: Sequence[float]) -> RealImages:
    """The photographs at a task's resolution, normalised; gray ones for other than three channels.

    Raises:
        UserError: scikit-learn's files are not where they belong.
        ImageError: one is damaged.
    """
    found = find_spec("sklearn")  # found, not imported: that takes a second
    if found is None or found.origin is None:
        raise UserError("scikit-learn, whose photographs exported networks are compared on, is not installed")
    folder = Path(found.origin).parent / "datasets" / "images"
    is_rgb = task.channels == 3
    read = PixelReader(lambda name: decoded((folder / name).read_bytes()), task.resolution, 3 if is_rgb else 1)
    pixels = torch.from_numpy(np.stack([read(name) for name in _PHOTOGRAPHS]))
    return RealImages("2 photographs", _normalised(pixels.expand(-1, task.channels, -1, -1), mean, std))


def validation_images(data: DataSet) -> RealImages:
    """The first few validation images of a data set, at its resolution."""
    count = min(_COUNT, len(data.validation))
    pixels: NDArray[np.uint8] = next(iter(data.validation.read([np.arange(count)])))
    images = _normalised(resize(torch.from_numpy(pixels), data.resolution), data.mean, data.std)
    return RealImages(plural(count, "validation image"), images)


def _normalised(pixels: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """From uint8, (N, C, H, W)."""
    means, deviations = (torch.tensor(one).view(1, -1, 1, 1) for one in (mean, std))
    return (pixels.float() / 255 - means) / deviations
