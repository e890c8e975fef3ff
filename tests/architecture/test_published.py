"""The published networks, and the steps between them, against numbers that are not ours.

Exact integers: counted on the official code (facebookresearch/ConvNeXt, DingXiaoH/RepLKNet-pytorch, HVision-NKU/
Conv2Former, Visual-Attention-Network/VAN-Classification, AILab-CVC/UniRepLKNet) and timm 1.0.31 (ResNet, ResNeXt),
torch 2.13, convolutions and linear layers, batch size 1; the roadmap's on the authors' code of each step. Roundings:
the tables of the papers and their repositories.
"""

from dataclasses import replace

import pytest

from nas.architecture import Architecture, estimate, skeleton
from nas.schema.packaged import preset_names
from nas.space import load_architecture
from nas.task import Task

EXACT = [  # preset, resolution, form, params, flops
    ("convnext_tiny", 224, "deployed", 28_589_128, 4_455_531_264),
    ("convnext_tiny", 384, "deployed", 28_589_128, 13_092_317_184),
    ("convnext_base", 224, "deployed", 88_591_464, 15_354_729_472),
    ("convnext_base", 384, "deployed", 88_591_464, 45_122_117_632),
    ("convnext_isotropic_small", 224, "deployed", 22_308_712, 4_286_367_744),
    ("replknet_3", 224, "trained", 72_038_760, 12_966_652_928),
    ("replknet_3", 224, "deployed", 71_894_376, 12_938_654_720),
    ("replknet_31b", 224, "trained", 79_864_168, 15_431_298_048),
    ("replknet_31b", 224, "deployed", 79_527_272, 15_353_525_248),
    ("replknet_31b", 384, "trained", 79_864_168, 45_347_135_488),
    ("replknet_31b", 384, "deployed", 79_527_272, 45_118_578_688),
    ("conv2former_t", 224, "deployed", 26_697_204, 4_360_505_024),
    ("conv2former_s", 224, "deployed", 50_032_692, 8_708_384_000),
    ("van_b1", 224, "deployed", 13_861_800, 2_495_262_720),
    ("resnet50", 224, "deployed", 25_557_032, 4_089_184_256),
    ("resnext50_32x4d", 224, "deployed", 25_028_904, 4_230_479_872),
    ("unireplknet_a", 224, "trained", 4_649_060, 674_684_480),
]
STEPS = [  # of ResNet-50 to ConvNeXt-T: step, params, flops
    ("resnet", 25_557_032, 4_089_184_256),
    ("stage_ratio", 28_628_520, 4_525_916_160),
    ("patchify_stem", 28_622_120, 4_417_536_000),
    ("depthwise", 15_722_600, 2_349_507_072),
    ("increase_width", 33_760_936, 5_267_976_960),
    ("inverting_dims", 25_851_400, 4_644_406_272),
    ("move_up_dwconv", 25_625_416, 4_065_080_448),
    ("kernel_5", 25_720_648, 4_097_293_440),
    ("kernel_7", 25_863_496, 4_145_612_928),
    ("kernel_9", 26_053_960, 4_210_038_912),
    ("kernel_11", 26_292_040, 4_290_571_392),
    ("gelu", 25_863_496, 4_145_612_928),
    ("fewer_acts", 25_863_496, 4_145_612_928),
    ("fewer_norms", 25_797_256, 4_145_612_928),
    ("bn_to_ln", 25_836_328, 4_145_612_928),
    ("separate_downsample", 28_582_504, 4_455_531_264),
]
STEPS_200 = [  # of ResNet-200 to ConvNeXt-B: step, GFLOPs in the paper
    ("resnet", 15.01),
    ("stage_ratio", 14.52),
    ("patchify_stem", 14.38),
    ("depthwise", 7.23),
    ("increase_width", 16.76),
    ("inverting_dims", 15.68),
    ("move_up_dwconv", 14.63),
    ("kernel_5", 14.7),
    ("kernel_7", 14.81),
    ("kernel_9", 14.95),
    ("kernel_11", 15.13),
    ("gelu", 14.81),
    ("fewer_acts", 14.81),
    ("fewer_norms", 14.81),
    ("bn_to_ln", 14.81),
    ("separate_downsample", 15.35),
]
PUBLISHED = [  # preset, resolution, millions of parameters, GFLOPs
    ("convnext_tiny", 224, 29, 4.5),
    ("convnext_small", 224, 50, 8.7),
    ("convnext_base", 224, 89, 15.4),
    ("convnext_large", 224, 198, 34.4),
    ("convnext_xlarge", 224, 350, 60.9),
    ("convnext_isotropic_small", 224, 22, 4.3),
    ("convnext_isotropic_base", 224, 87, 16.9),
    ("convnext_isotropic_large", 224, 306, 59.7),
    ("replknet_3", 224, 71.8, 12.9),
    ("replknet_7", 224, 72.2, 13.1),
    ("replknet_13", 224, 73.7, 13.4),
    ("replknet_25", 224, 78.2, 14.8),
    ("replknet_31b", 224, 79, 15.3),
    ("replknet_31l", 384, 172, 96.0),
    ("replknet_xl", 320, 335, 128.7),
    ("conv2former_n", 224, 15, 2.2),
    ("conv2former_t", 224, 27, 4.4),
    ("conv2former_s", 224, 50, 8.7),
    ("conv2former_b", 224, 90, 15.9),
    ("conv2former_l", 224, 199, 36.0),
    ("van_b0", 224, 4.1, 0.9),
    ("van_b1", 224, 13.9, 2.5),
    ("van_b2", 224, 26.6, 5.0),
    ("van_b3", 224, 44.8, 9.0),
    ("van_b4", 224, 60.3, 12.2),
    ("van_b5", 224, 90.0, 17.2),
    ("van_b6", 224, 200, 38.4),
    ("resnet50", 224, 25.6, 4.09),
    ("resnet101", 224, 44.5, 7.8),
    ("resnet152", 224, 60.2, 11.51),
    ("resnet200", 224, 64.7, 15.01),
    ("resnext50_32x4d", 224, 25.0, 4.23),
    ("resnext101_32x4d", 224, 44.2, 7.97),
    ("resnext101_32x8d", 224, 88.8, 16.41),
    ("resnext101_64x4d", 224, 83.5, 15.46),
]
COARSE = {"conv2former_n", "van_b6"}  # published 2.2 and 38.4 G; their own definitions count 2.33 and 38.7


