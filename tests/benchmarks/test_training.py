"""Our training loop against the one users would write, and against the bare minimum: one run, repeats in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from plain_training import Images, convnext, train_epoch
from timing import in_turn
from torch.nn import functional

from nas.architecture import Architecture, estimate
from nas.data.dataset import DataSet, Split
from nas.space import load_architecture
from nas.task import Task
from nas.train import Recipe
from nas.train.batches import TrainingBatches
from nas.train.loop import Training
from nas.train.model import make_model
from nas.train.plan import plan_training

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]

DEPTHS, WIDTHS, KERNEL, BATCH, IMAGES = (2, 2, 2), (48, 96, 192), 7, 128, 1280
AUGMENTED: dict[str, Any] = {"crop_padding": 0.125, "mixup": 0.8}
PLAIN: dict[str, Any] = {"crop_padding": 0.0, "flip": False, "label_smoothing": 0.0, "gradient_clip": None}
REPEATS = 3


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def data() -> DataSet:
    """Noise in the form of CIFAR-10: the content does not change the time."""
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (IMAGES, 3, 32, 32), dtype=np.uint8)
    split = Split(images=images, labels=draw.integers(0, 10, IMAGES))
    return DataSet(
        train=split, validation=split, test=split, classes=tuple("0123456789"), channels=3, resolution=32,
        mean=(0.5,) * 3, std=(0.29,) * 3, flippable=True, fingerprint="noise",
    )  # fmt: skip


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Architecture:
    """What `plain_training.convnext` builds, as a point of the grammar."""
    path = tmp_path_factory.mktemp("proxy") / "proxy.yaml"
    path.write_text(f"""
stem: {{kind: patchify, patch: 2, norm: layernorm}}
stages:
  depth: {list(DEPTHS)}
  width: {list(WIDTHS)}
  block: {{kind: mixer_first, mixer: {{kind: depthwise, kernel: {KERNEL}}}, norm: layernorm, layer_scale: 1.0}}
  downsample: {{kind: conv, kernel: 2, norm: layernorm}}
head: {{kind: pool_norm_linear, norm: layernorm}}
""")
    return load_architecture(path)


def recipe(**fields: Any) -> Recipe:
    return Recipe.from_dict({"epochs": 1, "batch": BATCH, "layer_scale_init": 1.0, **fields})


def training(architecture: Architecture, data: DataSet, chosen: Recipe) -> Training:
    return Training(make_model(architecture, data.task, chosen, seed=0), data, chosen, seed=0)


def epoch_of(architecture: Architecture, data: DataSet, chosen: Recipe) -> Callable[[], object]:
    """An epoch of our loop, its set-up paid for before."""
    waiting = [training(architecture, data, chosen) for _ in range(REPEATS + 1)]
    return lambda: waiting.pop().run()


def test_training_is_three_times_as_fast_as_the_loop_users_would_write(
    proxy: Architecture, data: DataSet, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = convnext(DEPTHS, WIDTHS, KERNEL, classes=10)
    assert sum(one.numel() for one in theirs.parameters()) == estimate(proxy, Task(resolution=32, classes=10)).params
    images = Images(data.train.images, data.train.labels, data.mean, data.std)
    optimizer = torch.optim.AdamW(theirs.parameters(), lr=1e-3)

    def plain() -> object:
        return train_epoch(theirs, optimizer, images, batch=BATCH, classes=10)

    ours = {
        "fp32": epoch_of(proxy, data, recipe(**AUGMENTED)),
        "bf16": epoch_of(proxy, data, recipe(**AUGMENTED, precision="bf16")),
    }
    plain_seconds, *our_seconds = in_turn(plain, *ours.values(), repeats=REPEATS)
    with capsys.disabled():
        print(f"\n{'loop':24} {'images/s':>9} {'faster':>7}\n{'users would write':24} {IMAGES / plain_seconds:9.0f}")
        for name, taken in zip(ours, our_seconds, strict=True):
            print(f"{'ours, ' + name:24} {IMAGES / taken:9.0f} {plain_seconds / taken:6.1f}x")
    assert plain_seconds / min(our_seconds) >= 3


def test_the_input_side_takes_less_than_a_tenth_of_a_step(
    proxy: Architecture, data: DataSet, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = recipe(**AUGMENTED, precision="bf16")
    plan = plan_training(chosen, data)
    batches = TrainingBatches(data, plan, seed=0, device=torch.device("cpu"))
    whole, reading = in_turn(
        epoch_of(proxy, data, chosen), lambda: list(batches.between(0, plan.steps)), repeats=REPEATS
    )
    with capsys.disabled():
        print(f"\ninput side: {reading / whole:.1%} of a step, {IMAGES / reading:,.0f} images/s")
    assert reading / whole < 0.1


def test_without_augmentation_the_loop_is_the_bare_minimum(
    proxy: Architecture, data: DataSet, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = recipe(**PLAIN)
    model = make_model(proxy, data.task, chosen, seed=0).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    plan = plan_training(chosen, data)
    ready = list(TrainingBatches(data, plan, seed=0, device=torch.device("cpu")).between(0, plan.steps))

    def bare() -> None:
        for view in ready:
            loss = functional.cross_entropy(model(view.images), view.labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    minimum, ours = in_turn(bare, epoch_of(proxy, data, chosen), repeats=REPEATS)
    with capsys.disabled():
        print(f"\nbare minimum / our loop: {minimum / ours:.3f}")
    assert minimum / ours >= 0.95
