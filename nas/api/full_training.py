"""One network trained outside a search: from scratch or from weights, for as long as its recipe says, into a folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

from torch import nn

from nas.architecture import Architecture
from nas.data import load_data
from nas.export.folder import held, is_used, require_folder
from nas.export.trained import Start, Trained, finished, require_room, write_trained
from nas.records import EvaluationKey
from nas.train.distributed import Place
from nas.train.full import CHECKPOINT, Watch, train_in_full
from nas.train.model import make_model
from nas.train.recipe import Recipe
from nas.train.saving import SAVE_EVERY
from nas.train.trackers import TrackedRun, Tracker

_TRAININGS = "trainings"  # the group of those that belong to no study


def train_to_folder(
    architecture: Architecture,
    data: str,
    recipe: Recipe,
    folder: Path,
    *,
    seed: int,
    place: Place,
    start: Start | None = None,
    micro_batch: int | None = None,
    force: bool = False,
    trackers: Sequence[Tracker] = (),
    save_every: float = SAVE_EVERY,
    watch: Watch,
) -> Trained | None:
    """Train an architecture, judge it on the test split, write it as a folder.

    The folder has a row for every epoch in curve.csv, brought up to date with every checkpoint. A training that was
    interrupted goes on from the checkpoint in its folder; one that is finished there is not done again.

    Args:
        architecture: what to train.
        data: reference of the data set.
        recipe: how to train.
        folder: where to write.
        seed: of everything random.
        place: the device, and the part of several processes.
        start: weights to begin with; None for fresh ones.
        micro_batch: images per forward pass and process; None for the whole batch, or, where there is one process,
            the half, quarter, ... 64th of it that the memory is enough for.
        force: write over what is in the folder, also where it is something else.
        trackers: other people's, to write the curve for, too.
        save_every: seconds between checkpoints.
        watch: told after every step how far it is.

    Returns:
        The result; None in all processes but the first.

    Raises:
        DataError: the data cannot be used.
        Diverged: the loss became infinite or NaN.
        TooLittleMemory: not even a small part of a batch fits.
        UserError: the folder cannot be written, or holds something else.
    """
    require_room(folder, force=force)
    require_folder(folder)
    images = load_data(data, resolution=recipe.stored_resolution, decoders=place.cores)
    images = images if start is None else start.normalised_as(images)
    key = EvaluationKey(
        architecture_id=architecture.id if start is None else f"{architecture.id}-from-{start.digest}",
        recipe=recipe.id,
        fingerprint=images.fingerprint,
        seed=seed,
        rung=len(recipe.rungs),
    )
    there = finished(folder, key)
    if there is not None:
        return there if place.is_first else None
    if is_used(folder) and not (folder / CHECKPOINT).exists() and not force:
        raise held(folder, "other weights")

    def make() -> nn.Module:
        network = make_model(architecture, images.task, recipe, seed=seed)
        if start is not None:
            start.fill(network)
        return network

    run = _tracked(folder, key, data, recipe)
    done = train_in_full(
        make,
        images,
        recipe,
        folder,
        key,
        place=place,
        micro_batch=micro_batch,
        force=force,
        tracked=[partial(one.begin, run) for one in trackers],
        save_every=save_every,
        watch=watch,
    )
    place.wait()
    if not place.is_first:
        return None
    trained = write_trained(done, architecture, images, data, folder, key)
    done.curve.close()
    return trained


def _tracked(folder: Path, key: EvaluationKey, data: str, recipe: Recipe) -> TrackedRun:
    """What trackers know a training as; its name tells trainings into folders of equal names apart."""
    digest = sha256(json.dumps(key.to_dict()).encode()).hexdigest()[:8]
    facts = {
        **key.to_dict(), "data": data, "epochs": recipe.epochs, "batch": recipe.batch, "resolution": recipe.resolution,
        "learning_rate": recipe.learning_rate,
    }  # fmt: skip
    return TrackedRun(group=_TRAININGS, name=f"{folder.absolute().name}-{digest}", facts=facts)
