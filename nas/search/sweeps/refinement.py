"""What `nas refine` trains: the best architectures of a study's front under changed recipes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from nas.analysis.front import FrontRow, evaluated_rows, front_rows
from nas.architecture import Architecture
from nas.command_line import command_line
from nas.data import Description
from nas.errors import StudyError, UserError
from nas.ledger import Ledger
from nas.records import StudyKind
from nas.search.definition import StudyDefinition
from nas.search.halving import DEFAULT_REDUCTION
from nas.search.sweeps.recipe_draws import VERSION, draw_recipe
from nas.search.sweeps.trainings import Sweep, Training
from nas.search.sweeps.trust import require_fit
from nas.task import Task
from nas.train.recipe import Recipe

DEFAULT_TOP, DEFAULT_TRIALS = 5, 16
_MOST_STOPS = 3


@dataclass(frozen=True, kw_only=True)
class Refinement:
    """Architectures, and the recipes to try on each.

    Attributes:
        refines: the study that the architectures are from.
        task: what costs are for.
        data: reference of the data set.
        fingerprint: of the data set.
        recipe: what is changed.
        architectures: distinct ones.
        trials: recipes for each, the unchanged one included.
        seed: of the draws and the trainings.
    """

    refines: str
    task: Task
    data: str
    fingerprint: str
    recipe: Recipe
    architectures: tuple[Architecture, ...]
    trials: int
    seed: int

    @property
    def name(self) -> str:
        """Name of its study in the ledger: another one for another definition."""
        digest = sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:6]
        return f"{self.refines}-refined-{digest}"

    @property
    def rungs(self) -> int:
        """Rungs of its recipes."""
        return len(self.recipe.fidelities)

    def to_dict(self) -> dict[str, Any]:
        """What makes two runs the same study; a later one may have more architectures and more trials."""
        return {
            "refines": self.refines,
            "task": asdict(self.task),
            "fingerprint": self.fingerprint,
            "recipe": self.recipe.to_dict(),
            "draws": VERSION,
            "reduction": DEFAULT_REDUCTION,
            "seed": self.seed,
        }

    def recipe_of(self, architecture: Architecture, draw: int) -> Recipe:
        """The recipe that is tried on an architecture under a number; 0 is the unchanged one."""
        return draw_recipe(self.recipe, architecture, draw, seed=self.seed)

    def sweep(self, checkpoints: str | None = None) -> Sweep:
        """Every training to its last rung, draw by draw: the unchanged recipe on all architectures comes first."""
        return Sweep(
            study=self.name,
            kind=StudyKind.REFINE,
            task=self.task,
            data=self.data,
            fingerprint=self.fingerprint,
            trainings=tuple(
                self._training(architecture, draw) for draw in range(self.trials) for architecture in self.architectures
            ),
            checkpoints=checkpoints,
        )

    def _training(self, architecture: Architecture, draw: int) -> Training:
        return Training(
            label={"architecture": architecture.id, "draw": draw},
            architecture=architecture,
            recipe=self.recipe_of(architecture, draw),
            seed=self.seed,
            rung=self.rungs - 1,
        )


def plan_refinement(
    study: str,
    definition: StudyDefinition,
    architectures: Sequence[Architecture],
    *,
    data: Description,
    recipe: Recipe,
    trials: int,
    seed: int | None,
) -> Refinement:
    """Check everything that can be checked before anything is paid for.

    Args:
        study: name of the study that the architectures are from.
        definition: of it.
        architectures: what to refine.
        data: what they train on.
        recipe: what to change.
        trials: recipes for each architecture.
        seed: of draws and trainings; None for the study's.

    Raises:
        UserError: the recipe's images are too small for the architectures.
    """
    require_fit(tuple(architectures), data, [recipe])
    return Refinement(
        refines=study,
        task=definition.task,
        data=data.reference,
        fingerprint=data.fingerprint,
        recipe=recipe,
        architectures=tuple(architectures),
        trials=trials,
        seed=definition.seed if seed is None else seed,
    )


def best_of_front(ledger: Ledger, study: str, definition: StudyDefinition, *, top: int | None) -> list[FrontRow]:
    """The most accurate architectures of a study's front, by FLOPs.

    Args:
        ledger: where the study is.
        study: its name.
        definition: of it.
        top: how many; None for `DEFAULT_TOP`, or all if there are fewer.

    Raises:
        StudyError: it has no front, or a smaller one.
    """
    rows = evaluated_rows(ledger.trials(study), definition.budget)
    front = front_rows(rows, definition.objectives.costs)
    if not front:
        going_on = command_line("search", "--resume", "--study", study, *ledger.as_option)
        raise StudyError(
            f"study {study!r} has no front: no architecture has an accuracy yet; go on with it by `{going_on}`"
        )
    if top is not None and top > len(front):
        raise StudyError(
            f"--top {top}: the front of study {study!r} has {len(front)} architectures; ask for no more, or name "
            f"others by --id (`{command_line('pareto', '--all', *ledger.as_option, arguments=[study])}` shows them)"
        )
    best = sorted(front, key=lambda row: -row.accuracy)[: top or DEFAULT_TOP]
    return sorted(best, key=lambda row: (row.flops, row.id))


def named_architectures(ledger: Ledger, study: str, prefixes: Sequence[str]) -> list[Architecture]:
    """Architectures of a study by the beginnings of their ids, each once.

    Raises:
        StudyError: none or several begin so.
    """
    found = dict.fromkeys(ledger.architecture_id(study, prefix) for prefix in prefixes)
    return [Architecture.from_dict(ledger.architecture(one)) for one in found]


def refined_recipe(recipe: Recipe, *, rungs: Sequence[int] | None) -> Recipe:
    """A recipe with places to stop early.

    Args:
        recipe: to change.
        rungs: epochs after which most trainings stop, none for an empty sequence; None for the recipe's own, or where
            it has none a third, a ninth and a 27th of its epochs.

    Raises:
        FieldError: the numbers do not grow, or are not below the recipe's.
    """
    if rungs is not None:
        return recipe.changed(rungs=list(rungs))
    if recipe.rungs:
        return recipe
    shares = (recipe.epochs // DEFAULT_REDUCTION**power for power in range(1, _MOST_STOPS + 1))
    return recipe.changed(rungs=sorted({epochs for epochs in shares if epochs}))


def require_top_or_ids(top: int | None, ids: Sequence[str]) -> None:
    """Refuse two answers to one question; raises UserError."""
    if top is not None and ids:
        raise UserError("--top and --id are two answers to one question; give one of them")
