"""The default sampler: a Gaussian process over decisions and costs, asked for the largest expected hypervolume."""

from __future__ import annotations

from functools import partial

from nas.search.samplers.base import RowSampler, SamplerFor, Setting, register
from nas.search.samplers.surrogate.sampler import Surrogate


@register("surrogate", window=0)
def surrogate(setting: Setting) -> SamplerFor:
    """A Gaussian process over decisions and log costs, and the expected hypervolume improvement at known costs."""
    model = Surrogate(setting)
    return lambda number: RowSampler(setting, number, partial(model.choose, number))
