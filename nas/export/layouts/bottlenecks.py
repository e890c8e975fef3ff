"""Networks of bottlenecks, and the rest: ResNet, ResNeXt, RegNet, EfficientNetV2, MobileNetV4, RDNet."""

from __future__ import annotations

from nas.export.layouts.layout import BLOCK, Layout

_RES, _REG = "layer{i+1}.{j}.", "s{i+1}.b{j+1}."
RESNET = Layout(
    name="torchvision and timm",
    rules=(
        ("stem.conv.", "conv1."),
        ("stem.norm.", "bn1."),
        (BLOCK + "branch.reduce.", _RES + "conv1."),
        (BLOCK + "branch.norm_reduce.", _RES + "bn1."),
        (BLOCK + "branch.mixer.", _RES + "conv2."),
        (BLOCK + "branch.norm.", _RES + "bn2."),
        (BLOCK + "branch.expand.", _RES + "conv3."),
        (BLOCK + "branch.norm_expand.", _RES + "bn3."),
        (BLOCK + "shortcut.", _RES + "downsample."),
        ("head.linear.", "fc."),
    ),
)
REGNET = Layout(
    name="timm",
    rules=(
        ("stem.0.", "stem.conv."),
        ("stem.1.", "stem.bn."),
        (BLOCK + "branch.reduce.", _REG + "conv1.conv."),
        (BLOCK + "branch.norm_reduce.", _REG + "conv1.bn."),
        (BLOCK + "branch.mixer.", _REG + "conv2.conv."),
        (BLOCK + "branch.norm.", _REG + "conv2.bn."),
        (BLOCK + "branch.gate.squeeze.", _REG + "se.fc1."),
        (BLOCK + "branch.gate.excite.", _REG + "se.fc2."),
        (BLOCK + "branch.expand.", _REG + "conv3.conv."),
        (BLOCK + "branch.norm_expand.", _REG + "conv3.bn."),
        (BLOCK + "shortcut.0.", _REG + "downsample.conv."),
        (BLOCK + "shortcut.1.", _REG + "downsample.bn."),
        ("head.linear.", "head.fc."),
    ),
)
_MOBILE = "blocks.{i}.{j}."
_FIRST = (("stem.0.", "conv_stem."), ("stem.1.", "bn1."))
_FUSED_AND_CONV = (
    (BLOCK + "branch.conv.", _MOBILE + "conv."),
    (BLOCK + "branch.fused.", _MOBILE + "conv_exp."),
    (BLOCK + "branch.norm_fused.", _MOBILE + "bn1."),
    (BLOCK + "branch.project.", _MOBILE + "conv_pwl."),
    (BLOCK + "branch.norm_project.", _MOBILE + "bn2."),
)
EFFICIENTNET = Layout(
    name="timm",
    rules=(
        *_FIRST,
        *_FUSED_AND_CONV,
        (BLOCK + "branch.reduce.", _MOBILE + "conv_pw."),
        (BLOCK + "branch.norm_reduce.", _MOBILE + "bn1."),
        (BLOCK + "branch.mixer.", _MOBILE + "conv_dw."),
        # in the first stage a block is a convolution and has one norm
        ("stages.0.blocks.{j}.branch.norm.", "blocks.0.{j}.bn1."),
        (BLOCK + "branch.norm.", _MOBILE + "bn2."),
        (BLOCK + "branch.gate.squeeze.", _MOBILE + "se.conv_reduce."),
        (BLOCK + "branch.gate.excite.", _MOBILE + "se.conv_expand."),
        (BLOCK + "branch.expand.", _MOBILE + "conv_pwl."),
        (BLOCK + "branch.norm_expand.", _MOBILE + "bn3."),
        ("head.layers.0.", "conv_head."),
        ("head.layers.1.", "bn2."),
        ("head.linear.", "classifier."),
    ),
)


def _universal(i: str, j: str) -> tuple[tuple[str, str], ...]:
    """The blocks of one of our stages, which is stage `i` of the code, counted there from block `j`."""
    theirs = f"blocks.{i}.{j}."
    return (
        ("branch.start.", theirs + "dw_start.conv."),
        ("branch.norm_start.", theirs + "dw_start.bn."),
        ("branch.reduce.", theirs + "pw_exp.conv."),
        ("branch.norm_reduce.", theirs + "pw_exp.bn."),
        ("branch.mixer.", theirs + "dw_mid.conv."),
        ("branch.expand.", theirs + "pw_proj.conv."),
        ("branch.norm_expand.", theirs + "pw_proj.bn."),
    )


def mobilenet_v4(*, small: bool) -> Layout:
    """In the small ones the code's second stage is two of ours, because its width changes inside."""
    conv_stages = {0: "0", 1: "1", 2: "1", 5: "4"} if small else {4: "4"}
    rules: list[tuple[str, str]] = list(_FIRST)
    for ours, theirs in conv_stages.items():
        place = f"blocks.{theirs}.1." if small and ours == 2 else f"blocks.{theirs}.{{j}}."
        rules.append((f"stages.{ours}.blocks.{{j}}.branch.conv.", place + "conv."))
        rules.append((f"stages.{ours}.blocks.{{j}}.branch.norm.", place + "bn1."))
    stage = "{i-1}" if small else "{i}"
    rules += [(BLOCK + ours, theirs) for ours, theirs in _universal(stage, "{j}")]
    rules.append((BLOCK + "branch.norm.", f"blocks.{stage}.{{j}}.dw_mid.bn."))
    end = (("head.layers.1.", "conv_head."), ("head.layers.2.", "norm_head."), ("head.linear.", "classifier."))
    return Layout(name="timm", rules=(*rules, *_FUSED_AND_CONV, *end))


_DENSE = "dense_block{k}."


def _dense(ours: str, theirs: str) -> tuple[tuple[str, str], ...]:
    layer = theirs + _DENSE + "layers.layers."
    return (
        (ours + "mixer.", layer + "0."),
        (ours + "norm.", layer + "1."),
        (ours + "expand.", layer + "2."),
        (ours + "reduce.", layer + "4."),
        (ours + "gate.excite.", layer + "5.fc."),
        (ours + "scale.", theirs + _DENSE),
    )


RDNET = Layout(
    name="timm",
    rules=(
        *_dense("stages.0.blocks.0.layers.{k}.", "dense_stages.0.0."),
        *_dense("stages.{i}.blocks.0.layers.{k}.", "dense_stages.{i}.2."),
        ("stages.{i}.downsample.", "dense_stages.{i}."),
        ("head.linear.", "head.fc."),
    ),
)
