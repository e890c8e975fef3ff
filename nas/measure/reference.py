"""The reference network: the same one in every measurement, by which a drifting machine is seen."""

from __future__ import annotations

from nas.architecture import Architecture, Stage
from nas.layers.mixer_first import MixerFirst
from nas.task import Task

REFERENCE = Architecture(stages=(Stage(depth=4, width=96, blocks=(MixerFirst(),)),))
"""Four ConvNeXt blocks of 96 channels."""

REFERENCE_TASK = Task(resolution=64, classes=10)
"""Maps of 16 x 16: about a millisecond on one thread, long enough for every clock, short beside any network."""
