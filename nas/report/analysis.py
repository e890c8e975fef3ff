"""A study's analysis: what its decisions are worth, as one value that JSON, tables and reports share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nas.analysis.effects.best_values import BestValues, best_values
from nas.analysis.effects.importance import Importances, importances
from nas.analysis.effects.interactions import Interactions, interactions
from nas.analysis.effects.model import Basis, Model, fit_effects
from nas.analysis.effects.table import CONFIDENCE, MARGIN, Effect, effect_table
from nas.analysis.front import searched_costs
from nas.analysis.luck import Luck, expected_shrinkage, noise_of
from nas.analysis.outcomes import Origin, Outcome, cost_of, outcomes_of, rungs_of
from nas.analysis.pareto import non_dominated
from nas.analysis.proxy_health import HealthRow
from nas.errors import StudyError
from nas.ledger import Ledger
from nas.records import StudyKind
from nas.report.proxy_health import study_health
from nas.units import plural


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """What one study has taught.

    Attributes:
        study: its name.
        rung: whose accuracies are analysed.
        rungs: of the study.
        cost: metric that is held fixed.
        outcomes: the candidates with an accuracy at that rung.
        model: what the effects are from.
        effects: of every value, then of every value in all stages at once.
        importances: of every decision; None for too few candidates.
        interactions: of the strongest pairs.
        best_values: of every decision, what the best networks have; empty for too few candidates.
        luck: of the front: what its accuracies are expected to lose.
        health: how much the proxy can tell at all.
    """

    study: str
    rung: int
    rungs: int
    cost: str
    outcomes: tuple[Outcome, ...]
    model: Model
    effects: tuple[Effect, ...]
    importances: Importances | None
    interactions: Interactions
    best_values: tuple[BestValues, ...]
    luck: Luck
    health: tuple[HealthRow, ...]

    @property
    def origins(self) -> Mapping[Origin, int]:
        """Candidates by who chose them."""
        counts = Counter(row.origin for row in self.outcomes)
        return {origin: counts[origin] for origin in Origin}

    def sentences(self) -> list[str]:
        """What the numbers rest on, for people."""
        by = self.origins
        said = [
            f"{plural(len(self.outcomes), 'candidate')}: {by[Origin.RANDOM]} drawn at random, {by[Origin.CHOSEN]} "
            f"chosen by what was seen, {by[Origin.GIVEN]} given"
        ]
        if self.rungs > 1:
            said.append(
                f"Accuracies are those of rung {self.rung} (of 0 to {self.rungs - 1})"
                + (", which every candidate reached" if self.rung == 0 else "")
            )
        said.append(_BASES[self.model.basis].format(doubt=self.model.doubt))
        return said

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "study": self.study,
            "rung": self.rung,
            "rungs": self.rungs,
            "cost": self.cost,
            "candidates": len(self.outcomes),
            "origins": {origin.value: count for origin, count in self.origins.items()},
            "basis": self.model.basis.value,
            "terms": self.model.width,
            "doubt": self.model.doubt,
            "confidence": CONFIDENCE,
            "false_alarms": round(1 - CONFIDENCE, 10),
            "margin": MARGIN,
            "effects": [one.to_dict() for one in self.effects],
            "importances": None if self.importances is None else self.importances.to_dict(),
            "interactions": self.interactions.to_dict(),
            "best_values": [one.to_dict() for one in self.best_values],
            "luck": self.luck.to_dict(),
            "proxy_health": [one.to_dict() for one in self.health],
        }


_BASES = {
    Basis.RANDOM: "Effects are of candidates drawn at random: they hold for the space within the budget",
    Basis.CHECKED: "Effects are of all candidates, by a model that the random ones among them do not contradict",
    Basis.NONE: "No effect can be told: {doubt}",
}


def analyse(ledger: Ledger, study: str, *, rung: int = 0) -> Analysis:
    """Everything that a search's accuracies say about the decisions of its space.

    Args:
        ledger: where the study is.
        study: its name.
        rung: whose accuracies to take; those of rung 0 are the only ones that every candidate has.

    Raises:
        StudyError: no such search, no such rung, or no accuracy at it yet.
    """
    definition = ledger.study(study, StudyKind.SEARCH).definition
    rungs = rungs_of(definition)
    if not 0 <= rung < rungs:
        raise StudyError(f"study {study!r} has no rung {rung}; there are 0 to {rungs - 1}")
    rows = outcomes_of(ledger, study, rung=rung)
    cost = cost_of(definition)
    model = fit_effects(rows, cost)
    return Analysis(
        study=study,
        rung=rung,
        rungs=rungs,
        cost=cost,
        outcomes=tuple(rows),
        model=model,
        effects=tuple(effect_table(model)),
        importances=importances(rows, cost),
        interactions=interactions(rows, cost),
        best_values=tuple(best_values(rows, cost)),
        luck=_luck(ledger, study, model, rows),
        health=tuple(study_health(ledger, study)),
    )


def _luck(ledger: Ledger, study: str, model: Model, rows: Sequence[Outcome]) -> Luck:
    """What the front of the rung that is analysed is expected to lose under another seed."""
    definition = ledger.study(study, StudyKind.SEARCH).definition
    key = next((trial.evaluation.key for trial in ledger.trials(study) if trial.evaluation is not None), None)
    same = [
        one
        for one in ledger.evaluations()
        if key and (one.key.recipe, one.key.fingerprint) == (key.recipe, key.fingerprint)
    ]
    points = [(row.accuracy, *(row.cost[cost] for cost in searched_costs(definition))) for row in rows]
    front = non_dominated(points, maximise=(True, *(False for _ in points[0][1:])))
    return expected_shrinkage(
        [rows[place].id for place in front], rows, model.cost, noise_of(same, rows[0].rung, model)
    )
