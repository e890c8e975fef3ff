"""Training as one writes it from the papers' code and the usual tutorials: a DataLoader over PIL images with transforms
for each sample, Mixup on the batch, a ConvNeXt in NCHW and float32, AdamW.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset


class LayerNorm2d(nn.Module):
    """Over the channels of (N, C, H, W), written out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(1, keepdim=True)
        x = centred / torch.sqrt(centred.pow(2).mean(1, keepdim=True) + 1e-6)
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class Block(nn.Module):
    """Depthwise convolution in NCHW, then norm and linear layers on a permuted view, and back."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.expand = nn.Linear(width, 4 * width)
        self.reduce = nn.Linear(4 * width, width)
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        y = self.dwconv(x).permute(0, 2, 3, 1)
        y = self.gamma * self.reduce(functional.gelu(self.expand(self.norm(y))))
        return x + y.permute(0, 3, 1, 2)


def convnext(depths: Sequence[int], widths: Sequence[int], kernel: int, *, classes: int) -> nn.Module:
    """A ConvNeXt for small images: a 2x2 patch stem and 2x2 downsampling between the stages."""
    layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 2, stride=2), LayerNorm2d(widths[0])]
    for index, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        if index:
            layers += [LayerNorm2d(widths[index - 1]), nn.Conv2d(widths[index - 1], width, 2, stride=2)]
        layers += [Block(width, kernel) for _ in range(depth)]
    head = nn.Sequential(nn.LayerNorm(widths[-1], eps=1e-6), nn.Linear(widths[-1], classes))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


class Images(Dataset[tuple[Tensor, int]]):
    """PIL images with a crop after padding, a flip, and normalisation, one sample at a time."""

    def __init__(self, images: np.ndarray[Any, Any], labels: np.ndarray[Any, Any], mean: Any, std: Any) -> None:
        self.images = [Image.fromarray(np.ascontiguousarray(one.transpose(1, 2, 0))) for one in images]
        self.labels = labels.tolist()
        self.mean, self.std = (torch.tensor(values).view(-1, 1, 1) for values in (mean, std))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = ImageOps.expand(self.images[index], 4)
        left, top = random.randint(0, 8), random.randint(0, 8)
        image = image.crop((left, top, left + 32, top + 32))
        if random.random() < 0.5:
            image = ImageOps.mirror(image)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float().div(255)
        return (pixels - self.mean) / self.std, self.labels[index]


def train_epoch(model: nn.Module, optimizer: torch.optim.Optimizer, images: Images, *, batch: int, classes: int) -> int:
    """One epoch; returns the images seen."""
    loader = DataLoader(images, batch_size=batch, shuffle=True, drop_last=True)
    seen = 0
    for x, y in loader:
        target = functional.one_hot(y, classes).float() * 0.9 + 0.1 / classes
        share = float(np.random.beta(0.8, 0.8))
        x = share * x + (1 - share) * x.flip(0)
        target = share * target + (1 - share) * target.flip(0)
        loss = functional.cross_entropy(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen += len(x)
    return seen
