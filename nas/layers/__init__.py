"""The parts architectures are made of, one file each: reference, spec, closed-form cost and module together.

Importing this package registers every part under its YAML name.
"""

from nas.layers.base import (
    FAMILIES,
    Activation,
    Block,
    Downsample,
    Family,
    Head,
    Mixer,
    Norm,
    Site,
    Spec,
    Stem,
    activations,
    blocks,
    downsamples,
    family_of,
    heads,
    mixers,
    norms,
    stems,
)
from nas.layers.batchnorm import BatchNorm
from nas.layers.depthwise import Depthwise
from nas.layers.downsampling import ConvDownsample, InBlock
from nas.layers.drop_path import DropPath, drop_path_rates
from nas.layers.elementwise import GELU, Hardswish, ReLU, SiLU
from nas.layers.layer_scale import LayerScale
from nas.layers.layernorm import LayerNorm
from nas.layers.mixer_first import MixerFirst
from nas.layers.patchify import Patchify
from nas.layers.pool_norm_linear import PoolNormLinear

__all__ = [
    "FAMILIES",
    "Activation",
    "Block",
    "Downsample",
    "DropPath",
    "Family",
    "Head",
    "LayerScale",
    "Mixer",
    "Norm",
    "Site",
    "Spec",
    "Stem",
    "activations",
    "blocks",
    "downsamples",
    "drop_path_rates",
    "family_of",
    "heads",
    "mixers",
    "norms",
    "stems",
]