@pytest.mark.parametrize(("preset", "resolution", "form", "params", "flops"), EXACT)
def test_exact_integers(preset: str, resolution: int, form: str, params: int, flops: int) -> None:
    cost = estimate(load_architecture(preset), Task(resolution=resolution))
    found = (cost.params, cost.flops) if form == "deployed" else (cost.train_params, cost.train_flops)
    assert found == (params, flops)


@pytest.mark.parametrize(("step", "params", "flops"), STEPS)
def test_exact_integers_of_the_roadmap(step: str, params: int, flops: int) -> None:
    cost = estimate(load_architecture(f"r50_to_convnext_t/{step}"), Task())
    assert (cost.params, cost.flops) == (params, flops)
    assert (cost.train_params, cost.train_flops) == (params, flops)


@pytest.mark.parametrize(("step", "gflops"), STEPS_200)
def test_the_roadmap_of_the_large_regime_is_the_papers(step: str, gflops: float) -> None:
    cost = estimate(load_architecture(f"r200_to_convnext_b/{step}"), Task())
    assert round(cost.flops / 1e9, 2) == gflops


@pytest.mark.parametrize(("preset", "resolution", "millions", "gflops"), PUBLISHED)
def test_published_roundings(preset: str, resolution: int, millions: float, gflops: float) -> None:
    cost = estimate(load_architecture(preset), Task(resolution=resolution))
    assert cost.params / 1e6 == pytest.approx(millions, rel=0.02)
    assert cost.flops / 1e9 == pytest.approx(gflops, rel=0.07 if preset in COARSE else 0.02, abs=0.05)


@pytest.mark.parametrize(
    ("kernel", "params", "flops"),
    [
        (5, 26_137_332, 4_189_806_272),
        (7, 26_277_300, 4_232_480_960),
        (9, 26_463_924, 4_289_380_544),
        (15, 27_303_732, 4_545_428_672),
        (21, 28_563_444, 4_929_500_864),
    ],
)
def test_conv2former_t_with_other_kernels(kernel: int, params: int, flops: int) -> None:
    data = load_architecture("conv2former_t").to_dict()
    for stage in data["stages"]:
        stage["block"]["mixer"] = {"kind": "modulation", "kernel": kernel}
    cost = estimate(Architecture.from_dict(data), Task())
    assert (cost.params, cost.flops) == (params, flops)


def test_replknet_without_small_kernels() -> None:
    data = load_architecture("replknet_3").to_dict()
    for stage in data["stages"]:
        stage["block"]["mixer"]["mixer"]["small"] = None
    cost = estimate(Architecture.from_dict(data), Task())
    assert (cost.train_params, cost.train_flops) == (71_906_408, 12_938_654_720)
    assert cost.params == 71_894_376


def test_what_the_official_deployed_unireplknet_folds_further() -> None:
    """`deploy=True` there also folds every norm, layer scale and GRN shift of a block into its neighbours.

    Same FLOPs as our merged form; its 4,437,300 parameters are 8 a channel and block fewer (norm after the mixer 2,
    norm after the last pointwise 2 less the bias it becomes, layer scale 1, GRN's shift on 4 channels a channel), 7
    where the mixer is a plain 3x3, which gains a bias.
    """
    architecture = load_architecture("unireplknet_a")
    folded = sum(
        stage.depth * stage.width * (7 if index == 0 else 8) for index, stage in enumerate(architecture.stages)
    )
    cost = estimate(architecture, Task())
    assert (cost.params - folded, cost.flops) == (4_437_300, 639_843_520)


def test_every_published_network_and_step_is_there() -> None:
    names = preset_names()
    assert len([name for name in names if "/" not in name]) == 184
    assert len([name for name in names if "/" in name]) == 32


PRESETS = [pytest.param(name, marks=[pytest.mark.slow] * bool(place % 27)) for place, name in enumerate(preset_names())]


@pytest.mark.parametrize("preset", PRESETS)
def test_the_built_network_has_the_parameters_of_the_closed_form(preset: str) -> None:
    architecture = load_architecture(preset)
    network = skeleton(architecture)
    assert sum(one.numel() for one in network.parameters()) == estimate(architecture, Task()).train_params


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_reads_back_from_its_canonical_form(preset: str) -> None:
    architecture = load_architecture(preset)
    again = Architecture.from_dict(architecture.to_dict())
    assert again == architecture
    assert again.id == architecture.id


@pytest.mark.slow
def test_equal_structure_has_an_equal_id_and_different_structure_does_not() -> None:
    by_id: dict[str, list[str]] = {}
    for preset in preset_names():
        # Steps of a road are trained with the drop path of its end; ResNet's authors knew none.
        by_id.setdefault(replace(load_architecture(preset), drop_path=0.0).id, []).append(preset)
    assert [names for names in by_id.values() if len(names) > 1] == [
        ["r200_to_convnext_b/resnet", "resnet200"],
        ["r50_to_convnext_t/resnet", "resnet50"],
    ]
