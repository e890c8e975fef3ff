"""The `config.json` by which timm and the Hugging Face hub know a network of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from nas.architecture import Architecture, build, fuse
from nas.export.bundle import About

ENTRY = "nas_network"
"""The name in timm's registry."""


def timm_config(architecture: Architecture, network: nn.Module, about: About) -> dict[str, Any]:
    """The document; `model_args` says what timm's own registry cannot know of the network."""
    task = about.provenance.task
    side = [task.channels, task.resolution, task.resolution]
    classifier = [(name, one) for name, one in network.named_modules() if isinstance(one, nn.Linear)][-1]
    first = next(name for name, one in network.named_modules() if isinstance(one, nn.Conv2d))
    document: dict[str, Any] = {
        "architecture": ENTRY,
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
            "first_conv": first,
            "classifier": classifier[0],
            "license": "other",
        },
        "model_args": {
            "structure": architecture.to_dict(),
            "merged": about.merged,
            "num_classes": task.classes,
            "in_chans": task.channels,
        },
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
