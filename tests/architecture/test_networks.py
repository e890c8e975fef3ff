"""Whole networks: counted, fused, taken apart for features."""

import pytest
import torch
from torch import nn

from nas.architecture import Architecture, build, fuse
from nas.architecture.crosscheck import crosscheck
from nas.errors import FieldError, UserError
from nas.space import load_architecture
from nas.task import Task

FAMILIES = (
    "convnext_isotropic_small", "conv2former_n", "replknet_3", "resnext50_32x4d", "unireplknet_a", "van_b0",
    "r50_to_convnext_t/inverting_dims", "r50_to_convnext_t/kernel_5", "r50_to_convnext_t/fewer_norms",
)  # fmt: skip
QUICK = ("r50_to_convnext_t/kernel_5",)


def small(preset: str) -> Architecture:
    """The preset with two blocks a stage at most and an eighth of the width: same parts, fast."""
    data = load_architecture(preset).to_dict()
    for stage in data["stages"]:
        stage["depth"], stage["width"] = min(stage["depth"], 2), stage["width"] // 8
        if isinstance(stage["block"], dict) and stage["block"].get("mixer") == "grouped":
            stage["block"]["mixer"] = {"kind": "grouped", "groups": 4}
    return Architecture.from_dict(data)


def shaken(network: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in (*network.named_parameters(), *network.named_buffers()):
            if tensor.is_floating_point() and tensor.ndim < 2:
                low = 0.5 if "var" in name else -0.5
                tensor.copy_(low + torch.rand(tensor.shape, generator=generator))
    return network


def images(size: int = 64, batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("preset", "merged"),
    [
        *(pytest.param(preset, False, marks=[pytest.mark.slow] * (preset not in QUICK)) for preset in FAMILIES),
        ("replknet_3", True),
        pytest.param("unireplknet_a", True, marks=pytest.mark.slow),
    ],
)
def test_the_closed_form_is_what_fvcore_counts(preset: str, merged: bool) -> None:
    assert crosscheck(small(preset), Task(resolution=70, classes=7), merged=merged).agrees


@pytest.mark.parametrize("preset", ["replknet_3", pytest.param("unireplknet_a", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_a_fused_network_computes_the_same(preset: str, dtype: torch.dtype, tolerance: float) -> None:
    network = shaken(build(small(preset), classes=10)).to(dtype).eval()
    x = images().to(dtype)
    with torch.no_grad():
        expected, found = network(x), fuse(network)(x)
    assert ((found - expected).abs().max() / expected.abs().max()).item() <= tolerance


def test_a_fused_network_saves_and_loads() -> None:
    first, second = (fuse(build(small("replknet_31b"), classes=10)).eval() for _ in range(2))
    second.load_state_dict(first.state_dict())
    with torch.no_grad():
        assert torch.equal(first(images()), second(images()))


@pytest.mark.parametrize("preset", FAMILIES)
def test_features_are_the_maps_of_the_stages(preset: str) -> None:
    architecture = small(preset)
    backbone = build(architecture, features_only=True).eval()
    with torch.no_grad():
        maps = backbone(images(96))
    info = backbone.feature_info
    assert [one.shape[1] for one in maps] == [stage.width for stage in architecture.stages]
    assert [one["num_chs"] for one in info] == [stage.width for stage in architecture.stages]
    assert [one.shape[2] for one in maps] == [96 // one["reduction"] for one in info]


def test_chosen_features_other_channels_and_pooled_features() -> None:
    architecture = small("van_b0")
    backbone = build(architecture, in_channels=5, features_only=True, out_indices=(1, 3)).eval()
    assert [one.shape[1] for one in backbone(torch.zeros(1, 5, 64, 64))] == [8, 32]
    assert build(architecture, classes=0).eval()(images()).shape == (2, 32)
    with pytest.raises(FieldError, match="out_indices"):
        build(architecture, features_only=True, out_indices=(4,))


def test_an_image_that_is_too_small_is_an_error_that_says_so() -> None:
    with pytest.raises(UserError, match="16x16 image is too small"):
        list(load_architecture("convnext_tiny").parts(Task(resolution=16)))


@pytest.mark.parametrize("preset", FAMILIES)
def test_the_drop_path_rate_grows_linearly_and_both_halves_of_a_block_share_it(preset: str) -> None:
    network = build(small(preset), drop_path=0.4)
    rates = [module.rate for name, module in network.named_modules() if name.endswith(".drop_path")]
    halves = 2 if preset in ("replknet_3", "conv2former_n", "van_b0") else 1
    blocks = small(preset).depth
    assert rates == pytest.approx([0.4 * index / (blocks - 1) for index in range(1, blocks) for _ in range(halves)])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"block": "metaformer", "downsample": "in_block"}, "metaformer keeps map and width"),
        ({"block": {"kind": "mixer_first", "mixer": "lka"}, "downsample": "in_block"}, "lka keeps the map"),
        ({"block": {"kind": "bottleneck", "mixer": {"kind": "grouped", "groups": 3}}}, "must divide the 8 channels"),
    ],
)
def test_parts_that_cannot_stand_where_they_are_put_are_refused(data: dict[str, object], message: str) -> None:
    stages = [{"depth": 1, "width": 16}, {"depth": 1, "width": 32, **data}]
    with pytest.raises(FieldError, match=message):
        Architecture.from_dict({"stages": stages})
