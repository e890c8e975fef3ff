"""Architectures by reference: loaded, built and priced."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from nas.architecture import Architecture, build as build_network, estimate as estimate_cost
from nas.cost import Cost
from nas.plugins import Plugin, load
from nas.space.references import resolve_architecture
from nas.task import Task


def load_architecture(ref: str | os.PathLike[str]) -> Architecture:
    """The architecture of a preset name, an architecture file, an exported folder or `STUDY:ID`.

    Raises:
        UserError: there is none of that name, or its file has problems.
    """
    return resolve_architecture(str(ref))


def load_plugin(ref: str | os.PathLike[str]) -> Plugin:
    """Load a plug-in, a file (`my_mixers.py`) or an installed module; its code is run, and what it registers is there.

    Raises:
        UserError: it is not there, fails, registers nothing, or a name it registers is taken.
    """
    return load(os.fspath(ref))


def build(
    architecture: Architecture | str,
    classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
    *,
    out_indices: Sequence[int] | None = None,
    checkpoint: bool = False,
) -> nn.Module:
    """The freshly initialised network of an architecture.

    Args:
        architecture: an architecture, or a reference as `load_architecture` takes it.
        classes: outputs of the classifier; 0 gives pooled features (N, C).
        in_channels: channels of the images.
        features_only: give the maps (N, C, H, W) of the stages, with `feature_info`, instead of logits.
        out_indices: the stages whose maps are given; default all.
        checkpoint: train in less memory and more time, with the same numbers.
    """
    found = load_architecture(architecture) if isinstance(architecture, str | Path) else architecture
    return build_network(found, classes, in_channels, features_only, out_indices=out_indices, checkpoint=checkpoint)


def estimate(architecture: Architecture | str, resolution: int = 224, classes: int = 1000) -> Cost:
    """What an architecture costs, in closed form.

    Args:
        architecture: an architecture, or a reference as `load_architecture` takes it.
        resolution: side of the input in pixels.
        classes: outputs of the classifier.
    """
    found = load_architecture(architecture) if isinstance(architecture, str | Path) else architecture
    return estimate_cost(found, Task(resolution=resolution, classes=classes))
