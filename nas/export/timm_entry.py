"""Our networks in timm's registry, under one name: the architecture comes with the folder's `config.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from timm.models import build_model_with_cfg, register_model
from torch import nn

from nas.architecture import Architecture
from nas.architecture.network import Network, backbone
from nas.export.timm_config import network_of


def nas_network(
    pretrained: bool = False,
    *,
    structure: Mapping[str, Any],
    merged: bool = False,
    scratch: bool = False,
    features_only: bool = False,
    out_indices: Sequence[int] | None = None,
    **given: Any,
) -> nn.Module:
    """A network of nas, as `timm.create_model` makes it.

    Args:
        pretrained: with the folder's weights; they are taken without it, too, because a folder is named for them.
        structure: the architecture as plain data.
        merged: in deployed form.
        scratch: with fresh weights instead.
        features_only: give the maps of the stages, with `feature_info`.
        out_indices: with `features_only`, the stages whose maps are given.
        given: what timm passes on: `num_classes`, `in_chans`, `drop_path_rate` and its own.
    """

    def make(num_classes: int = 1000, in_chans: int = 3, drop_path_rate: float | None = None) -> nn.Module:
        return network_of(structure, num_classes, in_chans, merged=merged, drop_path=drop_path_rate)

    network: nn.Module = build_model_with_cfg(make, "nas_network", pretrained or not scratch, **given)
    if not features_only:
        return network
    assert isinstance(network, Network)
    return backbone(network, Architecture.from_dict(structure), out_indices)


register_model(nas_network)
