"""Activation checkpointing changes what is kept, never what is computed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nas.architecture import Architecture, build

TINY = {
    "stem": {"kind": "patchify", "patch": 2},
    "stages": [
        {"depth": 2, "width": 8},
        {"depth": 2, "width": 16, "downsample": "conv", "block": {"kind": "metaformer", "mixer": "large_kernel"}},
    ],
    "drop_path": 0.5,
}


def network(*, checkpoint: bool) -> nn.Module:
    torch.manual_seed(0)
    return build(Architecture.from_dict(TINY), classes=5, checkpoint=checkpoint).train()


def trained(net: nn.Module, *, steps: int = 2) -> dict[str, torch.Tensor]:
    """Output, gradients, parameters and buffers after a few steps with drop path and batch norm."""
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    x = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(2)
    for _ in range(steps):
        optimizer.zero_grad()
        y = net(x)
        y.square().sum().backward()
        optimizer.step()
    gradients = {f"{name}.grad": one.grad for name, one in net.named_parameters() if one.grad is not None}
    return {"output": y.detach(), **gradients, **net.state_dict()}


@pytest.mark.slow
def test_outputs_gradients_and_running_statistics_are_the_same() -> None:
    plain, checkpointed = trained(network(checkpoint=False)), trained(network(checkpoint=True))
    assert plain.keys() == checkpointed.keys()
    assert [name for name in plain if not torch.equal(plain[name], checkpointed[name])] == []


def test_less_is_kept_for_the_backward_pass() -> None:
    def kept(net: nn.Module) -> int:
        sizes: list[int] = []

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            sizes.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            net(torch.zeros(4, 3, 16, 16))
        return sum(sizes)

    assert kept(network(checkpoint=True)) < kept(network(checkpoint=False)) / 4


@pytest.mark.parametrize("checkpoint", [False, True])
def test_features_can_be_checkpointed_too(checkpoint: bool) -> None:
    backbone = build(Architecture.from_dict(TINY), features_only=True, checkpoint=checkpoint).train()
    maps = backbone(torch.zeros(2, 3, 16, 16))
    sum(one.sum() for one in maps).backward()
    assert all(one.grad is not None for name, one in backbone.named_parameters())
