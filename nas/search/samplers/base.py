"""What a sampler is, and the form that samplers of our own have in Optuna."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from nas.registry import Registry
from nas.search.domain import Domain
from nas.search.history import History
from nas.search.objectives import Objectives
from nas.space.dimension import Dimension, Range, Value
from nas.space.feasible import Row


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Everything that a sampler may depend on besides the number of the trial.

    Attributes:
        domain: where candidates come from.
        objectives: what makes one better than another.
        history: what was asked and told so far; it grows as the search goes on.
        seed: of the study.
    """

    domain: Domain
    objectives: Objectives
    history: History
    seed: int

    @cached_property
    def distributions(self) -> dict[str, BaseDistribution]:
        """Optuna's form of every decision."""
        return {name: distribution(one) for name, one in self.domain.dimensions.items()}

    def seed_of(self, *what: object) -> int:
        """A seed of 64 bits that follows from the study's and from `what` it is for."""
        digest = hashlib.sha256(":".join(map(str, (self.seed, *what))).encode()).digest()
        return int.from_bytes(digest[:8], "big")

    def generator(self, *what: object) -> np.random.Generator:
        """A generator that follows from the study's seed and from `what` it is for."""
        return np.random.default_rng(self.seed_of(*what))


SamplerFor = Callable[[int], BaseSampler]
"""The sampler for one trial, by its number."""

MakeSampler = Callable[[Setting], SamplerFor]
"""A registered sampler. What it keeps from ask to ask may save time only, never change an answer."""


class Registered(NamedTuple):
    """A sampler as the registry knows it.

    Attributes:
        make: how it is made for a study.
        window: how many answers of Optuna's finished trials it looks back on, besides the front; None for all of them.
            0 for one that chooses among whole candidates by the study's history: Optuna's trials are not kept for it.
    """

    make: MakeSampler
    window: int | None = None


samplers: Registry[Registered] = Registry("sampler")


def register(name: str, *, window: int | None = None) -> Callable[[MakeSampler], MakeSampler]:
    """Decorator that registers a sampler; see `Registered`."""

    def put(make: MakeSampler) -> MakeSampler:
        samplers.register(name, module=make.__module__)(Registered(make, window))
        return make

    return put


Choose = Callable[[np.random.Generator], Row]
"""Names a candidate within budget; all its randomness comes from the generator."""


class WholeSampler(BaseSampler):
    """Optuna's form of a choice among whole candidates."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Every decision there is."""
        return self._setting.distributions

    @abstractmethod
    def choices(self) -> Mapping[str, Value]:
        """The choices of one candidate."""

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The choices of one candidate."""
        return dict(self.choices())

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Never called: a candidate answers all questions of its own walk."""
        raise LookupError(f"trial {trial.number} has no answer for {param_name!r}")


class RowSampler(WholeSampler):
    """Asks a function for a candidate within budget."""

    def __init__(self, setting: Setting, number: int, choose: Choose) -> None:
        """For the ask of trial `number`."""
        super().__init__(setting)
        self._number = number
        self._choose = choose

    def choices(self) -> Mapping[str, Value]:
        """The choices of the function's candidate."""
        row = self._choose(self._setting.generator(self._number))
        return self._setting.domain.feasible.decode(row)


class GivenSampler(WholeSampler):
    """Asks nobody: the candidate is known."""

    def __init__(self, setting: Setting, choices: Mapping[str, Value]) -> None:
        """The candidate with these choices."""
        super().__init__(setting)
        self._given = choices

    def choices(self) -> Mapping[str, Value]:
        """Its choices."""
        return self._given


def distribution(dimension: Dimension) -> BaseDistribution:
    """Optuna's form of a dimension."""
    if isinstance(dimension, Range):
        return IntDistribution(dimension.low, dimension.values[-1], step=dimension.step)
    return CategoricalDistribution(dimension.options)
