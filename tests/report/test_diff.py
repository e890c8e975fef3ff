"""Differences in the words of the grammar, along the roadmap of the paper."""

import json

import pytest

from nas.report.diff import Diff, diff, in_prose
from nas.space import load_architecture
from nas.task import Task


def between(before: str, after: str) -> Diff:
    return diff((before, after), (load_architecture(before), load_architecture(after)), Task())


def lines(found: Diff) -> list[str]:
    return [f"{one.where} {one.field}: {one.before} -> {one.after}" for one in found.differences]


STEPS = [
    ("resnet", "stage_ratio", ["stages 2-3 depth: 4, 6 -> 3, 9"]),
    ("stage_ratio", "patchify_stem", ["stem kind: pooled -> patchify", "stem norm: batchnorm -> null"]),
    ("patchify_stem", "depthwise", ["stages block.mixer: dense -> depthwise"]),
    ("move_up_dwconv", "kernel_5", ["stages block.mixer.kernel: 3 -> 5"]),
    ("kernel_7", "gelu", ["stages block.act: relu -> gelu"]),
    ("gelu", "fewer_acts", ["stages block.act_placement: everywhere -> between_pointwise"]),
    ("fewer_acts", "fewer_norms", ["stages block.norm_placement: every_conv -> before_pointwise"]),
    (
        "fewer_norms", "bn_to_ln",
        [
            "stages block.mixer.bias: false -> true", "stages block.norm: batchnorm -> layernorm",
            "stages block.bias: false -> true",
        ],
    ),
    (
        "bn_to_ln", "separate_downsample",
        ["stem norm: null -> layernorm", "stages 2-4 downsample: in_block -> conv", "head norm: null -> layernorm"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), STEPS)
def test_a_step_of_the_roadmap_is_one_decision(before: str, after: str, expected: list[str]) -> None:
    found = between(f"r50_to_convnext_t/{before}", f"r50_to_convnext_t/{after}")
    assert [line for line in lines(found) if ".share" not in line] == expected


def test_equal_architectures_have_no_differences() -> None:
    assert between("resnet50", "resnet50").differences == ()


def test_the_change_in_cost_is_part_of_the_document() -> None:
    document = between("r50_to_convnext_t/stage_ratio", "r50_to_convnext_t/patchify_stem").to_dict()
    assert document["change"] == {"params": -6_400, "flops": -108_380_160}
    assert json.loads(json.dumps(document))["before"]["params"] == 28_628_520


def test_patterns_inside_a_stage_are_shown_block_by_block() -> None:
    found = lines(between("unireplknet_t", "unireplknet_s"))
    assert "stage 3 block.mixer: (dilated, depthwise) -> (dilated, depthwise, depthwise)" in found


def test_another_number_of_stages_is_compared_as_a_whole() -> None:
    found = lines(between("convnext_small", "convnext_isotropic_small"))
    assert "stages width: 96, 192, 384, 768 -> 384" in found
    assert not any("block.norm" in line for line in found)


def test_layer_scale_is_what_is_left_to_convnext() -> None:
    found = lines(between("r50_to_convnext_t/separate_downsample", "convnext_tiny"))
    assert found == ["stages block.layer_scale: null -> 1e-06"]


def test_drop_path_alone_is_a_difference() -> None:
    assert lines(between("resnet50", "r50_to_convnext_t/resnet")) == ["drop_path : 0 -> 0.1"]


def test_layers_are_told_once_for_the_stages_that_share_them() -> None:
    found = {
        one.where: one for one in between("conv2former_t", "moganet_s").differences if one.field == "block.ffn.layers"
    }
    assert list(found) == ["stages 1-2", "stages 3-4"]
    assert [one.after.partition(" > ")[0] for one in found.values()] == ["conv(ratio=8)", "conv(ratio=4)"]


def test_fields_of_a_part_follow_it() -> None:
    fields = [one.field for one in between("convnext_tiny", "mambaout_tiny").differences if one.part == "stages"]
    assert fields.index("block.mixer.layers") == fields.index("block.mixer") + 1


def test_layers_are_told_in_the_words_of_the_yaml() -> None:
    (layers,) = (
        one for one in between("convnext_tiny", "mambaout_tiny").differences if one.field == "block.mixer.layers"
    )
    assert "shares=[0.5, null]" in layers.after
    assert "depthwise(kernel=7)" in layers.after  # which is the default: no reader has to know


def test_a_sentence_says_what_is_changed_and_what_is_kept() -> None:
    assert in_prose(between("convnext_tiny", "mambaout_tiny")) == (
        "mambaout_tiny changes the stem, widths, block, downsample, head and drop path of convnext_tiny and keeps its "
        "depths and norms after the stages; it has 7.1% fewer parameters and 0.3% more FLOPs."
    )
    assert in_prose(between("resnet50", "resnet50")) == "resnet50 is the architecture of resnet50."
    assert in_prose(between("r50_to_convnext_t/kernel_7", "r50_to_convnext_t/gelu")).endswith(
        "it has as many parameters and as many FLOPs."
    )
