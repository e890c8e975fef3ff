"""The exported folder: an architecture, weights that fit it, and where they come from."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

import nas
from nas import plugins
from nas.architecture import Architecture, build, fuse, skeleton
from nas.architecture.network import Network, backbone
from nas.architecture.text import to_yaml
from nas.command_line import command_line
from nas.data.atomic import new_file
from nas.errors import FieldError, UserError, system_reason
from nas.export.folder import ARCHITECTURE, WEIGHTS, require_folder
from nas.space import load_architecture
from nas.space.references import ABOUT, read_about
from nas.task import Task
from nas.train.weights import load_weights, save_weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What is written beside the weights.

    Attributes:
        task: channels, classes and resolution the weights were trained for.
        classes: names of the classes, in the order of the logits.
        mean, std: per channel, of pixel values scaled to [0, 1]; inputs are normalised with them.
        results: accuracies with their split and images, and how they were reached.
    """

    task: Task
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    results: dict[str, Any]


def write_bundle(folder: Path, architecture: Architecture, network: nn.Module, about: Provenance) -> list[Path]:
    """Write the folder; returns the files.

    Raises:
        UserError: the folder cannot be written, or holds something else.
    """
    require_folder(folder)
    document = {
        "architecture": architecture.id,
        "in_channels": about.task.channels,
        "classes": about.task.classes,
        "resolution": about.task.resolution,
        "merged": _is_merged(network, architecture, about.task),
        "class_names": list(about.classes),
        "mean": list(about.mean),
        "std": list(about.std),
        **about.results,
        "written_by": f"nas {nas.__version__}",
    }
    needed = [plugins.find(label) for label in architecture.plugins]
    sources = {f"{plugin.name}.py": plugin.source for plugin in needed if plugin.source is not None}
    if needed:
        document["plugins"] = [plugin.label for plugin in needed]
    try:
        with new_file(folder / ARCHITECTURE) as path:
            path.write_text(to_yaml(architecture, heading=f"Architecture {architecture.id}"), encoding="utf-8")
        save_weights(network, folder / WEIGHTS, about={"architecture": architecture.id})
        with new_file(folder / ABOUT) as path:
            path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        for name, source in sources.items():
            with new_file(folder / name) as path:
                path.write_text(source, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{folder}: cannot be written: {system_reason(error)}") from None
    return [folder / name for name in (ARCHITECTURE, WEIGHTS, ABOUT, *sources)]


class About(NamedTuple):
    """What a folder says about its weights.

    Attributes:
        provenance: of the weights.
        merged: whether they are of the deployed form.
    """

    provenance: Provenance
    merged: bool


def about_of(folder: Path) -> About:
    """Read `model.json` of a folder that `write_bundle` wrote; raises UserError."""
    document = read_about(folder / ABOUT)
    provenance = Provenance(
        task=document.task,
        classes=tuple(document.class_names),
        mean=tuple(document.mean),
        std=tuple(document.std),
        results=dict(document.model_extra or {}),
    )
    return About(provenance, document.merged)


def load_model(
    folder: str | os.PathLike[str],
    *,
    features_only: bool = False,
    out_indices: Sequence[int] | None = None,
    classes: int | None = None,
    plugin: Sequence[str | os.PathLike[str]] = (),
) -> nn.Module:
    """The network of an exported folder with its weights, in evaluation mode.

    Inputs are (N, C, H, W), scaled to [0, 1] and normalised with the `mean` and `std` in `model.json`.

    Args:
        folder: what `nas export` wrote.
        features_only: give the maps (N, C, H, W) of the stages, with `feature_info`, instead of logits.
        out_indices: with `features_only`, the stages whose maps are given; default all.
        classes: put a fresh classifier for so many classes in place of the folder's.
        plugin: files or modules that its parts are of. A plug-in in the folder is code of whoever wrote the folder, and
            is never run unless it is named here (or loaded before).

    Raises:
        UserError: the folder lacks a file, or its files do not belong together.
    """
    root = Path(folder)
    for name in (ARCHITECTURE, WEIGHTS, ABOUT):
        if not (root / name).is_file():
            raise UserError(
                f"{root}: no {name} in it; `{command_line('export', '-o', str(root))}` writes such a folder"
            )
    about = read_about(root / ABOUT)
    for reference in plugin:
        plugins.load(os.fspath(reference))
    _require_plugins(root, about.plugins)
    architecture = load_architecture(root / ARCHITECTURE)
    if architecture.id != about.architecture_id:
        raise UserError(f"{root}: {ARCHITECTURE} is {architecture.id}, but the weights are of {about.architecture_id}")
    network = build(architecture, classes=about.classes, in_channels=about.in_channels)
    network = fuse(network) if about.merged else network
    load_weights(network, root / WEIGHTS)
    assert isinstance(network, Network)
    if classes is not None:
        network.reset_classifier(classes)
    if features_only:
        return backbone(network, architecture, out_indices).eval()
    if out_indices is not None:
        raise FieldError("out_indices", "only means something with features_only=True")
    return network.eval()


def _require_plugins(root: Path, labels: Sequence[str]) -> None:
    """Refuse a folder whose plug-ins nobody has loaded, and say how: they are not loaded from it by themselves."""
    for label in labels:
        problem = plugins.problem_with(label)
        file = root / f"{label.partition('==')[0]}.py"
        if problem is not None and file.is_file():
            problem += f"; one lies in the folder: read it, and where you trust it, pass plugin=[{str(file)!r}]"
        if problem is not None:
            raise UserError(f"{root}: {problem}")


def _is_merged(network: nn.Module, architecture: Architecture, task: Task) -> bool:
    """Whether parallel branches are merged already: then the network lacks tensors of the form that is trained."""
    trained = skeleton(architecture, classes=task.classes, in_channels=task.channels)
    return network.state_dict().keys() != trained.state_dict().keys()
