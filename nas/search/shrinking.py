"""The space that a study's evidence supports: narrowed where a value is worse beyond doubt, and as wide elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nas.analysis.effects.model import Basis, Model, fit_effects
from nas.analysis.effects.narrowing import Cut, Loss, Question, cuts
from nas.analysis.outcomes import cost_of, outcomes_of
from nas.architecture import Architecture
from nas.errors import BudgetError, StudyError
from nas.ledger import Ledger
from nas.records import Plain, StudyKind
from nas.schema.nodes import parse_yaml
from nas.search.definition import StudyDefinition, searched_study
from nas.space import SearchSpace
from nas.space.load import read_space
from nas.space.narrow import Narrowing, narrowed, places


@dataclass(frozen=True, kw_only=True)
class Shrunk:
    """A narrower space, and why.

    Attributes:
        study: whose evidence it is.
        definition: of that study.
        space: the new one.
        text: its file.
        cuts: what every place of the file has lost; none where nothing is beyond doubt.
        kept: what is worse beyond doubt in one stage, and stays: the file asks for it once for several stages.
        model: what the evidence is from.
    """

    study: str
    definition: StudyDefinition
    space: SearchSpace
    text: str
    cuts: tuple[Cut, ...]
    kept: tuple[Cut, ...]
    model: Model

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "study": self.study,
            "basis": self.model.basis.value,
            "doubt": self.model.doubt,
            "candidates": self.model.used,
            "points": self.definition.space.size(),
            "refined_points": self.space.size(),
            "cuts": [{**_plain(cut), "dropped": _values(cut)} for cut in self.cuts],
            "kept": [{**_plain(cut), "worse": _values(cut)} for cut in self.kept],
        }


def _values(cut: Cut) -> list[Plain]:
    return [value for loss in cut.losses for value in loss.values]


def _plain(cut: Cut) -> dict[str, Any]:
    """A cut's decisions and evidence, JSON-ready."""
    return {
        "decisions": list(cut.question.decisions),
        "evidence": [
            {
                "value": loss.level.label,
                "against": loss.evidence.value.label,
                "effect": None if loss.evidence.effect is None else -loss.evidence.effect,
                "low": None if loss.evidence.high is None else -loss.evidence.high,
                "high": None if loss.evidence.low is None else -loss.evidence.low,
            }
            for loss in cut.losses
        ],
    }


def shrink(ledger: Ledger, study: str | None) -> Shrunk:
    """The space that a search's evidence supports.

    Args:
        ledger: where the study is.
        study: its name; None for the latest search.

    Raises:
        StudyError: no such search, nothing can be told of its decisions, or nothing is left within its budget.
    """
    study, definition = searched_study(ledger, study)
    stored = ledger.study(study, StudyKind.SEARCH).definition
    model = fit_effects(outcomes_of(ledger, study), cost_of(stored))
    if model.basis is Basis.NONE:
        raise StudyError(f"study {study!r} supports no narrower space: no effect can be told: {model.doubt}")
    asked = places(definition.space.root)
    marks = {place.decisions: place.mark for place in asked}
    questions = [Question(decisions=place.decisions, is_range=place.is_range) for place in asked]
    found = cuts(model, questions)
    kept = _kept(model, questions, found)
    narrowings = [
        Narrowing(
            mark=marks[cut.question.decisions],
            drop=tuple(value for loss in cut.losses for value in loss.values),
            why=tuple(_why(loss, len(cut.question.decisions), model.cost) for loss in cut.losses),
        )
        for cut in found
    ]
    name = f"{definition.space.name}-refined"
    text = narrowed(definition.space, name, narrowings, _about(study, definition, model, found))
    space = read_space(*parse_yaml(text, f"{name}.yaml"))
    _require_some(space, definition, study)
    return Shrunk(
        study=study, definition=definition, space=space, text=text, cuts=tuple(found), kept=tuple(kept), model=model
    )


def _kept(model: Model, questions: Sequence[Question], found: Sequence[Cut]) -> list[Cut]:
    """What would go if every stage had a place of its own, of places that ask for several stages and lose nothing."""
    lost = {name for cut in found for name in cut.question.decisions}
    alone = [
        Question(decisions=(name,), is_range=one.is_range)
        for one in questions
        if len(one.decisions) > 1
        for name in one.decisions
        if name not in lost
    ]
    return cuts(model, alone)


def _require_some(space: SearchSpace, definition: StudyDefinition, study: str) -> None:
    if definition.budget.measured:
        return
    try:
        space.within(definition.budget.closed, task=definition.task)
    except BudgetError as error:
        raise StudyError(f"what study {study!r} supports leaves nothing within its budget: {error}") from None


def _about(study: str, definition: StudyDefinition, model: Model, found: Sequence[Cut]) -> list[str]:
    budget = f" within {definition.budget}" if definition.budget.bounds else ""
    source = "drawn at random" if model.basis is Basis.RANDOM else f"with a random control of {model.random}"
    own = definition.evaluate
    trained = f"data {definition.fingerprint}, recipe {definition.recipe.id}" if own is None else f"by {own.function}"
    said = (
        f"Refined from {definition.space.name} by study {study}: {model.used} networks{budget}, {source}, "
        f"{trained}. A value is left out where another one of its "
        f"decision is more accurate at equal {model.cost}: 95% intervals, which hold together, in points of top-1."
    )
    return [said] if found else [said, "No value is worse beyond doubt: this is the same space."]


def _why(loss: Loss, stages: int, cost: str) -> str:
    found = loss.evidence
    assert found.effect is not None
    assert found.low is not None
    assert found.high is not None
    where = " in every stage" if stages > 1 else ""
    return (
        f"without {loss.level.label}: {-100 * found.effect:.2f} points ({-100 * found.high:.2f} to "
        f"{-100 * found.low:.2f}) against {found.value.label}{where}, at equal {cost}"
    )


def fresh_samples(shrunk: Shrunk, count: int, known: Collection[str]) -> tuple[list[Architecture], list[Architecture]]:
    """Random networks of the old space and of the new one, within the study's budget, that the study has not seen.

    Args:
        shrunk: the two spaces.
        count: networks of each.
        known: ids of the networks that the study has trained, by which the new space was made.

    Raises:
        BudgetError: there are not as many.
        StudyError: the budget is one that has to be measured.
    """
    definition = shrunk.definition
    if definition.budget.measured:
        raise StudyError(
            "fresh networks are drawn within the budget, and a latency has to be measured network by network; leave "
            "out --verify"
        )
    return _fresh(definition.space, definition, count, known), _fresh(shrunk.space, definition, count, known)


def _fresh(space: SearchSpace, definition: StudyDefinition, count: int, known: Collection[str]) -> list[Architecture]:
    within = space.within(definition.budget, task=definition.task)
    wanted = count
    while True:
        rows = within.draw(wanted, np.random.default_rng(definition.seed + 1))
        fresh = [one for one in map(within.architecture, rows) if one.id not in known]
        if len(fresh) >= count:
            return fresh[:count]
        wanted += count - len(fresh)
