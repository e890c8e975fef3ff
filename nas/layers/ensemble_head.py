"""RepViT's head: several classifiers, one of them for distillation, that are one when deployed (arXiv:2307.09283)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nas.cost import NOTHING, Cost, linear_cost, norm_cost
from nas.layers.base import Head, Site, heads
from nas.layers.batchnorm import MapBatchNorm
from nas.layers.fusable import Fusable, folded
from nas.layers.pool_norm_linear import GlobalPool
from nas.schema.fields import Count


class MeanClassifier(Fusable):
    """The mean of classifiers, each a batch norm and a linear layer."""

    def __init__(self, classifiers: Sequence[nn.Sequential]) -> None:
        """Keep the classifiers."""
        super().__init__()
        self.classifiers = nn.ModuleList(classifiers)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C) -> (N, classes)."""
        logits: list[Tensor] = []
        for classify in self.classifiers:
            logits.append(classify(x))
        return torch.stack(logits).mean(0)

    @torch.no_grad()
    def fused(self) -> nn.Linear:
        """The one linear layer that computes the mean in evaluation mode."""
        parts = [_joined(classify[0], classify[1]) for classify in self.classifiers]  # type: ignore[index]
        weight = torch.stack([one for one, _ in parts]).mean(0)
        bias = torch.stack([one for _, one in parts]).mean(0)
        like = next(self.parameters())
        linear = nn.Linear(weight.shape[1], weight.shape[0], device=like.device, dtype=like.dtype)
        linear.load_state_dict({"weight": weight, "bias": bias})
        return linear.train(self.training)


def _joined(norm: MapBatchNorm, linear: nn.Linear) -> tuple[Tensor, Tensor]:
    """Weight and bias, in float64, of the one layer that computes `linear(norm(x))` in evaluation mode."""
    identity = nn.Conv2d(norm.num_features, norm.num_features, 1, groups=norm.num_features, bias=False)
    nn.init.ones_(identity.weight)
    scale, shift = folded(identity.to(norm.weight.device), norm)
    weight = linear.weight.double()
    return weight * scale.flatten(), linear.bias.double() + weight @ shift


@heads.register("pool_ensemble")
@dataclass(frozen=True, kw_only=True)
class PoolEnsemble(Head):
    """Global average pooling, then the mean of `classifiers`, each batch norm and linear; one linear when deployed."""

    classifiers: Count = 2

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, classes), or (N, C) without classes."""
        head = nn.Sequential()
        head.add_module("pool", GlobalPool())
        if site.width:
            pairs = (
                nn.Sequential(MapBatchNorm(site.width_in), nn.Linear(site.width_in, site.width))
                for _ in range(self.classifiers)
            )
            head.add_module("linear", MeanClassifier(list(pairs)))
        return head

    def cost(self, site: Site) -> Cost:
        """All classifiers when trained, one when deployed."""
        if not site.width:
            return NOTHING
        one = linear_cost(site.width_in, site.width)
        return one.trained_as((one + norm_cost(site.width_in)) * self.classifiers)
