"""Our training loop against the one users would write, and against the bare minimum: one run, repeats in turn."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from loops import AUGMENTED, IMAGES, noise, our_epoch, proxy, recipe
from timing import in_turn
from torch.nn import functional

from nas.architecture import estimate
from nas.task import Task
from nas.train.batches import TrainingBatches
from nas.train.model import make_model
from nas.train.plan import plan_training
from nas.train.process import keep_freed_memory

pytestmark = [pytest.mark.benchmark, pytest.mark.usefixtures("one_thread"), pytest.mark.timeout(3600)]

DEPTHS, KERNEL, REPEATS = (2, 2, 2), 7, 3
WIDTHS = ((32, 64, 128), (48, 96, 192))
PLAIN: dict[str, Any] = {"crop_padding": 0.0, "flip": False, "label_smoothing": 0.0, "gradient_clip": None}


def seconds(loop: str, widths: Sequence[int]) -> float:
    shape = [str(KERNEL), *(",".join(map(str, each)) for each in (DEPTHS, widths))]
    script = Path(__file__).with_name("loops.py")
    run = subprocess.run([sys.executable, script, loop, *shape], capture_output=True, text=True, check=True)
    return float(run.stdout)


def test_training_is_three_times_as_fast_as_the_loop_users_would_write(capsys: pytest.CaptureFixture[str]) -> None:
    best = 0.0
    for widths in WIDTHS:
        rounds = [[seconds(loop, widths) for loop in ("plain", "fp32", "bf16")] for _ in range(2)]
        plain, *ours = (min(times) for times in zip(*rounds, strict=True))
        flops = estimate(proxy(DEPTHS, widths, KERNEL), Task(resolution=32, classes=10)).flops
        best = max(best, plain / min(ours))
        with capsys.disabled():
            print(f"\nConvNeXt of widths {widths}, {flops / 1e6:.0f} MFLOPs, batch 128: images/s")
            print(f"{'the loop users would write':28} {IMAGES / plain:7.0f}")
            for name, taken in zip(("ours, fp32", "ours, bf16"), ours, strict=True):
                print(f"{name:28} {IMAGES / taken:7.0f} {plain / taken:6.2f}x")
    assert best >= 3


def test_the_input_side_takes_less_than_a_tenth_of_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    keep_freed_memory()
    data, chosen = noise(), recipe(**AUGMENTED, precision="bf16")
    plan = plan_training(chosen, data)
    batches = TrainingBatches(data, plan, seed=0, device=torch.device("cpu"))
    epoch = our_epoch(proxy(DEPTHS, WIDTHS[0], KERNEL), data, chosen, epochs=REPEATS)
    whole, reading = in_turn(epoch, lambda: list(batches.between(0, plan.steps)), repeats=REPEATS)
    with capsys.disabled():
        print(f"\ninput side: {reading / whole:.1%} of a step, {IMAGES / reading:,.0f} images/s")
    assert reading / whole < 0.1


def test_without_augmentation_the_loop_is_the_bare_minimum(capsys: pytest.CaptureFixture[str]) -> None:
    keep_freed_memory()
    data, chosen = noise(), recipe(**PLAIN)
    architecture = proxy(DEPTHS, WIDTHS[0], KERNEL)
    model = make_model(architecture, data.task, chosen, seed=0).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    plan = plan_training(chosen, data)
    ready = list(TrainingBatches(data, plan, seed=0, device=torch.device("cpu")).between(0, plan.steps))

    def bare() -> None:
        for view in ready:
            loss = functional.cross_entropy(model(view.images), view.labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    minimum, ours = in_turn(bare, our_epoch(architecture, data, chosen, epochs=REPEATS), repeats=REPEATS)
    with capsys.disabled():
        print(f"\nbare minimum / our loop: {minimum / ours:.3f}")
    assert minimum / ours >= 0.95
