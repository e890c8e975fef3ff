"""Optuna's tree-structured Parzen estimator."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from nas.search.samplers.base import SamplerFor, Setting, register

_STARTUP = 10
_WINDOW = 4_000  # answers; its time for each ask grows with them


@register("tpe", window=_WINDOW)
def tpe(setting: Setting) -> SamplerFor:
    """Over all decisions jointly, by groups where some depend on others (Optuna's MOTPE).

    Multivariate has to be set by hand in a multi-objective study, and is clearly better there.
    """
    if setting.domain.is_nested:
        return lambda number: _nested(setting.seed_of(number) % 2**32)
    space = {name: one for name, one in setting.distributions.items() if not one.single()}
    return lambda number: _Joint(space, seed=setting.seed_of(number) % 2**32)


def _nested(seed: int) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return TPESampler(multivariate=True, group=True, n_startup_trials=_STARTUP, seed=seed)


class _Joint(TPESampler):
    """Knows the decisions, which the plain one finds out anew from all trials: most of its time, made at every ask."""

    def __init__(self, space: Mapping[str, BaseDistribution], *, seed: int) -> None:
        super().__init__(multivariate=True, n_startup_trials=_STARTUP, seed=seed)
        self._known = dict(space)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """All decisions."""
        return self._known
