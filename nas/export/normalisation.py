"""What a released network's images are normalised with: part of its weights as much as of its training.

Wrong constants do not fail, they cost accuracy: a contrast 2.2 times too strong took 20 to 36 points from a stand-in.
"""

from __future__ import annotations

from typing import NamedTuple


class Normalisation(NamedTuple):
    """Per channel of pixel values in [0, 1]: the mean that is subtracted and the deviation that is divided by."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Of ImageNet's training images; what most releases were trained with."""
HALF = Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""Pixel values in [-1, 1], as TensorFlow's models take them, and RepLKNet-XL (its README, on MegData73M)."""
CLIP = Normalisation((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
"""Of CLIP's image towers."""

_OTHERS = {
    HALF: (
        "replknet_xl",
        # timm's `default_cfgs`: weights from TensorFlow, and two small families of its own.
        *(f"efficientnetv2_{size}" for size in ("b3", "s", "m", "l", "xl")),
        "convnext_zepto_rms",
        "convnext_zepto_rms_ols",
        "mobilenetv4_conv_s_035",
        "mobilenetv4_conv_s_050",
    ),
    CLIP: ("convnext_large_mlp", "convnext_xxlarge"),
}
_BY_PRESET = {preset: normalisation for normalisation, presets in _OTHERS.items() for preset in presets}


def released_normalisation(preset: str) -> Normalisation:
    """What the published weights of a preset expect; ImageNet's where nothing else is known of it."""
    return _BY_PRESET.get(preset.removesuffix(".yaml"), IMAGENET)
