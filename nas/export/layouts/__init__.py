"""The layouts of published checkpoints, by the presets they belong to."""

from __future__ import annotations

from collections.abc import Mapping

from nas.export.layouts.bottlenecks import EFFICIENTNET, RDNET, REGNET, RESNET, mobilenet_v4
from nas.export.layouts.convnext import (
    CONVNEXT,
    INCEPTION_NEXT,
    ISOTROPIC,
    SLAK,
    TIMM,
    TIMM_HIDDEN,
    TIMM_NORM_FIRST,
    UNIREPLKNET,
)
from nas.export.layouts.layout import Layout
from nas.export.layouts.metaformers import (
    CONVFORMER,
    FASTERNET,
    HORNET,
    MAMBAOUT,
    MAMBAOUT_RW,
    MOGANET,
    POOLFORMER,
    REPLKNET,
    REPLKNET_MERGED,
    STARNET,
    VAN,
    conv2former,
    focalnet,
    repvit,
)

__all__ = ["LAYOUTS", "Layout", "layouts_of"]

LAYOUTS: Mapping[str, tuple[Layout, ...]] = {
    "conv2former": (conv2former("att"), conv2former("a")),
    "convformer": (CONVFORMER,),
    "convnext": (CONVNEXT, TIMM, TIMM_NORM_FIRST, TIMM_HIDDEN),
    "convnext_isotropic": (ISOTROPIC,),
    "convnextv2": (CONVNEXT, TIMM),
    "efficientnetv2": (EFFICIENTNET,),
    "fasternet": (FASTERNET,),
    "focalnet": (focalnet(""), focalnet("_post")),
    "hornet": (HORNET,),
    "inceptionnext": (INCEPTION_NEXT,),
    "mambaout": (MAMBAOUT, MAMBAOUT_RW),
    "mobilenetv4": (mobilenet_v4(small=False), mobilenet_v4(small=True)),
    "moganet": (MOGANET,),
    "poolformerv2": (POOLFORMER,),
    "rdnet": (RDNET,),
    "regnet": (REGNET,),
    "replknet": (REPLKNET, REPLKNET_MERGED),
    "repvit": (repvit(legacy=False), repvit(legacy=True)),
    "resnet": (RESNET,),
    "resnext": (RESNET,),
    "slak": (SLAK,),
    "starnet": (STARNET,),
    "unireplknet": (UNIREPLKNET,),
    "van": (VAN,),
}
"""The layouts that are known for presets whose name begins so."""


def layouts_of(preset: str) -> tuple[Layout, ...]:
    """The layouts of a preset's checkpoints: those of the longest beginning of its name that is known; mostly one."""
    beginning = max((one for one in LAYOUTS if preset.startswith(one)), key=len, default=None)
    return () if beginning is None else LAYOUTS[beginning]
