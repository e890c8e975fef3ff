"""One training loop in a process of its own: `python loops.py {plain,fp32,bf16} KERNEL DEPTH,… WIDTH,…`.

Prints the CPU seconds of an epoch, the least of some. A process each, because the loops set up memory differently.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from plain_training import Images, convnext, train_epoch

from nas.architecture import Architecture, estimate
from nas.data.dataset import DataSet, Split
from nas.space import load_architecture
from nas.task import Task
from nas.train import Recipe
from nas.train.loop import Training
from nas.train.model import make_model
from nas.train.process import keep_freed_memory

BATCH, IMAGES, EPOCHS = 128, 1280, 3
AUGMENTED: dict[str, Any] = {"crop_padding": 0.125, "mixup": 0.8}


def noise() -> DataSet:
    """Noise in the form of CIFAR-10: the content does not change the time."""
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (IMAGES, 3, 32, 32), dtype=np.uint8)
    split = Split(images=images, labels=draw.integers(0, 10, IMAGES))
    return DataSet(
        train=split, validation=split, test=split, classes=tuple("0123456789"), channels=3, resolution=32,
        mean=(0.5,) * 3, std=(0.29,) * 3, flippable=True, fingerprint="noise",
    )  # fmt: skip


def proxy(depths: Sequence[int], widths: Sequence[int], kernel: int) -> Architecture:
    """What `plain_training.convnext` builds, as a point of the grammar."""
    text = f"""
stem: {{kind: patchify, patch: 2, norm: layernorm}}
stages:
  depth: {list(depths)}
  width: {list(widths)}
  block: {{kind: mixer_first, mixer: {{kind: depthwise, kernel: {kernel}}}, norm: layernorm, layer_scale: 1.0}}
  downsample: {{kind: conv, kernel: 2, norm: layernorm}}
head: {{kind: pool_norm_linear, norm: layernorm}}
"""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "proxy.yaml"
        path.write_text(text)
        return load_architecture(path)


def recipe(**fields: Any) -> Recipe:
    """An epoch at a time."""
    return Recipe.from_dict({"epochs": 1, "batch": BATCH, "layer_scale_init": 1.0, **fields})


def training(architecture: Architecture, data: DataSet, chosen: Recipe) -> Training:
    """Ready for its first step."""
    return Training(make_model(architecture, data.task, chosen, seed=0), data, chosen, seed=0)


def our_epoch(architecture: Architecture, data: DataSet, chosen: Recipe, *, epochs: int) -> Callable[[], object]:
    """An epoch of our loop, so many times; set-up is paid for before."""
    waiting = [training(architecture, data, chosen) for _ in range(epochs)]
    return lambda: waiting.pop().run()


def plain_epoch(
    depths: Sequence[int], widths: Sequence[int], kernel: int, architecture: Architecture, data: DataSet
) -> Callable[[], object]:
    """An epoch of the loop that users would write."""
    model = convnext(depths, widths, kernel, classes=10)
    params = sum(one.numel() for one in model.parameters())
    if params != estimate(architecture, Task(resolution=32, classes=10)).params:
        raise ValueError("the two loops train different networks")
    images = Images(data.train.images, data.train.labels, data.mean, data.std)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    return lambda: train_epoch(model, optimizer, images, batch=BATCH, classes=10)


def main(loop: str, kernel: int, depths: Sequence[int], widths: Sequence[int]) -> None:
    """Time one loop."""
    torch.set_num_threads(1)
    architecture, data = proxy(depths, widths, kernel), noise()
    if loop == "plain":
        epoch = plain_epoch(depths, widths, kernel, architecture, data)
    else:
        keep_freed_memory()
        epoch = our_epoch(architecture, data, recipe(**AUGMENTED, precision=loop), epochs=EPOCHS)
    times = []
    for _ in range(EPOCHS):
        begun = time.process_time()
        epoch()
        times.append(time.process_time() - begun)
    print(min(times))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *([int(one) for one in given.split(",")] for given in sys.argv[3:5]))
