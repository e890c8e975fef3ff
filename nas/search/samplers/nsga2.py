"""Optuna's NSGA-II."""

from __future__ import annotations

from optuna.samplers import NSGAIISampler

from nas.search.samplers.base import SamplerFor, Setting, register

_POPULATION = 20


@register("nsga2")
def nsga2(setting: Setting) -> SamplerFor:
    """NSGA-II (Deb et al., IEEE Transactions on Evolutionary Computation 6(2), 2002), population 20."""
    return lambda number: NSGAIISampler(population_size=_POPULATION, seed=setting.seed_of(number) % 2**32)
