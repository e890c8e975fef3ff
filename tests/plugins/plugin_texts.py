"""Plug-ins as somebody else would write them; tests write them outside the tree."""

WAVE = '''
"""A plug-in of the tests."""
from dataclasses import dataclass

from torch import nn

from nas.cost import Cost, conv_cost
from nas.layers import Mixer, Site, mixers
from nas.layers.depthwise import DepthwiseConv
from nas.schema.fields import Kernel
from nas.search.samplers.base import register, samplers

__version__ = "1.2"


@mixers.register("wave")
@dataclass(frozen=True, kw_only=True)
class Wave(Mixer):
    """A depthwise convolution and a SiLU."""

    kernel: Kernel = 3

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> the same, reduced by the stride."""
        return nn.Sequential(DepthwiseConv(site.width, self.kernel, stride=site.stride), nn.SiLU())

    def cost(self, site: Site) -> Cost:
        """Of the convolution."""
        return conv_cost(site.width, site.width, self.kernel, site.size_out, groups=site.width)


@register("uniform_wave", window=0)
def uniform_wave(setting):
    """As `random`."""
    return samplers["random"].make(setting)
'''

SPACE = """
name: waves
task: {resolution: 8, classes: 10, channels: 1}
stem: {kind: patchify, patch: 2, norm: layernorm}
stages:
  depth: [1, {int: [1, 2]}]
  width: [8, {choice: [8, 16]}]
  block:
    kind: mixer_first
    mixer: {choice: [{kind: wave, kernel: {choice: [3, 5]}}, {kind: depthwise, kernel: 3}]}
    norm: layernorm
    act: gelu
    ratio: 2
  downsample: {kind: conv, kernel: 2, norm: layernorm}
head: {kind: pool_norm_linear, norm: layernorm}
"""

ONE = """
stem: {kind: patchify, patch: 2, norm: layernorm}
stages:
  depth: [1, 1]
  width: [8, 16]
  block: {kind: mixer_first, mixer: {kind: wave, kernel: 5}, norm: layernorm, act: gelu, ratio: 2}
  downsample: {kind: conv, kernel: 2, norm: layernorm}
head: {kind: pool_norm_linear, norm: layernorm}
"""

STUDY = """
name: waves
space: waves.yaml
plugins: waves_plugin.py
data: digits
recipe: {epochs: 1, data_share: 0.1, resolution: 8}
sampler: uniform_wave
trials: 2
seed: 0
workers: 1
"""
