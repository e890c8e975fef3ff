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
    """

    name: str
    rules: tuple[tuple[str, Replacement], ...]

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
        (_BLOCK + r"branch\.reduce\.", r"stages.\1.\2.pwconv2."),
        (_BLOCK + r"branch\.scale\.", r"stages.\1.\2."),
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
        (r"stages\.0\.blocks\.(\d+)\.branch\.reduce\.", r"blocks.\1.pwconv2."),
        (r"stages\.0\.blocks\.(\d+)\.branch\.scale\.", r"blocks.\1."),
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
        (_BLOCK + r"branch\.reduce\.", r"stages.\1.blocks.\2.mlp.fc2."),
        (_BLOCK + r"branch\.scale\.", r"stages.\1.blocks.\2."),
        (r"head\.linear\.", "head.fc."),
    ),
)

LAYOUTS: Mapping[str, tuple[Layout, ...]] = {
    "convnext_isotropic": (_CONVNEXT_ISOTROPIC, _CONVNEXT_TIMM),
    "convnext": (_CONVNEXT, _CONVNEXT_TIMM),
}
"""The layouts that are known for presets whose name begins so; the longest beginning comes first."""
