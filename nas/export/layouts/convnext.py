"""ConvNeXt, its isotropic form and V2: the official code and timm; and networks of the same shape."""

from __future__ import annotations

from nas.export.layouts.layout import BLOCK, Layout

_END = (("head.norm.", "norm."), ("head.linear.", "head."))
_OFFICIAL = (
    ("stem.{i}.", "downsample_layers.0.{i}."),
    ("stages.{i}.downsample.{k}.", "downsample_layers.{i}.{k}."),
)
_BRANCH = (
    (BLOCK + "branch.norm.", "stages.{i}.{j}.norm."),
    (BLOCK + "branch.expand.", "stages.{i}.{j}.pwconv1."),
    (BLOCK + "branch.norm_hidden.", "stages.{i}.{j}.grn."),
    (BLOCK + "branch.reduce.scale.", "stages.{i}.{j}."),
    (BLOCK + "branch.reduce.", "stages.{i}.{j}.pwconv2."),
)

CONVNEXT = Layout(
    name="facebookresearch/ConvNeXt",
    rules=(*_OFFICIAL, (BLOCK + "branch.mixer.", "stages.{i}.{j}.dwconv."), *_BRANCH, *_END),
)
ISOTROPIC = Layout(
    name="facebookresearch/ConvNeXt, isotropic",
    rules=(
        ("stem.0.", "stem."),
        ("stages.0.blocks.{j}.branch.mixer.", "blocks.{j}.dwconv."),
        ("stages.0.blocks.{j}.branch.norm.", "blocks.{j}.norm."),
        ("stages.0.blocks.{j}.branch.expand.", "blocks.{j}.pwconv1."),
        ("stages.0.blocks.{j}.branch.reduce.scale.", "blocks.{j}."),
        ("stages.0.blocks.{j}.branch.reduce.", "blocks.{j}.pwconv2."),
        *_END,
    ),
)
_TIMM_BRANCH = (
    (BLOCK + "branch.norm.", BLOCK + "norm."),
    (BLOCK + "branch.expand.", BLOCK + "mlp.fc1."),
    (BLOCK + "branch.norm_hidden.gamma", BLOCK + "mlp.grn.weight"),
    (BLOCK + "branch.norm_hidden.beta", BLOCK + "mlp.grn.bias"),
    (BLOCK + "branch.reduce.scale.", BLOCK),
    (BLOCK + "branch.reduce.", BLOCK + "mlp.fc2."),
)


def _timm(*head: tuple[str, str]) -> Layout:
    rules = ((BLOCK + "branch.mixer.", BLOCK + "conv_dw."), *_TIMM_BRANCH, *head, ("head.linear.", "head.fc."))
    return Layout(name="timm", rules=rules)


TIMM = _timm()
TIMM_NORM_FIRST = _timm(("head.norm.", "norm_pre."))
TIMM_HIDDEN = _timm(("head.layers.1.", "head.norm."), ("head.layers.2.", "head.pre_logits.fc."))
INCEPTION_NEXT = Layout(
    name="timm",
    rules=(
        (BLOCK + "branch.mixer.square.", BLOCK + "token_mixer.dwconv_hw."),
        (BLOCK + "branch.mixer.row.", BLOCK + "token_mixer.dwconv_w."),
        (BLOCK + "branch.mixer.column.", BLOCK + "token_mixer.dwconv_h."),
        *_TIMM_BRANCH,
        ("head.layers.1.", "head.fc1."),
        ("head.layers.3.", "head.norm."),
        ("head.linear.", "head.fc2."),
    ),
)
_UNIREP = "stages.{i}.{j}."
_DILATED = (
    (1, "k5_1"),
    (2, "k7_2"),
    (3, "k3_3"),
    (4, "k3_4"),
    (5, "k3_5"),
)  # of a 13 x 13 kernel, which all presets have
UNIREPLKNET = Layout(
    name="AILab-CVC/UniRepLKNet, as trained",
    rules=(
        ("stem.conv_1.", "downsample_layers.0.0."),
        ("stem.norm_1.", "downsample_layers.0.1."),
        ("stem.conv_2.", "downsample_layers.0.3."),
        ("stem.norm_2.", "downsample_layers.0.4."),
        _OFFICIAL[1],
        (BLOCK + "branch.mixer.branches.0.conv.", _UNIREP + "dwconv.lk_origin."),
        (BLOCK + "branch.mixer.branches.0.norm.", _UNIREP + "dwconv.origin_bn."),
        *((BLOCK + f"branch.mixer.branches.{b}.conv.", _UNIREP + f"dwconv.dil_conv_{name}.") for b, name in _DILATED),
        *((BLOCK + f"branch.mixer.branches.{b}.norm.", _UNIREP + f"dwconv.dil_bn_{name}.") for b, name in _DILATED),
        (BLOCK + "branch.mixer.", _UNIREP + "dwconv."),
        (BLOCK + "branch.norm.", _UNIREP + "norm."),
        (BLOCK + "branch.gate.squeeze.", _UNIREP + "se.down."),
        (BLOCK + "branch.gate.excite.", _UNIREP + "se.up."),
        (BLOCK + "branch.expand.", _UNIREP + "pwconv1.1."),
        (BLOCK + "branch.norm_hidden.", _UNIREP + "act.1."),
        (BLOCK + "branch.reduce.", _UNIREP + "pwconv2.0."),
        (BLOCK + "branch.norm_reduce.", _UNIREP + "pwconv2.2."),
        (BLOCK + "branch.scale.", _UNIREP),
        *_END,
    ),
)
_SLAK = "stages.{i}.{j}.large_kernel."
SLAK = Layout(
    name="VITA-Group/SLaK",
    rules=(
        *_OFFICIAL,
        (BLOCK + "branch.mixer.branches.0.0.", _SLAK + "LoRA1.conv."),
        (BLOCK + "branch.mixer.branches.0.1.", _SLAK + "LoRA1.bn."),
        (BLOCK + "branch.mixer.branches.1.0.", _SLAK + "LoRA2.conv."),
        (BLOCK + "branch.mixer.branches.1.1.", _SLAK + "LoRA2.bn."),
        (BLOCK + "branch.mixer.branches.2.0.", _SLAK + "small_conv.conv."),
        (BLOCK + "branch.mixer.branches.2.1.", _SLAK + "small_conv.bn."),
        *_BRANCH,
        *_END,
    ),
)
