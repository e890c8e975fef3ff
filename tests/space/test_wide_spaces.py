"""Networks drawn from the spaces of gates and of RegNets: counted on their modules, read back, found again."""

import random
import warnings
from pathlib import Path

import pytest
import torch
from space_texts import shallow
from torch.utils.flop_counter import FlopCounterMode

from nas.architecture import Architecture, build, estimate, skeleton
from nas.architecture.text import to_yaml
from nas.schema.nodes import parse_yaml
from nas.space import SearchSpace, drawing, load_architecture, load_space
from nas.space.load import read_space
from nas.task import Task

POINTS = {
    "gated": ("conv2former_t", "van_b1", "moganet_xt", "hornet_t_7x7", "mambaout_tiny"),
    "families": (
        *("convnext_tiny", "inceptionnext_tiny", "unireplknet_n", "conv2former_t", "van_b1", "hornet_t_7x7"),
        *("moganet_xt", "mambaout_tiny", "replknet_13", "convnextv2_tiny", "slak_t_w1", "focalnet_t_srf"),
        *("convformer_s18", "poolformerv2_s12", "fasternet_t2", "repvit_m1_0"),
    ),
    "mobile": ("mobilenetv4_conv_s", "efficientnetv2_b0", "efficientnetv2_s", "regnetx_400mf", "starnet_s2"),
    "regnet": tuple(
        f"regnet{form}_{size}"
        for form in "xy"
        for size in (
            *("200mf", "400mf", "600mf", "800mf", "1.6gf", "3.2gf", "4.0gf", "6.4gf", "8.0gf", "12gf", "16gf", "32gf"),
            *(("64gf", "128gf") if form == "y" else ()),
        )
    ),
}
BUDGETS = {"gated": "2..5GFLOPs", "families": "1..6GFLOPs", "mobile": "0.2..3GFLOPs", "regnet": "0.4..4GFLOPs"}


def check(space: SearchSpace, architecture: Architecture, resolution: int = 64) -> None:
    """Parameters and multiply-adds of the modules are those of the closed form; the forms read back."""
    cost = estimate(architecture, Task(resolution=resolution))
    network = skeleton(architecture).eval()
    assert sum(one.numel() for one in network.parameters()) == cost.train_params
    with warnings.catch_warnings(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 3, resolution, resolution, device="meta"))
    assert counter.get_total_flops() == 2 * cost.train_flops
    assert Architecture.from_dict(architecture.to_dict()).id == architecture.id
    assert read_space(*parse_yaml(to_yaml(architecture), "drawn.yaml")).build(lambda *_: None) == architecture  # type: ignore[arg-type, return-value]
    assert space.contains(architecture)


@pytest.mark.parametrize(
    ("space", "preset"),
    [
        pytest.param(one, preset, marks=[pytest.mark.slow] * bool(place % 8))
        for one, row in POINTS.items()
        for place, preset in enumerate(row)
    ],
)
def test_published_networks_are_points(space: str, preset: str) -> None:
    assert load_space(space).contains(load_architecture(preset))


@pytest.mark.parametrize(
    ("space", "n"),
    [
        pytest.param(one, n, marks=pytest.mark.slow)
        for one, n in (("gated", 1000), ("families", 1000), ("mobile", 200), ("regnet", 50))
    ],
)
@pytest.mark.timeout(7200)
def test_drawn_networks_cost_what_their_modules_do(space: str, n: int) -> None:
    found = load_space(space)
    drawn = found.sample(n, BUDGETS[space], seed=n)
    assert len({one.id for one in drawn}) == n
    for architecture in drawn:
        check(found, architecture)


@pytest.mark.slow
@pytest.mark.parametrize("space", [pytest.param(one, marks=[pytest.mark.slow] * (one != "families")) for one in POINTS])
def test_a_network_of_a_walk_costs_what_its_modules_do(space: str) -> None:
    """The fast sibling: to draw within a budget, all of the space is priced, which takes seconds."""
    found = load_space(space)
    check(found, found.fitting(drawing(random.Random(7)))[0])


@pytest.mark.slow
@pytest.mark.parametrize("space", POINTS)
def test_drawn_networks_train_and_are_exported(space: str) -> None:
    for architecture in load_space(space).sample(10, BUDGETS[space], seed=5):
        network = build(shallow(architecture), classes=4).train()
        images = torch.randn(2, 3, 64, 64)
        network(images).square().sum().backward()
        assert all(one.grad is not None and one.grad.isfinite().all() for one in network.parameters())
        network.eval()
        with torch.no_grad():
            exported = torch.export.export(network, (images,)).module()(images)
            torch.testing.assert_close(exported, network(images))


ANYNET = """
stem: {kind: layers, channels: 32, layers: [{kind: conv, kernel: 3, stride: 2, bias: false}, batchnorm, relu]}
stages:
  count: 4
  depth: {int: [1, 16], per: stage}
  width: {int: [16, 512], step: 8, per: stage}
  block:
    kind: bottleneck
    mixer: {kind: grouped, groups: {choice: [1, 2, 4, 8, 16, 32], per: stage}}
    ratio: {choice: [1, 0.5, 0.25], per: stage}
    round: groups
  downsample: [in_block, in_block, in_block, in_block]
head: {kind: pool_norm_linear, norm: null}
"""


@pytest.mark.slow
def test_anynet_is_a_space_whose_groups_always_divide() -> None:
    """Depth, width, bottleneck ratio and groups free in every stage ('On Network Design Spaces', arXiv:1905.13214)."""
    space = read_space(*parse_yaml(ANYNET, "anynet.yaml"))
    assert space.size() == (16 * 63 * 3 * 6) ** 4
    for seed in range(1):  # drawn by a walk: to price all of it takes a minute
        check(space, space.build(drawing(random.Random(seed))))


@pytest.mark.slow
def test_anynet_without_rounding_has_the_points_whose_groups_divide() -> None:
    space = read_space(*parse_yaml(ANYNET.replace("    round: groups\n", ""), "anynet.yaml"))
    ways = sum(
        round(ratio * width) % groups == 0
        for width in range(16, 513, 8)
        for ratio in (1, 0.5, 0.25)
        for groups in (1, 2, 4, 8, 16, 32)
    )
    assert space.size() == (16 * ways) ** 4
    for architecture in space.sample(5, "300..500MFLOPs", seed=1):
        check(space, architecture)


@pytest.mark.slow
def test_scaled_families_are_points_of_the_space_that_joins_them() -> None:
    """What `studies/promise` begins its search with."""
    promise = Path(__file__).parents[2] / "studies" / "promise"
    space = load_space(promise / "joined.yaml")
    families = sorted((promise / "families").glob("*.yaml"))
    assert len(families) == 15
    assert [path.stem for path in families if not space.contains(load_architecture(path))] == []
