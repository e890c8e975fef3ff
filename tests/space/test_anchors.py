"""A space written with anchors is the space written out."""

from space_texts import space_of

ANCHORED = """
x-parts:
  norm: &norm batchnorm
  mixer: &mixer {kind: depthwise, kernel: {choice: [3, 5], per: stage}}
  block: &block {kind: mixer_first, mixer: *mixer, norm: *norm, ratio: 4}
task: {resolution: 32, classes: 10}
stem: {kind: patchify, patch: 2, norm: *norm}
stages:
  depth: [1, 2]
  width: [8, 16]
  block: {choice: [*block, {<<: *block, ratio: {choice: [1, 2]}}]}
  downsample: conv
head: pool_norm_linear
"""
WRITTEN = """
task: {resolution: 32, classes: 10}
stem: {kind: patchify, patch: 2, norm: batchnorm}
stages:
  depth: [1, 2]
  width: [8, 16]
  block:
    choice:
      - {kind: mixer_first, mixer: {kind: depthwise, kernel: {choice: [3, 5], per: stage}}, norm: batchnorm, ratio: 4}
      - kind: mixer_first
        mixer: {kind: depthwise, kernel: {choice: [3, 5], per: stage}}
        norm: batchnorm
        ratio: {choice: [1, 2]}
  downsample: conv
head: pool_norm_linear
"""


def test_anchors_in_a_space() -> None:
    anchored, written = space_of(ANCHORED), space_of(WRITTEN)
    assert anchored.dimensions() == written.dimensions()
    assert anchored.sample(10) == written.sample(10)
