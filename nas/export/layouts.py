"""How official code names the tensors of its checkpoints: rules from our names to theirs, nothing else.

A layout is tried on every tensor name of one of our networks; the first rule that matches renames it. Reading in this
direction makes both errors exact: a name the checkpoint lacks, and a name of the checkpoint nothing asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Replacement = str | Callable[[re.Match[str]], str]


@dataclass(frozen=True)
class Layout:
    """The names of one code base.

    Attributes:
        name: what messages call it.
        rules: pairs of a pattern of our names and what stands in the checkpoint instead.
        merged: whether it holds the deployed form, with parallel branches merged.
    """

    name: str
    rules: tuple[tuple[str, Replacement], ...]
    merged: bool = False

    def official(self, key: str) -> str:
        """The name in the checkpoint of our tensor `key`; a tensor no rule knows keeps its name."""
        for pattern, replacement in self.rules:
            found = re.match(pattern, key)
            if found is not None:
                start = replacement(found) if callable(replacement) else found.expand(replacement)
                return start + key[found.end() :]
        return key


_BLOCK = r"stages\.(\d+)\.blocks\.(\d+)\."

_CONVNEXT = Layout(
    "facebookresearch/ConvNeXt",
    (
        (r"stem\.(\d)\.", r"downsample_layers.0.\1."),
        (r"stages\.(\d+)\.downsample\.(\d)\.", r"downsample_layers.\1.\2."),
        (_BLOCK + r"branch\.mixer\.", r"stages.\1.\2.dwconv."),
        (_BLOCK + r"branch\.norm\.", r"stages.\1.\2.norm."),
        (_BLOCK + r"branch\.expand\.", r"stages.\1.\2.pwconv1."),
        (_BLOCK + r"branch\.norm_hidden\.", r"stages.\1.\2.grn."),
        (_BLOCK + r"branch\.reduce\.scale\.", r"stages.\1.\2."),
        (_BLOCK + r"branch\.reduce\.", r"stages.\1.\2.pwconv2."),
        (r"head\.norm\.", "norm."),
        (r"head\.linear\.", "head."),
    ),
)
_CONVNEXT_ISOTROPIC = Layout(
    "facebookresearch/ConvNeXt, isotropic",
    (
        (r"stem\.0\.", "stem."),
        (r"stages\.0\.blocks\.(\d+)\.branch\.mixer\.", r"blocks.\1.dwconv."),
        (r"stages\.0\.blocks\.(\d+)\.branch\.norm\.", r"blocks.\1.norm."),
        (r"stages\.0\.blocks\.(\d+)\.branch\.expand\.", r"blocks.\1.pwconv1."),
        (r"stages\.0\.blocks\.(\d+)\.branch\.reduce\.scale\.", r"blocks.\1."),
        (r"stages\.0\.blocks\.(\d+)\.branch\.reduce\.", r"blocks.\1.pwconv2."),
        (r"head\.norm\.", "norm."),
        (r"head\.linear\.", "head."),
    ),
)
_CONVNEXT_TIMM = Layout(
    "timm",
    (
        (_BLOCK + r"branch\.mixer\.", r"stages.\1.blocks.\2.conv_dw."),
        (_BLOCK + r"branch\.norm\.", r"stages.\1.blocks.\2.norm."),
        (_BLOCK + r"branch\.expand\.", r"stages.\1.blocks.\2.mlp.fc1."),
        (_BLOCK + r"branch\.norm_hidden\.gamma", r"stages.\1.blocks.\2.mlp.grn.weight"),
        (_BLOCK + r"branch\.norm_hidden\.beta", r"stages.\1.blocks.\2.mlp.grn.bias"),
        (_BLOCK + r"branch\.reduce\.scale\.", r"stages.\1.blocks.\2."),
        (_BLOCK + r"branch\.reduce\.", r"stages.\1.blocks.\2.mlp.fc2."),
        (r"head\.linear\.", "head.fc."),
    ),
)


def _mix(match: re.Match[str]) -> str:
    """RepLKNet's code counts the two halves of our block as blocks of their own."""
    return f"stages.{match[1]}.blocks.{2 * int(match[2])}."


