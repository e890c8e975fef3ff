"""The `config.json` by which timm and the Hugging Face hub know a network of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from nas.architecture import Architecture, build, fuse
from nas.export.bundle import About
from nas.export.timm_class import timm_class

ENTRY = "nas_network"
"""The name in timm's registry."""


def timm_config(architecture: Architecture, network: nn.Module, about: About) -> dict[str, Any]:
    """The document; `model_args` says what timm's own registry cannot know of the network.

    A network that a class of timm's can express is that class, which needs no nas; any other one is `ENTRY`. Either way
    `nas` holds the architecture.
    """
    task = about.provenance.task
    side = [task.channels, task.resolution, task.resolution]
    classifier = [(name, one) for name, one in network.named_modules() if isinstance(one, nn.Linear)][-1]
    first = next(name for name, one in network.named_modules() if isinstance(one, nn.Conv2d))
    found = timm_class(architecture)
    names = (lambda name: name) if found is None else found.name
    ours = {"structure": architecture.to_dict(), "merged": about.merged}
    document: dict[str, Any] = {
        "architecture": ENTRY if found is None else found.entry,
        "num_classes": task.classes,
        "num_features": classifier[1].in_features,
        "pretrained_cfg": {
            "num_classes": task.classes,
            "input_size": side,
            "fixed_input_size": False,
            "interpolation": "bicubic",
            "crop_pct": 1.0,
            "crop_mode": "center",
            "mean": list(about.provenance.mean),
            "std": list(about.provenance.std),
            "first_conv": names(first),
            "classifier": names(classifier[0]),
            "license": "other",
        },
        "model_args": {
            **(ours if found is None else found.arguments),
            "num_classes": task.classes,
            "in_chans": task.channels,
        },
        "nas": ours,
    }
    if about.provenance.classes:
        document["label_names"] = list(about.provenance.classes)
    return document


def network_of(
    structure: Mapping[str, Any], classes: int, channels: int, *, merged: bool, drop_path: float | None = None
) -> nn.Module:
    """The network that `model_args` describe, with fresh weights."""
    network = build(Architecture.from_dict(structure), classes=classes, in_channels=channels, drop_path=drop_path)
    return fuse(network) if merged else network
