"""What one run of the engine needs to know: where candidates come from, what is good, and how they are trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nas.analysis.proxy_health import Yardstick
from nas.errors import FieldError, StudyError
from nas.records import OWN, TOLD, EvaluationKey, Job, Plain
from nas.search.domain import Domain
from nas.search.halving import DEFAULT_REDUCTION
from nas.search.objectives import Objectives
from nas.space.dimension import Value
from nas.train.checkpoint import checkpoint_name, remove_checkpoint
from nas.train.recipe import Recipe

DEFAULT_CONTROL = 0.1
RANDOM = "random"
"""The sampler that is the control of all others."""

_DRAWS = 512


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """How every candidate of a study is trained.

    Attributes:
        recipe: canonical dict of the recipe, or what a training of somebody's own is told.
        recipe_id: what marks its results: a hash of it, or the mark of what was told or trained by such a function.
        data: reference of the data set; empty for a training that brings its own.
        fingerprint: of the data set and its split; likewise.
        seed: of initialisation, order and augmentation.
        rungs: how many fidelities the recipe has; every candidate reaches the first one.
        reduction: of the candidates on a rung, one in so many goes on to the next.
        checkpoints: folder or URL where trainings are put aside between rungs; None to train from the start again.
        yardstick: what accuracies are measured on; None where nobody knows.
    """

    recipe: Mapping[str, Plain]
    recipe_id: str
    data: str
    fingerprint: str
    seed: int
    rungs: int = 1
    reduction: int = DEFAULT_REDUCTION
    checkpoints: str | None = None
    yardstick: Yardstick | None = None

    @cached_property
    def trained_by(self) -> Recipe | None:
        """The recipe as such; None where accuracies are told, or of somebody's own training."""
        try:
            recipe = Recipe.from_dict(self.recipe)
        except FieldError:
            return None
        return recipe if recipe.id == self.recipe_id else None

    @property
    def last(self) -> int:
        """The highest rung."""
        return self.rungs - 1

    def key(self, architecture_id: str, rung: int) -> EvaluationKey:
        """The identity of one candidate's training up to a rung."""
        return EvaluationKey(
            architecture_id=architecture_id,
            recipe=self.recipe_id,
            fingerprint=self.fingerprint,
            seed=self.seed,
            rung=rung,
        )

    def require_alike(self, study: str, recipe: str | None) -> None:
        """Refuse to compare accuracies of unlike origin: of our trainings, of somebody's function, told ones.

        Args:
            study: which has them.
            recipe: of the evaluations that it has; None for none yet.

        Raises:
            StudyError: they are no accuracies like those to come.
        """
        if recipe is None or recipe == self.recipe_id:
            return
        made, wanted = _origin(recipe), _origin(self.recipe_id)
        if made == wanted == _TRAINED:
            return
        raise StudyError(
            f"the accuracies of study {study!r} are {made}, which does not mix with those that are {wanted}; begin "
            "another study for that"
        )

    @property
    def _has_places(self) -> bool:
        """Whether trainings are put aside: between rungs, and by a function of somebody's own whenever it likes."""
        return self.checkpoints is not None and (self.rungs > 1 or self.recipe_id.startswith(OWN))

    def forget(self, key: EvaluationKey) -> None:
        """Remove the checkpoint of a training that needs none any more; one that cannot be reached is left."""
        if self._has_places:
            with suppress(OSError):
                remove_checkpoint(self._place(key))

    def _place(self, key: EvaluationKey) -> str:
        return f"{self.checkpoints}/{checkpoint_name(key)}"

    def job(self, name: str, architecture_id: str, form: Mapping[str, Plain], rung: int, *, weights: str | None) -> Job:
        """One candidate's training up to a rung, for a worker.

        Args:
            name: unique among the jobs under way.
            architecture_id: id of the candidate.
            form: its canonical dict.
            rung: where to stop.
            weights: file for the trained weights, or None.
        """
        key = self.key(architecture_id, rung)
        return Job(
            id=name,
            key=key,
            architecture=form,
            recipe=self.recipe,
            data=self.data,
            weights=weights,
            checkpoint=self._place(key) if self._has_places else None,
        )


_TRAINED = "trained by its recipe"


def _origin(recipe: str) -> str:
    """Where accuracies under this mark are from."""
    if recipe.startswith(TOLD):
        return "told"
    return f"of its own evaluate function ({recipe})" if recipe.startswith(OWN) else _TRAINED


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A search, without how long and how wide.

    Attributes:
        domain: where candidates come from.
        objectives: what makes one better than another.
        proxy: how they are trained.
        sampler: name of the sampler.
        seed: of the sampler.
        control: share of the trials that are drawn at random whatever the sampler, in [0, 1].
        start: choices of the first trials, which no sampler is asked for.
    """

    domain: Domain
    objectives: Objectives
    proxy: Proxy
    sampler: str
    seed: int
    control: float = DEFAULT_CONTROL
    start: Sequence[Mapping[str, Value]] = ()

    def is_control(self, number: int) -> bool:
        """Whether a trial is drawn at random: evenly spread, so that any stretch of a study has its share."""
        after = number - len(self.start)
        return (
            self.sampler != RANDOM
            and after >= 0
            and math.floor((after + 1) * self.control) > math.floor(after * self.control)
        )

    def reference(self) -> dict[str, float]:
        """A cost for each objective that few candidates exceed: the largest of some drawn ones."""
        drawn = self.domain.feasible.random(_DRAWS, np.random.default_rng(self.seed))
        costs = self.domain.feasible.costs(drawn)
        return {name: float(costs[name].max()) for name in self.objectives.costs}
