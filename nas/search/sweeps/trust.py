"""What `nas trust` trains: architectures of a space at every rung of a proxy, and at a reference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from nas.architecture import Architecture, estimate
from nas.cost import Budget
from nas.data import Description
from nas.errors import UserError
from nas.records import StudyKind
from nas.search.definition import require_name
from nas.search.sweeps.trainings import Sweep, Training
from nas.space import SearchSpace
from nas.task import Task
from nas.train.recipe import Recipe

PROXY, REFERENCE = "proxy", "reference"
_REFERENCE_SEEDS = 1000
"""Where the seeds of the reference begin: none of its trainings starts from the weights of a proxy's."""


@dataclass(frozen=True, kw_only=True)
class TrustPlan:
    """What is trained to judge a proxy.

    Attributes:
        name: of the study.
        space: where the architectures are from.
        budget: what bounds them.
        task: what they are priced for.
        data: reference of the data set.
        fingerprint: of the data set.
        proxy: the recipe that is judged, rung by rung.
        reference: the recipe whose end it is judged by.
        architectures: distinct ones, within budget.
        seeds: trainings of each by either recipe.
        sampled_with: seed that the architectures were drawn with.
    """

    name: str
    space: SearchSpace
    budget: Budget
    task: Task
    data: str
    fingerprint: str
    proxy: Recipe
    reference: Recipe
    architectures: tuple[Architecture, ...]
    seeds: int
    sampled_with: int

    def to_dict(self) -> dict[str, Any]:
        """What makes two runs the same study; a later one may have more architectures and more seeds."""
        return {
            "judges": "proxy",
            "drawn_from": {"name": self.space.name, "text": self.space.text, "seed": self.sampled_with},
            "budget": [str(bound) for bound in self.budget.bounds],
            "task": asdict(self.task),
            "data": self.data,
            "fingerprint": self.fingerprint,
            "recipe": self.proxy.to_dict(),
            "reference": self.reference.to_dict(),
        }

    def sweep(self, checkpoints: str | None = None) -> Sweep:
        """Every training, seed by seed: each architecture through all rungs, then all of them at the reference."""
        return Sweep(
            study=self.name,
            kind=StudyKind.TRUST,
            task=self.task,
            data=self.data,
            fingerprint=self.fingerprint,
            trainings=tuple(self._trainings()),
            checkpoints=checkpoints,
        )

    def _trainings(self) -> Iterator[Training]:
        for seed in range(self.seeds):
            for architecture in self.architectures:
                for fidelity in self.proxy.fidelities:
                    yield _training(PROXY, architecture, self.proxy, seed, fidelity.rung)
            for architecture in self.architectures:
                last = self.reference.fidelities[-1].rung
                yield _training(REFERENCE, architecture, self.reference, _REFERENCE_SEEDS + seed, last)


def default_name(space: SearchSpace, budget: Budget) -> str:
    """A study's name from what it draws from."""
    bounds = "-".join(map(str, budget.bounds)) or "unbounded"
    return re.sub(r"[^A-Za-z0-9._-]", "-", f"trust-{space.name}-{bounds}")


def plan_trust(
    space: SearchSpace,
    budget: Budget,
    *,
    name: str,
    task: Task,
    data: Description,
    proxy: Recipe,
    reference: Recipe,
    architectures: int,
    seeds: int,
    seed: int,
) -> TrustPlan:
    """Draw the architectures and check everything that can be checked before anything is paid for.

    Args:
        space: where the architectures are from.
        budget: what bounds them.
        name: of the study.
        task: what they are priced for.
        data: what they train on.
        proxy: the recipe that is judged.
        reference: the recipe it is judged by.
        architectures: how many; the first of more are the same ones.
        seeds: trainings of each by either recipe.
        seed: of the draw.

    Raises:
        BudgetError: nothing, or not enough, in the space is within budget.
        UserError: the name cannot be a folder's, both recipes are the same, or the images are too small for the space.
    """
    require_name(name)
    if proxy.id == reference.id:
        raise UserError("--recipe and --reference are the same recipe; a proxy is judged by a longer one")
    drawn = tuple(space.sample(architectures, budget, seed, task=task))
    require_fit(drawn, data, [proxy, reference])
    return TrustPlan(
        name=name,
        space=space,
        budget=budget,
        task=task,
        data=data.reference,
        fingerprint=data.fingerprint,
        proxy=proxy,
        reference=reference,
        architectures=drawn,
        seeds=seeds,
        sampled_with=seed,
    )


def _training(role: str, architecture: Architecture, recipe: Recipe, seed: int, rung: int) -> Training:
    label = {"role": role, "architecture": architecture.id, "seed": seed, "rung": rung}
    return Training(label=label, architecture=architecture, recipe=recipe, seed=seed, rung=rung)


def require_fit(architectures: tuple[Architecture, ...], data: Description, recipes: list[Recipe]) -> None:
    """The smallest images must survive the strides of the networks."""
    side = min(fidelity.resolution for recipe in recipes for fidelity in recipe.fidelities)
    try:
        for architecture in architectures:
            estimate(architecture, data.task(side))
    except UserError as error:
        raise UserError(f"a rung trains at {side}x{side}: {error}") from None