def _feed(match: re.Match[str]) -> str:
    return f"stages.{match[1]}.blocks.{2 * int(match[2]) + 1}."


def _before(match: re.Match[str]) -> str:
    """What leads to a stage is numbered by the stage before it, its convolutions from 0."""
    return f"transitions.{int(match[1]) - 1}.{int(match[3]) - 1}.{'conv' if match[2] == 'conv' else 'bn'}."


def _stem(match: re.Match[str]) -> str:
    return f"stem.{int(match[2]) - 1}.{'conv' if match[1] == 'conv' else 'bn'}."


def _inside(half: Callable[[re.Match[str]], str], name: str) -> Callable[[re.Match[str]], str]:
    return lambda match: half(match) + name


_REPLKNET_RULES: tuple[tuple[str, Replacement], ...] = (
    (r"stem\.(conv|norm)_(\d)\.", _stem),
    (r"stages\.(\d+)\.downsample\.(conv|norm)_(\d)\.", _before),
    (_BLOCK + r"mix\.norm\.", _inside(_mix, "prelkb_bn.")),
    (_BLOCK + r"mix\.mixer\.expand\.", _inside(_mix, "pw1.conv.")),
    (_BLOCK + r"mix\.mixer\.norm_expand\.", _inside(_mix, "pw1.bn.")),
    (_BLOCK + r"mix\.mixer\.mixer\.branches\.0\.conv\.", _inside(_mix, "large_kernel.lkb_origin.conv.")),
    (_BLOCK + r"mix\.mixer\.mixer\.branches\.0\.norm\.", _inside(_mix, "large_kernel.lkb_origin.bn.")),
    (_BLOCK + r"mix\.mixer\.mixer\.branches\.1\.conv\.", _inside(_mix, "large_kernel.small_conv.conv.")),
    (_BLOCK + r"mix\.mixer\.mixer\.branches\.1\.norm\.", _inside(_mix, "large_kernel.small_conv.bn.")),
    (_BLOCK + r"mix\.mixer\.mixer\.", _inside(_mix, "large_kernel.lkb_reparam.")),
    (_BLOCK + r"mix\.mixer\.reduce\.", _inside(_mix, "pw2.conv.")),
    (_BLOCK + r"mix\.mixer\.norm_reduce\.", _inside(_mix, "pw2.bn.")),
    (_BLOCK + r"feed\.norm\.", _inside(_feed, "preffn_bn.")),
    (_BLOCK + r"feed\.ffn\.expand\.", _inside(_feed, "pw1.conv.")),
    (_BLOCK + r"feed\.ffn\.norm_expand\.", _inside(_feed, "pw1.bn.")),
    (_BLOCK + r"feed\.ffn\.reduce\.", _inside(_feed, "pw2.conv.")),
    (_BLOCK + r"feed\.ffn\.norm_reduce\.", _inside(_feed, "pw2.bn.")),
    (r"head\.norm\.", "norm."),
    (r"head\.linear\.", "head."),
)
_REPLKNET = Layout("DingXiaoH/RepLKNet-pytorch, as trained", _REPLKNET_RULES)
_REPLKNET_MERGED = Layout("DingXiaoH/RepLKNet-pytorch, merged", _REPLKNET_RULES, merged=True)


def _conv2former(attend: str) -> Layout:
    """Two releases differ in what they call the weights' path."""
    return Layout(
        f"HVision-NKU/Conv2Former with '{attend}'",
        (
            (r"stem\.conv_1\.", "downsample_layers.0.0."),
            (r"stem\.norm_1\.", "downsample_layers.0.2."),
            (r"stem\.conv_2\.", "downsample_layers.0.3."),
            (r"stem\.norm_2\.", "downsample_layers.0.5."),
            (r"stem\.conv_3\.", "downsample_layers.0.6."),
            (r"stages\.(\d+)\.downsample\.(\d)\.", r"downsample_layers.\1.\2."),
            (_BLOCK + r"mix\.norm\.", r"stages.\1.\2.attn.norm."),
            (_BLOCK + r"mix\.mixer\.attend\.", rf"stages.\1.\2.attn.{attend}."),
            (_BLOCK + r"mix\.mixer\.value\.", r"stages.\1.\2.attn.v."),
            (_BLOCK + r"mix\.mixer\.project\.", r"stages.\1.\2.attn.proj."),
            (_BLOCK + r"mix\.scale\.gamma", r"stages.\1.\2.layer_scale_1"),
            (_BLOCK + r"feed\.norm\.", r"stages.\1.\2.mlp.norm."),
            (_BLOCK + r"feed\.ffn\.expand\.", r"stages.\1.\2.mlp.fc1."),
            (_BLOCK + r"feed\.ffn\.mix\.conv\.", r"stages.\1.\2.mlp.pos."),
            (_BLOCK + r"feed\.ffn\.reduce\.", r"stages.\1.\2.mlp.fc2."),
            (_BLOCK + r"feed\.scale\.gamma", r"stages.\1.\2.layer_scale_2"),
            (r"head\.expand\.", "head.0."),
            (r"head\.norm\.", "head.2."),
            (r"head\.linear\.", "pred."),
        ),
    )


