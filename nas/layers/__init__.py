"""The parts architectures are made of, one file each: reference, spec, closed-form cost and module together.

Importing this package registers every part under its YAML name.
"""

from nas.layers.base import (
    FAMILIES,
    Activation,
    Block,
    Downsample,
    Family,
    FeedForward,
    Gate,
    Head,
    Layer,
    Mixer,
    Norm,
    Site,
    Spec,
    Stem,
    Step,
    activations,
    blocks,
    canonical_value,
    downsamples,
    family_of,
    ffns,
    gates,
    heads,
    layers,
    mixers,
    norms,
    stems,
    steps,
)
from nas.layers.batchnorm import BatchNorm
from nas.layers.bottleneck import Bottleneck
from nas.layers.branches import Parallel, Split
from nas.layers.chain import Chain, FeedForwardChain
from nas.layers.conv import Conv
from nas.layers.conv_block import ConvBlock
from nas.layers.decompose import Decompose
from nas.layers.dense import Dense
from nas.layers.dense_block import DenseBlock
from nas.layers.depthwise import Depthwise
from nas.layers.depthwise_mlp import DepthwiseMLP
from nas.layers.dilated import Dilated
from nas.layers.downsampling import ConvDownsample, InBlock
from nas.layers.drop_path import DropPath, drop_path_rates
from nas.layers.effective_se import EffectiveSE
from nas.layers.elementwise import GELU, Hardswish, ReLU, ReLU6, SiLU, SquaredReLU, StarReLU
from nas.layers.ensemble_head import PoolEnsemble
from nas.layers.expand_pool_linear import ExpandPoolLinear
from nas.layers.focal import Focal
from nas.layers.four_conv import FourConv
from nas.layers.fusable import Fusable
from nas.layers.grn import GRN
from nas.layers.grouped import Grouped
from nas.layers.groupnorm import GroupNorm
from nas.layers.inception import Inception
from nas.layers.large_kernel import LargeKernel
from nas.layers.layer_scale import LayerScale
from nas.layers.layered import LayeredDownsample, LayeredHead, LayeredStem
from nas.layers.layernorm import LayerNorm
from nas.layers.lka import LKA
from nas.layers.metaformer import Metaformer
from nas.layers.mixer_first import MixerFirst
from nas.layers.mlp import MLP
from nas.layers.modulation import Modulation
from nas.layers.norm_pool_linear import NormPoolLinear
from nas.layers.overlapping import Overlapping
from nas.layers.patchify import Patchify
from nas.layers.pool import Pool, Pooling
from nas.layers.pool_norm_linear import PoolNormLinear
from nas.layers.pooled_stem import PooledStem
from nas.layers.projected import Projected
from nas.layers.recursive_gate import RecursiveGate
from nas.layers.rmsnorm import RMSNorm
from nas.layers.simplenorm import SimpleNorm
from nas.layers.squeeze_excite import SqueezeExcite
from nas.layers.three_conv import ThreeConv
from nas.layers.transition import Transition
from nas.layers.two_conv import TwoConv

__all__ = [
    "FAMILIES",
    "Activation",
    "Block",
    "Downsample",
    "DropPath",
    "Family",
    "FeedForward",
    "Fusable",
    "Gate",
    "Head",
    "Layer",
    "LayerScale",
    "Mixer",
    "Norm",
    "Site",
    "Spec",
    "Stem",
    "Step",
    "activations",
    "blocks",
    "canonical_value",
    "downsamples",
    "drop_path_rates",
    "family_of",
    "ffns",
    "gates",
    "heads",
    "layers",
    "mixers",
    "norms",
    "stems",
    "steps",
]
