"""The identity behind re-parameterisation, away from the easy point (running statistics not 0 and 1)."""

import random

import pytest
import torch
from conformance import shaken
from torch import nn

from nas.architecture import fuse
from nas.architecture.conformance import built, image
from nas.errors import FieldError
from nas.layers import Fusable, Site, blocks, mixers

SITES = (Site(16, 16, 20), Site(16, 16, 9), Site(16, 16, 15, 2))
FORMS = (
    *({"kind": "large_kernel", "kernel": kernel, "small": small} for kernel, small in ((31, 5), (13, 3), (3, 3))),
    {"kind": "large_kernel", "kernel": 7, "small": None},
    *({"kind": "dilated", "kernel": kernel} for kernel in (5, 7, 9, 11, 13, 15, 17)),
    {"kind": "projected", "mixer": {"kind": "large_kernel", "kernel": 9}},
)


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("site", SITES, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_the_fused_mixer_computes_the_same(
    form: dict[str, object], site: Site, dtype: torch.dtype, tolerance: float
) -> None:
    module = shaken(built(mixers.read(form), site)).to(dtype).eval()
    x = image(site).to(dtype)
    with torch.no_grad():
        expected, fused = module(x), fuse(module)(x)
    assert ((fused - expected).abs().max() / expected.abs().max()).item() <= tolerance


def test_fusing_makes_a_new_module_and_leaves_the_old_one() -> None:
    site = Site(8, 8, 9)
    module = built(blocks.read({"kind": "mixer_first", "mixer": {"kind": "dilated", "kernel": 7}}), site)
    before = {key: tensor.clone() for key, tensor in module.state_dict().items()}
    fused = fuse(module)
    assert module.state_dict().keys() == before.keys()
    assert all(torch.equal(tensor, before[key]) for key, tensor in module.state_dict().items())
    assert {id(one) for one in module.parameters()}.isdisjoint(id(one) for one in fused.parameters())
    assert fused.branch.mixer.weight.shape == (8, 1, 7, 7)


def test_a_fused_module_saves_and_loads() -> None:
    site, spec = Site(8, 8, 9), mixers.read({"kind": "large_kernel", "kernel": 9})
    first, second = fuse(shaken(built(spec, site), seed=1)), fuse(shaken(built(spec, site), seed=2))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(image(site)), second(image(site)))


def test_fusing_what_is_fused_or_cannot_be_changes_nothing() -> None:
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).eval()
    x = image(Site(3, 4, 8))
    assert torch.equal(fuse(plain)(x), plain(x))
    once = fuse(built(mixers.read("large_kernel"), Site(4, 4, 8)))
    assert torch.equal(fuse(once).weight, once.weight)


def test_the_mode_is_kept() -> None:
    module = built(mixers.read("dilated"), Site(4, 4, 8))
    assert fuse(module.train()).training
    assert not fuse(module.eval()).training


@pytest.mark.parametrize(
    ("form", "rule"),
    [
        ({"kind": "large_kernel", "kernel": 5, "small": 7}, "small: must not be larger than the kernel of 5, got 7"),
        ({"kind": "large_kernel", "kernel": 31, "small": 4}, "small: must be odd"),
        ({"kind": "large_kernel", "kernel": 30}, "kernel: must be odd"),
        ({"kind": "dilated", "kernel": 19}, "kernel: must be 5 or 7"),
        ({"kind": "dilated", "kernel": 6}, "kernel: must be 5 or 7"),
    ],
    ids=str,
)
def test_kernels_that_could_not_be_merged_are_refused(form: dict[str, object], rule: str) -> None:
    with pytest.raises(FieldError, match=rule):
        mixers.read(form)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["depthwise", "dense"])
def test_a_random_sum_of_branches_merges_into_one_convolution(kind: str, seed: int) -> None:
    rng = random.Random(seed)
    largest = rng.choice([3, 5, 7, 9])
    branches = [[{"kind": kind, "kernel": largest, "bias": rng.random() < 0.5}, "batchnorm"]]
    for _ in range(rng.randint(1, 4)):
        conv = {"kind": kind, "kernel": rng.choice([k for k in (1, 3, 5, 7, 9) if k <= largest]), "bias": True}
        if kind == "depthwise" and rng.random() < 0.5:
            columns = rng.choice([k for k in (1, 3, 5) if k <= largest and k != conv["kernel"]] or [None])
            conv |= {"columns": columns} if columns else {}
        branches.append(rng.choice([[conv], [conv, "batchnorm"], ["batchnorm"], []]))
    rng.shuffle(branches)
    spec = mixers.read(
        {"kind": "chain", "fold": True, "layers": [{"kind": "parallel", "branches": branches}, "batchnorm"]}
    )
    site = Site(8, 8, 10)
    module = shaken(built(spec, site), seed=seed).double().eval()
    x = image(site).double()
    with torch.no_grad():
        expected, merged = module(x), fuse(module)
        found = merged(x)
    assert ((found - expected).abs().max() / expected.abs().max()).item() <= 1e-12
    assert [name for name, _ in merged.named_parameters()] == ["0.weight", "0.bias"]
    assert merged[0].kernel_size == (largest, largest)
    assert sum(one.numel() for one in merged.parameters()) == spec.cost(site).params
    assert sum(one.numel() for one in module.parameters()) == spec.cost(site).train_params


@pytest.mark.parametrize(
    "branches",
    [
        [[{"kind": "depthwise", "kernel": 7, "columns": 3}], [{"kind": "depthwise", "kernel": 3, "columns": 7}]],
        [[{"kind": "depthwise"}], [{"kind": "dense"}]],
        [[{"kind": "depthwise"}, "gelu"], []],
        [["batchnorm"], []],
    ],
    ids=["a cross", "two kinds", "an activation", "no convolution"],
)
def test_what_is_no_convolution_is_not_merged(branches: list[object]) -> None:
    spec, site = mixers.read({"kind": "parallel", "branches": branches}), Site(8, 8, 10)
    module = built(spec, site)
    assert not isinstance(module, Fusable)
    assert spec.cost(site).params == spec.cost(site).train_params == sum(one.numel() for one in module.parameters())