def _one_up(beginning: str, end: str = "") -> Callable[[re.Match[str]], str]:
    """VAN's code numbers stages from 1 and writes the number into the name."""

    def name(match: re.Match[str]) -> str:
        block = f"{match[2]}." if match.re.groups > 1 else ""
        return f"{beginning}{int(match[1]) + 1}.{block}{end}"

    return name


_GATING = "attn.spatial_gating_unit."
_VAN = Layout(
    "Visual-Attention-Network/VAN-Classification",
    (
        (r"stem\.conv\.", "patch_embed1.proj."),
        (r"stem\.norm\.", "patch_embed1.norm."),
        (r"stages\.(\d+)\.downsample\.0\.", _one_up("patch_embed", "proj.")),
        (r"stages\.(\d+)\.downsample\.1\.", _one_up("patch_embed", "norm.")),
        (r"stages\.(\d+)\.norm\.", _one_up("norm")),
        (_BLOCK + r"mix\.norm\.", _one_up("block", "norm1.")),
        (_BLOCK + r"mix\.mixer\.inner\.expand\.", _one_up("block", "attn.proj_1.")),
        (_BLOCK + r"mix\.mixer\.inner\.mixer\.local\.", _one_up("block", _GATING + "conv0.")),
        (_BLOCK + r"mix\.mixer\.inner\.mixer\.spatial\.", _one_up("block", _GATING + "conv_spatial.")),
        (_BLOCK + r"mix\.mixer\.inner\.mixer\.channel\.", _one_up("block", _GATING + "conv1.")),
        (_BLOCK + r"mix\.mixer\.inner\.reduce\.", _one_up("block", "attn.proj_2.")),
        (_BLOCK + r"mix\.scale\.gamma", _one_up("block", "layer_scale_1")),
        (_BLOCK + r"feed\.norm\.", _one_up("block", "norm2.")),
        (_BLOCK + r"feed\.ffn\.expand\.", _one_up("block", "mlp.fc1.")),
        (_BLOCK + r"feed\.ffn\.mix\.", _one_up("block", "mlp.dwconv.dwconv.")),
        (_BLOCK + r"feed\.ffn\.reduce\.", _one_up("block", "mlp.fc2.")),
        (_BLOCK + r"feed\.scale\.gamma", _one_up("block", "layer_scale_2")),
        (r"head\.linear\.", "head."),
    ),
)

LAYOUTS: Mapping[str, tuple[Layout, ...]] = {
    "convnext": (_CONVNEXT, _CONVNEXT_TIMM),
    "convnext_isotropic": (_CONVNEXT_ISOTROPIC,),
    "convnextv2": (_CONVNEXT, _CONVNEXT_TIMM),
    "replknet": (_REPLKNET, _REPLKNET_MERGED),
    "conv2former": (_conv2former("att"), _conv2former("a")),
    "van": (_VAN,),
}
"""The layouts that are known for presets whose name begins so."""


def layouts_of(preset: str) -> tuple[Layout, ...]:
    """The layouts of a preset's checkpoints: those of the longest beginning of its name that is known; mostly one."""
    beginning = max((one for one in LAYOUTS if preset.startswith(one)), key=len, default=None)
    return () if beginning is None else LAYOUTS[beginning]
