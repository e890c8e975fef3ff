"""Exported networks as backbones, and architectures that come back from what is exported."""

from __future__ import annotations

import ast
import json
import random
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given, settings, strategies as st
from torch import Tensor, nn
from torch.nn import functional

import nas
from nas.architecture import Architecture, skeleton
from nas.errors import MisfitError
from nas.export.bundle import About, Provenance
from nas.export.forms import Options
from nas.export.taking import fresh_bundle, write_export
from nas.export.timm_config import timm_config
from nas.schema.packaged import space_names
from nas.space import load_space
from nas.space.askers import drawing
from nas.task import Task


class FeaturePyramidNetwork(nn.Module):
    """As in torchvision and 'Feature Pyramid Networks for Object Detection' (arXiv:1612.03144), section 3."""

    def __init__(self, channels: list[int], width: int) -> None:
        super().__init__()
        self.inner = nn.ModuleList(nn.Conv2d(one, width, 1) for one in channels)
        self.layers = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in channels)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        top = self.inner[-1](maps[-1])
        found = [self.layers[-1](top)]
        for index in reversed(range(len(maps) - 1)):
            here = self.inner[index](maps[index])
            top = here + functional.interpolate(top, size=here.shape[-2:], mode="nearest")
            found.insert(0, self.layers[index](top))
        return found


@pytest.mark.slow
def test_a_feature_pyramid_learns_on_the_maps_of_an_exported_network(tmp_path: Path) -> None:
    write_export(
        tmp_path / "out",
        fresh_bundle(load_space("tiny").build(drawing(random.Random(0))), Task(resolution=64, classes=10)),
        [],
        Options(),
    )
    backbone = nas.load_model(tmp_path / "out", features_only=True).train()
    torch.manual_seed(0)
    neck = FeaturePyramidNetwork(backbone.feature_info.channels(), 16)
    optimizer = torch.optim.AdamW([*backbone.parameters(), *neck.parameters()], lr=1e-3)
    images, losses = torch.randn(2, 3, 64, 64), []
    for _ in range(10):
        levels = neck(backbone(images))
        loss = torch.stack([(level - images.mean(1, keepdim=True).mean()).square().mean() for level in levels]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert [64 // level.shape[-1] for level in levels] == backbone.feature_info.reduction()
    assert losses[-1] < 0.5 * losses[0]
    assert all(one.grad is not None for one in backbone.parameters())


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(space=st.sampled_from(sorted(space_names())), seed=st.integers(0, 10**6))
def test_an_architecture_comes_back_from_python_and_timm(space: str, seed: int) -> None:
    try:
        one = load_space(space).build(drawing(random.Random(seed)))
    except MisfitError:
        assume(False)  # a draw that a rule of the space forbids; samplers draw again
    assert ast.literal_eval(repr(one.to_dict())) == one.to_dict()
    assert Architecture.from_dict(ast.literal_eval(repr(one.to_dict()))).id == one.id
    network = skeleton(one, classes=7)  # no weights are needed
    about = Provenance(task=Task(classes=7), classes=(), mean=(0.5,) * 3, std=(0.5,) * 3, results={})
    document = json.loads(json.dumps(timm_config(one, network, About(about, merged=False))))
    assert Architecture.from_dict(document["nas"]["structure"]).id == one.id
