"""The default: a model of accuracy, asked for the candidate that promises most for the front."""

from __future__ import annotations

from functools import partial

from nas.search.samplers.base import RowSampler, SamplerFor, Setting, register
from nas.search.surrogate.sampler import Surrogate


@register("surrogate", window=0)
def surrogate(setting: Setting) -> SamplerFor:
    """A Gaussian process over decisions and log costs, and the expected hypervolume improvement at known costs."""
    model = Surrogate(setting)
    return lambda number: RowSampler(setting, number, partial(model.choose, number))
