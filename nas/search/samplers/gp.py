"""Optuna's Gaussian process."""

from __future__ import annotations

import warnings

import optuna
from optuna.samplers import BaseSampler, GPSampler

from nas.search.samplers.base import SamplerFor, Setting, register

_STARTUP = 10
_WINDOW = 1_500  # answers; its time for each ask grows with the cube of their number


@register("gp", window=_WINDOW)
def gp(setting: Setting) -> SamplerFor:
    """A Gaussian process for every objective, costs too, over the decisions that every candidate has."""

    def sampler(number: int) -> BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return GPSampler(
                n_startup_trials=_STARTUP, seed=setting.seed_of(number) % 2**32, warn_independent_sampling=False
            )

    return sampler
