"""`ARCH` as a network that can be looked at: with the weights of a folder, or with fresh ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nas.architecture import Architecture, build
from nas.architecture.network import Network
from nas.command_line import command_line
from nas.errors import UserError
from nas.export.bundle import about_of, load_model
from nas.export.folder import ARCHITECTURE
from nas.export.normalisation import IMAGENET
from nas.space import load_architecture
from nas.space.references import ABOUT, own_task, resolve_architecture, split_reference
from nas.task import Task
from nas.train.randomness import derive, own_randomness

_CHECKPOINTS = (".pth", ".pt", ".ckpt", ".safetensors")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedNetwork:
    """A network in evaluation mode, and what its inputs are.

    Attributes:
        name: as the user wrote it.
        architecture: what it is of.
        network: on the CPU.
        task: channels, classes and resolution; those of the weights, where they are trained.
        class_names: in the order of the logits; empty where nobody has named them.
        mean, std: per channel, that its inputs are normalised with; of fresh weights ImageNet's.
        is_trained: whether the weights come from a folder.
        results: what the folder says of the weights.
    """

    name: str
    architecture: Architecture
    network: Network
    task: Task
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    is_trained: bool
    results: dict[str, Any]

    @property
    def weights(self) -> str:
        """`trained` or `fresh`."""
        return "trained" if self.is_trained else "fresh"


def load_network(reference: str, storage: str, *, seed: int, channels: int = 3) -> LoadedNetwork:
    """The network of a reference.

    A folder that `nas export`, `nas train` or `nas import` wrote gives its trained weights; anything else, also a
    candidate of a study, gives fresh ones.

    Args:
        reference: a preset, an architecture file, a folder, or `STUDY:ID`.
        storage: the ledger.
        seed: of fresh weights.
        channels: of the images, for fresh weights.

    Raises:
        UserError: nothing of that name, or a folder that is damaged.
    """
    folder = Path(reference)
    if folder.suffix in _CHECKPOINTS and folder.is_file():
        making = command_line("import", "--preset", "NAME", "-o", "FOLDER", arguments=[reference])
        raise UserError(
            f"{reference}: a checkpoint alone does not say what it is of; `{making}` makes a folder that can be given "
            "here"
        )
    if (folder / ABOUT).is_file():
        return _trained(folder)
    architecture = resolve_architecture(reference, storage)
    if split_reference(reference) is None:
        task = Task(channels=channels)
    else:
        own = own_task(reference, storage)
        task = Task(resolution=own.resolution, classes=own.classes, channels=channels)
    with own_randomness(derive(seed, "weights"), torch.device("cpu")):
        network = build(architecture, classes=task.classes, in_channels=channels)
    assert isinstance(network, Network)
    return LoadedNetwork(
        name=reference,
        architecture=architecture,
        network=network.eval(),
        task=task,
        class_names=(),
        mean=IMAGENET.mean if channels == 3 else (0.5,) * channels,
        std=IMAGENET.std if channels == 3 else (0.5,) * channels,
        is_trained=False,
        results={},
    )


def _trained(folder: Path) -> LoadedNetwork:
    network, about = load_model(folder), about_of(folder).provenance
    assert isinstance(network, Network)
    return LoadedNetwork(
        name=str(folder),
        architecture=load_architecture(folder / ARCHITECTURE),
        network=network,
        task=about.task,
        class_names=about.classes,
        mean=about.mean,
        std=about.std,
        is_trained=about.results.get("trained") is not False,
        results=about.results,
    )
