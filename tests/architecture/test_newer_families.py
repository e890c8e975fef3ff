"""A network of each newer family, shallow: counted, merged, trained, exported."""

import pytest
import torch
from exporting import assert_exports
from torch import nn

from nas.architecture import Architecture, build, fuse
from nas.architecture.crosscheck import crosscheck
from nas.space import load_architecture
from nas.task import Task

SMALLEST = (
    "convnextv2_atto", "convnext_atto_ols", "convnext_zepto_rms_ols", "inceptionnext_atto", "regnety_200mf",
    "repvit_m0_9", "repvit_m1", "mobilenetv4_conv_s_035", "efficientnetv2_b0", "efficientnetv2_rw_t", "fasternet_t0",
    "starnet_s050", "mambaout_femto", "mambaout_base_short_rw", "moganet_xt", "hornet_t_7x7", "focalnet_t_srf",
    "focalnet_h_fl3", "convformer_s18", "poolformerv2_s12", "slak_t", "rdnet_t",
)  # fmt: skip
QUICK = ("starnet_s050",)
HUGE = ("focalnet_h_fl3", "mambaout_base_short_rw", "slak_t")  # at their width; what differs in them is small


def shallow(preset: str) -> Architecture:
    """The preset with two blocks a stage at most, and the huge ones with an eighth of the width."""
    data = load_architecture(preset).to_dict()
    for stage in data["stages"]:
        stage["depth"] = min(stage["depth"], 2)
        if preset in HUGE:
            stage["width"] //= 8
    return Architecture.from_dict(data)


def marked(presets: tuple[str, ...]) -> list[object]:
    return [pytest.param(one, marks=[pytest.mark.slow] * (one not in QUICK)) for one in presets]


def shaken(network: nn.Module) -> nn.Module:
    """Norms, scales and biases away from their start."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in (*network.named_parameters(), *network.named_buffers()):
            if tensor.is_floating_point() and tensor.ndim < 2:
                low = 0.5 if "var" in name else -0.5
                tensor.copy_(low + torch.rand(tensor.shape, generator=generator))
            elif tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=generator) / tensor[0].numel() ** 0.5)
    return network


@pytest.mark.parametrize("preset", marked(SMALLEST))
def test_the_closed_form_is_what_fvcore_counts(preset: str) -> None:
    assert crosscheck(shallow(preset), Task(resolution=70, classes=7)).agrees


@pytest.mark.slow
@pytest.mark.parametrize("preset", marked(("repvit_m0_9", "repvit_m1")))
def test_a_merged_network_costs_and_computes_what_it_should(preset: str) -> None:
    architecture = shallow(preset)
    assert crosscheck(architecture, Task(resolution=70, classes=7), merged=True).agrees
    network = shaken(build(architecture, classes=10)).double().eval()
    merged = fuse(network)
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        expected, found = network(x), merged(x)
    assert ((found - expected).abs().max() / expected.abs().max()).item() <= 1e-12
    assert not any(isinstance(one, nn.BatchNorm2d) for one in merged.modules())


def test_a_cross_of_rectangles_is_not_merged() -> None:
    network = build(shallow("slak_t"), classes=10)
    assert [name for name, _ in fuse(network).named_parameters()] == [name for name, _ in network.named_parameters()]


@pytest.mark.parametrize("preset", marked(SMALLEST))
def test_it_trains_under_bf16_autocast(preset: str) -> None:
    network = build(shallow(preset), classes=10).train()
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(x)
    logits.float().square().sum().backward()
    assert logits.shape == (2, 10)
    assert all(one.grad is not None and one.grad.isfinite().all() for one in network.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("preset", SMALLEST)
def test_it_can_be_exported_for_any_size(preset: str) -> None:
    assert_exports(shaken(build(shallow(preset), classes=10)).eval())
