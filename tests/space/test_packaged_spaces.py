"""The spaces that travel with the program: what they contain, and that every point of them is a network."""

import random
import re
import subprocess
import sys
from functools import cache

import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st
from space_texts import shallow

from nas.architecture import Architecture, build, estimate, skeleton
from nas.architecture.crosscheck import count
from nas.schema.packaged import SPACES, packaged, preset_names, space_names
from nas.space import SearchSpace, drawing, load_architecture, load_space
from nas.task import Task

ROADMAPS = ("r50_to_convnext_t", "r200_to_convnext_b")
TASK = Task(resolution=64, classes=10)
FEW = [pytest.param(one, marks=[pytest.mark.slow] * (one not in ("tiny", "convnext"))) for one in space_names()]
"""All packaged spaces, of which the fast run takes two."""


def promised(space: str) -> list[str]:
    """The presets that the comment at the top of a space file names; a roadmap's name stands for its steps."""
    text = (packaged(SPACES) / f"{space}.yaml").read_text()
    comment = " ".join(line.lstrip("# ") for line in text.splitlines() if line.startswith("#"))
    words = re.findall(r"[a-z0-9_]+", comment.partition("Contains")[2])
    return [name for name in preset_names() if name in words or name.partition("/")[0] in words]


@pytest.mark.parametrize("space", [one for one in FEW if one.values != ("tiny",)])
def test_a_space_contains_what_it_says(space: str) -> None:
    loaded = load_space(space)
    names = promised(space)
    assert names
    assert [name for name in names if not loaded.contains(load_architecture(name))] == []


def test_the_roadmap_space_holds_both_roads() -> None:
    assert {name.partition("/")[0] for name in promised("resnet_to_convnext")} >= {*ROADMAPS, "resnet50", "resnet200"}


@pytest.mark.parametrize("space", FEW)
def test_drawn_architectures_are_points_of_their_space_and_fit_together(space: str) -> None:
    loaded = load_space(space)
    for seed in range(5):
        architecture, _ = loaded.fitting(drawing(random.Random(seed)))
        assert loaded.contains(architecture)
        assert estimate(architecture, loaded.task).flops > 0


def check(architecture: Architecture) -> None:
    again = Architecture.from_dict(architecture.to_dict())
    assert (again, again.id, hash(again)) == (architecture, architecture.id, hash(architecture))
    shuffled = dict(reversed(architecture.to_dict().items()))
    assert Architecture.from_dict(shuffled).id == architecture.id
    cost = estimate(architecture, TASK)
    assert sum(one.numel() for one in skeleton(architecture, TASK.classes).parameters()) == cost.train_params
    assert cost.params <= cost.train_params
    assert cost.flops <= cost.train_flops


def check_by_running(architecture: Architecture) -> None:
    network = build(architecture, TASK.classes)
    cost = estimate(architecture, TASK)
    image = torch.zeros(1, 3, TASK.resolution, TASK.resolution)
    assert count(network, image)[:3] == (cost.train_params, cost.train_flops, cost.train_activations)
    logits = network.train()(torch.randn(2, 3, TASK.resolution, TASK.resolution))
    logits.square().mean().backward()
    assert logits.shape == (2, TASK.classes)
    assert all(one.grad is not None and one.grad.isfinite().all() for one in network.parameters())


@cache
def modern() -> SearchSpace:
    return load_space("modern")


def drawn(seed: int) -> Architecture:
    return modern().build(drawing(random.Random(seed)))


@settings(max_examples=5, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_random_modern_architectures_are_priced_and_read_back(seed: int) -> None:
    check(drawn(seed))


@pytest.mark.slow
@settings(max_examples=1, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_random_modern_architectures_run_and_cost_what_fvcore_counts(seed: int) -> None:
    check_by_running(shallow(drawn(seed)))


@pytest.mark.slow
@pytest.mark.timeout(7200)
@settings(max_examples=1000, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_a_thousand_random_modern_architectures(seed: int) -> None:
    architecture = drawn(seed)
    check(architecture)
    check_by_running(shallow(architecture))


@pytest.mark.slow
def test_ids_are_the_same_in_another_process() -> None:
    code = "import random; from nas.space import drawing, load_space; s = load_space('modern'); " + (
        "print(*(s.build(drawing(random.Random(seed))).id for seed in range(5)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == [drawn(seed).id for seed in range(5)]
