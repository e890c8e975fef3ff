"""Candidates to begin with: networks people know, and what an earlier study found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nas.analysis.running_front import RunningFront
from nas.architecture import Architecture, estimate
from nas.cost import Budget
from nas.errors import UnknownNameError, UserError
from nas.ledger import Ledger
from nas.search.objectives import Objectives
from nas.space import SearchSpace, Value
from nas.space.references import candidate_architecture, resolve_architecture, split_reference
from nas.task import Task


class WarmStart:
    """Turns references into choices of a space."""

    def __init__(
        self, space: SearchSpace, budget: Budget, task: Task, objectives: Objectives, folder: Path | None = None
    ) -> None:
        """Of points of `space` within `budget`; files are looked for in `folder` first."""
        self._space = space
        self._budget = budget
        self._task = task
        self._objectives = objectives
        self._folder = folder

    def choices(self, references: Sequence[str], ledger: Ledger | None) -> list[dict[str, Value]]:
        """The choices of all candidates that some references stand for, each once.

        Args:
            references: architectures, as commands take them, or studies of the ledger, whose fronts are taken.
            ledger: where the studies are; None where there is no ledger.

        Raises:
            UserError: a reference to nothing, a network that is no point of the space or not within budget, or a study
                with no such network on its front.
        """
        found: dict[str, dict[str, Value]] = {}
        for reference in references:
            for architecture, choices in self._of(reference, ledger):
                found.setdefault(architecture.id, choices)
        return list(found.values())

    def _of(self, reference: str, ledger: Ledger | None) -> list[tuple[Architecture, dict[str, Value]]]:
        if ledger is not None and reference in {study.name for study in ledger.studies()}:
            return self._of_study(reference, ledger)
        try:
            candidate = split_reference(reference)
            if candidate is not None and ledger is None:
                raise UserError(f"--start {reference}: there is no ledger with studies yet")
            if candidate is not None and ledger is not None:
                architecture = candidate_architecture(ledger, *candidate)
            else:
                architecture = resolve_architecture(reference, beside=self._folder)
        except UnknownNameError as error:
            raise UserError(f"--start {reference}: no study of the ledger, and {error}") from None
        return [(architecture, self._located(architecture, reference))]

    def _of_study(self, name: str, ledger: Ledger) -> list[tuple[Architecture, dict[str, Value]]]:
        """Those on the study's front that this space has, within this budget."""
        front: RunningFront[str] = RunningFront(self._objectives.maximise)
        for trial in ledger.trials(name):
            if trial.evaluation is not None and trial.evaluation.accuracy is not None:
                front.add(self._objectives.point(trial.evaluation.accuracy, trial.cost), trial.architecture_id)
        found = []
        for identity in dict.fromkeys(front.items):
            architecture = Architecture.from_dict(ledger.architecture(identity))
            try:
                found.append((architecture, self._located(architecture, identity)))
            except UserError:
                continue  # another space or budget may hold only some of a front
        if not found:
            raise UserError(
                f"--start {name}: none of the {len(front.items)} on the front of this study is a point of "
                f"{self._space.name} within {self._budget}"
            )
        return found

    def _located(self, architecture: Architecture, name: str) -> dict[str, Value]:
        choices = self._space.locate(architecture)
        if choices is None:
            raise UserError(f"--start {name}: it is no point of the space {self._space.name}")
        overrun = self._budget.closed.overrun(estimate(architecture, architecture.task_of(self._task)))
        over = [metric for metric, excess in overrun.items() if excess > 0]
        if over:
            raise UserError(f"--start {name}: its {' and '.join(over)} are not within {self._budget}")
        return choices
