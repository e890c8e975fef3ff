"""The fronts of studies, side by side, and what may be compared among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any, NamedTuple

from nas.analysis.front import FrontRow, evaluated_rows, front_rows, searched_costs
from nas.cost import Budget
from nas.errors import UserError
from nas.ledger import Ledger
from nas.records import StudyKind, TrialRecord
from nas.task import Task

MOST = len(ascii_uppercase)
"""Studies that are shown at once: each has a letter."""


class Measure(NamedTuple):
    """What accuracies were measured by; they are compared only where all of it is equal."""

    data: str
    recipe: str
    rung: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFront:
    """The candidates of one study.

    Attributes:
        name: of the study.
        budget: that its candidates keep within.
        task: what they are priced for.
        costs: that accuracy is traded against.
        rows: every candidate with an accuracy, by FLOPs.
        best: those of them that are the front.
        measure: what the front's accuracies were measured by; None without any.
        has_recipe: whether it was trained by a recipe of ours, so that a candidate can be exported.
    """

    name: str
    budget: Budget
    task: Task
    costs: tuple[str, ...]
    rows: tuple[FrontRow, ...]
    best: tuple[FrontRow, ...]
    measure: Measure | None
    has_recipe: bool

    @classmethod
    def of(cls, name: str, definition: Mapping[str, Any], trials: Sequence[TrialRecord]) -> StudyFront:
        """The front of a study by its definition and trials."""
        budget, costs = Budget.parse(definition.get("budget", [])), searched_costs(definition)
        rows = evaluated_rows(trials, budget)
        best = front_rows(rows, costs)
        return cls(
            name=name,
            budget=budget,
            task=Task(**definition.get("task", {})),
            costs=costs,
            rows=tuple(rows),
            best=tuple(best),
            measure=_measure(trials, best),
            has_recipe="evaluate" not in definition,
        )

    @property
    def comparable(self) -> list[FrontRow]:
        """The candidates of the front's rung: accuracies of different rungs are not compared."""
        return [row for row in self.rows if row.rung == self.best[0].rung] if self.best else []


def read_front(ledger: Ledger, study: str) -> StudyFront:
    """The front of a study.

    Raises:
        StudyError: there is no such study.
        UserError: it is of a kind that has no front.
    """
    record = ledger.study(study)
    if record.kind in (StudyKind.TRUST, StudyKind.REFINE):
        of = f" {record.definition['refines']}" if record.kind is StudyKind.REFINE else ""
        raise UserError(f"{study}: this study {record.kind.purpose} and has no front; `nas {record.kind}{of}` shows it")
    return StudyFront.of(study, record.definition, ledger.trials(study))


def letters(fronts: Sequence[StudyFront]) -> dict[str, str]:
    """The letter of each study by its name.

    Raises:
        UserError: there are more studies than letters.
    """
    if len(fronts) > MOST:
        raise UserError(f"{len(fronts)} studies are too many for one plot; name at most {MOST}")
    return {one.name: letter for one, letter in zip(fronts, ascii_uppercase, strict=False)}


def differing(fronts: Sequence[StudyFront]) -> list[str]:
    """In what the studies differ so that their accuracies must not be compared, in words; empty where they may be."""
    measures = [one.measure for one in fronts if one.measure is not None]
    words = {"data": "data", "recipe": "recipe", "rung": "rung"}
    return [word for name, word in words.items() if len({getattr(one, name) for one in measures}) > 1]


def common_front(fronts: Sequence[StudyFront]) -> set[tuple[str, str]]:
    """Study and id of what is on the front of all studies together; empty where accuracies must not be compared."""
    if len(fronts) < 2 or differing(fronts):
        return set()
    shared = [cost for cost in fronts[0].costs if all(cost in one.costs for one in fronts)]
    named = [(one.name, row) for one in fronts for row in one.best]
    kept = {id(row) for row in front_rows([row for _, row in named], shared or ["flops"])}
    return {(name, row.id) for name, row in named if id(row) in kept}


def _measure(trials: Sequence[TrialRecord], best: Sequence[FrontRow]) -> Measure | None:
    keys = {trial.architecture_id: trial.evaluation.key for trial in trials if trial.evaluation is not None}
    if not best:
        return None
    key = keys[best[0].id]
    return Measure(key.fingerprint, key.recipe, best[0].rung)
