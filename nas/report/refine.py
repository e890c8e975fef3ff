"""A refinement as rows: what the recipe gives unchanged, and what the best of those that were tried gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import yaml

from nas.architecture import Architecture, estimate
from nas.records import TrialRecord, TrialState
from nas.search.sweeps.refinement import Refinement
from nas.train.recipe import Recipe

_FINISHED = (TrialState.DONE, TrialState.REUSED)
OPTIMISTIC = (
    "The best is the luckiest as well: it was chosen by the accuracy shown here, which is therefore optimistic. Train "
    "it with several seeds before you rely on it; `nas train` ends with images that chose nothing."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefinedRow:
    """One architecture.

    Attributes:
        id: of the architecture.
        flops, params: of the deployed form.
        unchanged: validation accuracy at the last rung by the recipe as it was, in [0, 1]; None without one.
        best: the highest validation accuracy at the last rung; None without one.
        draw: number of the recipe that gave it; 0 is the unchanged one, which wins a tie.
        recipe: id of that recipe.
        changes: what it changes: by field, the value before and the value now.
        finished: recipes that were trained to the last rung, the unchanged one included.
        stopped: recipes that were stopped before, by the rung they reached; their accuracies are of that rung.
        failed: recipes whose training failed.
    """

    id: str
    flops: int
    params: int
    unchanged: float | None
    best: float | None
    draw: int
    recipe: str
    changes: dict[str, tuple[Any, Any]]
    finished: int
    stopped: dict[int, int]
    failed: int

    @property
    def gain(self) -> float | None:
        """The difference that the changes make; None where there is nothing to compare."""
        return None if self.best is None or self.unchanged is None else self.best - self.unchanged

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "gain": self.gain}


def refined_rows(plan: Refinement, trials: Sequence[TrialRecord]) -> list[RefinedRow]:
    """One row an architecture, in the plan's order.

    Args:
        plan: what was asked for.
        trials: of its study.
    """
    return [_row(plan, architecture, _of(architecture, plan, trials)) for architecture in plan.architectures]


def recipe_text(recipe: Recipe, row: RefinedRow, plan: Refinement) -> str:
    """A recipe as a file that `--recipe` reads back to the same id."""
    gain = "" if row.gain is None else f", {row.gain:+.1%} against the recipe it began with"
    accuracy = "" if row.best is None else f"validation accuracy {row.best:.1%}{gain}, "
    heading = (
        f"# The best of {plan.trials} recipes for {row.id} of {plan.refines}: {accuracy}\n"
        f"# chosen by that accuracy, which is therefore optimistic. Recipe {recipe.id}, study {plan.name}.\n"
    )
    return heading + yaml.safe_dump(recipe.to_dict(), sort_keys=False)


def _of(architecture: Architecture, plan: Refinement, trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    mine = [one for one in trials if one.architecture_id == architecture.id and one.choices["draw"] < plan.trials]
    return sorted(mine, key=lambda trial: trial.choices["draw"])


def _row(plan: Refinement, architecture: Architecture, trials: Sequence[TrialRecord]) -> RefinedRow:
    finished = {trial.choices["draw"]: trial.evaluation for trial in trials if trial.state in _FINISHED}
    accuracies = {draw: one.accuracy for draw, one in finished.items() if one is not None and one.accuracy is not None}
    best = max(accuracies, key=lambda draw: (accuracies[draw], -draw), default=0)
    recipe = plan.recipe_of(architecture, best)
    cost = estimate(architecture, plan.task)
    stopped = Counter(
        trial.evaluation.key.rung
        for trial in trials
        if trial.state is TrialState.STOPPED and trial.evaluation is not None
    )
    return RefinedRow(
        id=architecture.id,
        flops=cost.flops,
        params=cost.params,
        unchanged=accuracies.get(0),
        best=accuracies.get(best),
        draw=best,
        recipe=recipe.id,
        changes=_changes(plan.recipe, recipe),
        finished=len(finished),
        stopped=dict(sorted(stopped.items())),
        failed=sum(trial.state is TrialState.FAILED for trial in trials),
    )


def _changes(before: Recipe, now: Recipe) -> dict[str, tuple[Any, Any]]:
    old, new = before.model_dump(mode="json"), now.model_dump(mode="json")
    return {name: (old[name], new[name]) for name in old if old[name] != new[name]}
