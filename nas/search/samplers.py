"""Samplers by name. Each is Optuna's, made anew for every ask from a seed of its own.

A sampler that is made from (study seed, trial number) and the history alone has no state to lose: a resumed study asks
what an uninterrupted one would have asked.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable

import optuna
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler

from nas.registry import Registry
from nas.space import SearchSpace

MakeSampler = Callable[[SearchSpace, int], BaseSampler]
samplers: Registry[MakeSampler] = Registry("sampler")

_STARTUP = 10
_POPULATION = 20


def sampler_for(name: str, space: SearchSpace, *, seed: int, number: int) -> BaseSampler:
    """The sampler for one ask.

    Args:
        name: a registered sampler.
        space: what it will be asked about.
        seed: of the study.
        number: of the trial.
    """
    digest = hashlib.sha256(f"{seed}:{number}".encode()).digest()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return samplers[name](space, int.from_bytes(digest[:4], "big"))


@samplers.register("tpe")
def tpe(space: SearchSpace, seed: int) -> BaseSampler:
    """Tree-structured Parzen estimator over all decisions jointly, by groups where some depend on others.

    Multivariate has to be set by hand in a multi-objective study, and is clearly better there.
    """
    nested = any(True for decision in space.decisions() for child in decision.children() for _ in child.decisions())
    return TPESampler(multivariate=True, group=nested, n_startup_trials=_STARTUP, seed=seed)


@samplers.register("random")
def random(space: SearchSpace, seed: int) -> BaseSampler:
    """Uniform answers."""
    return RandomSampler(seed=seed)


@samplers.register("nsga2")
def nsga2(space: SearchSpace, seed: int) -> BaseSampler:
    """NSGA-II, population 20."""
    return NSGAIISampler(population_size=_POPULATION, seed=seed)
