"""Samplers by name, all behind Optuna's `BaseSampler` and made anew for every ask.

A sampler that is made from (study seed, trial number) and the history alone has no state to lose: a resumed study asks
what an uninterrupted one would have asked.
"""

from nas.search.samplers import surrogate, evolution, tpe, nsga2, gp, uniform  # isort: skip  # in the order of the help
from nas.search.samplers.base import GivenSampler, SamplerFor, Setting, WholeSampler, samplers

__all__ = ["GivenSampler", "SamplerFor", "Setting", "WholeSampler", "samplers"]
