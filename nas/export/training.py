"""One network trained outside a search, with the same recipe for longer or another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas.analysis.intervals import wilson
from nas.architecture import Architecture
from nas.data import load_data
from nas.export.bundle import require_folder, write_bundle
from nas.export.winner import measure_test, provenance
from nas.train.loop import train
from nas.train.model import make_model
from nas.train.recipe import Recipe
from nas.train.validation import validate


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What came out of a training.

    Attributes:
        id: of the architecture.
        folder: where it was written.
        files: what was written.
        validation, test: accuracy in [0, 1], its 95% interval over the choice of images, and their number.
        curve: mean training loss of every epoch.
        images_per_second: of the training steps.
    """

    id: str
    folder: str
    files: tuple[str, ...]
    validation: dict[str, Any]
    test: dict[str, Any]
    curve: tuple[float, ...]
    images_per_second: float


def train_network(
    architecture: Architecture,
    data: str,
    recipe: Recipe,
    folder: Path,
    *,
    seed: int,
    device: str,
    report: Callable[[float], None],
    decoding: Callable[[int, int], None],
) -> Trained:
    """Train an architecture from scratch, judge it on the test split, write it as a folder.

    Raises:
        DataError: the data cannot be used.
        Diverged: the loss became infinite or NaN.
        UserError: the folder cannot be written.
    """
    require_folder(folder)
    images = load_data(data, resolution=recipe.resolution, progress=decoding)
    network = make_model(architecture, images.task, recipe, seed=seed)
    result = train(network, images, recipe, seed=seed, device=device, report=report)
    checked = validate(network, images, recipe, device=device)
    interval = wilson(checked.accuracy, checked.images)
    validation = {
        "accuracy": checked.accuracy, "low": interval.low, "high": interval.high, "images": checked.images,
    }  # fmt: skip
    test = measure_test(network, images, recipe, device=device)
    results = {
        "data": data,
        "recipe": recipe.to_dict(),
        "seed": seed,
        "validation_accuracy": checked.accuracy,
        "test": test,
        "curve": list(result.curve),
    }
    files = write_bundle(folder, architecture, network.cpu(), provenance(images, results))
    return Trained(
        id=architecture.id,
        folder=str(folder),
        files=tuple(path.name for path in files),
        validation=validation,
        test=test,
        curve=result.curve,
        images_per_second=result.images / result.train_seconds,
    )
