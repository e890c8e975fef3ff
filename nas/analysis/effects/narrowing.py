"""Which values of a space the evidence speaks against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nas.analysis.effects.factors import Level, family_of
from nas.analysis.effects.model import Model
from nas.analysis.effects.table import FEWEST_OF_A_VALUE, Difference, differences
from nas.records import Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One place of a space file: the decisions that it asks, which can only lose a value together.

    Attributes:
        decisions: their names.
        is_range: whether it is a range of numbers, which stays one.
    """

    decisions: tuple[str, ...]
    is_range: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A value that is worse than another one of its decision, beyond doubt.

    Attributes:
        level: the value, or neighbouring ones.
        evidence: the surest of what speaks against it; its effect is that of the better value less this one's.
    """

    level: Level
    evidence: Difference

    @property
    def values(self) -> tuple[Plain, ...]:
        """What is lost."""
        return self.level.values


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What one place of a space file loses.

    Attributes:
        question: the place.
        losses: at least one, and never all values.
    """

    question: Question
    losses: tuple[Loss, ...]


def cuts(model: Model, questions: Sequence[Question]) -> list[Cut]:
    """The values that are worse than another value of the same decision at equal cost.

    A value goes only where the interval of its difference from a better one, which holds together with those of all
    other differences, excludes 0. Where one place asks for several stages, it is the difference in all stages at once
    that counts, and the value must not be the best one in any of them. A range loses values at its ends only.

    Args:
        model: of the study.
        questions: the places of the space file.
    """
    found = differences(model)
    best = {one.name: _best(model, one.name) for one in model.factors}
    losing: list[Cut] = []
    for question in questions:
        name = _name(question)
        levels, lost = _levels(found, name), {}
        for level in levels:
            against = [
                _turned(one, level) for one in found if one.decision == name and level in (one.value, one.against)
            ]
            sure = [one for one in against if (one.low or 0.0) > 0 and one.candidates >= FEWEST_OF_A_VALUE]
            if sure and all(best.get(decision) != level for decision in question.decisions):
                lost[level.label] = Loss(level=level, evidence=max(sure, key=lambda one: one.low or 0.0))
        if question.is_range:
            lost = _at_the_ends(levels, lost)
        if lost:
            losing.append(Cut(question=question, losses=tuple(lost.values())))
    return losing


def _name(question: Question) -> str:
    """What differences are called that are about all of a question."""
    if len(question.decisions) == 1:
        return question.decisions[0]
    return family_of(question.decisions[0]) or question.decisions[0]


def _levels(found: Sequence[Difference], name: str) -> list[Level]:
    """In order: the first one is compared with all after it."""
    return list(dict.fromkeys(level for one in found if one.decision == name for level in (one.value, one.against)))


def _turned(one: Difference, worse: Level) -> Difference:
    """The same difference with the value that may go on the losing side."""
    if one.against == worse:
        return one
    effect, low, high = (None if number is None else -number for number in (one.effect, one.high, one.low))
    return Difference(
        decision=one.decision,
        value=one.against,
        against=one.value,
        candidates=one.candidates,
        effect=effect,
        low=low,
        high=high,
    )


def _best(model: Model, name: str) -> Level | None:
    """The value of the greatest effect; None where the data do not tell."""
    if model.fit is None:
        return None
    factor = next(one for one in model.factors if one.name == name)
    return factor.levels[int((model.rows_of(factor) @ model.fit.weights).argmax())]


def _at_the_ends(levels: Sequence[Level], lost: dict[str, Loss]) -> dict[str, Loss]:
    kept = [place for place, level in enumerate(levels) if level.label not in lost]
    ends = [level for place, level in enumerate(levels) if place < kept[0] or place > kept[-1]]
    return {level.label: lost[level.label] for level in ends}
