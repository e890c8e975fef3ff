"""Effects of values, and of one value against another, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from nas.analysis.effects.factors import Factor, Level, Table, family_of
from nas.analysis.effects.model import Basis, Model
from nas.analysis.effects.regression import UNKNOWN, Contrasts, contrasts
from nas.records import Plain

CONFIDENCE = 0.95
FEWEST_OF_A_VALUE = 5
"""Candidates with a value below which nothing is said of it: robust errors of so few are too small."""
MARGIN = 0.005
"""A difference in accuracy below this is none to care about: half a point."""


class Finding(StrEnum):
    """What the evidence says of a value."""

    HELPS = "helps"
    HURTS = "hurts"
    NO_MATTER = "no matter"  # within the margin, surely
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one value of a decision does to accuracy at equal cost.

    Attributes:
        decision: its name; `stages.*.NAME` for the same value in every stage.
        value: its label; neighbouring values of a decision with many are one.
        values: what it stands for.
        candidates: that have it, among those that were used; of a family the fewest of any stage.
        effect: accuracy against the decision's average over its values, cost and other decisions equal, in [-1, 1];
            None where the data do not determine it.
        low, high: interval; all intervals of a table hold together at its confidence.
        p: adjusted p-value of no effect; below 1 - confidence exactly where the interval excludes 0.
        finding: in a word.
        why: it cannot be told, where it cannot; empty elsewhere.
    """

    decision: str
    value: str
    values: tuple[Plain, ...]
    candidates: int
    effect: float | None
    low: float | None
    high: float | None
    p: float | None
    finding: Finding
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


class Difference(NamedTuple):
    """What one value of a decision is worth against another, at equal cost; attributes as of `Effect`."""

    decision: str
    value: Level
    against: Level
    candidates: int
    effect: float | None
    low: float | None
    high: float | None


def effect_table(model: Model, *, confidence: float = CONFIDENCE) -> list[Effect]:
    """The effect of every value of every decision, then of every value in all stages at once.

    False alarms: the intervals hold together, so that with probability `confidence` no row of the table claims an
    effect that is not there.

    Args:
        model: of the study.
        confidence: of all intervals together.
    """
    names, parts, counts = _statements(model)
    if model.fit is None:
        return [_effect(model, *name, count, None, 0) for name, count in zip(names, counts, strict=True)]
    found = contrasts(model.fit, np.vstack(parts), confidence=confidence, widen=model.widen) if parts else None
    return [_effect(model, *name, counts[index], found, index) for index, name in enumerate(names)]


def differences(model: Model, *, confidence: float = CONFIDENCE) -> list[Difference]:
    """Every value against every other of its decision, families included; the intervals hold together."""
    if model.fit is None or model.basis is Basis.NONE:
        return []
    names, parts, counts = _statements(model)
    pairs = [
        (first, second)
        for first in range(len(names))
        for second in range(first + 1, len(names))
        if names[first][0] == names[second][0]
    ]
    if not pairs:
        return []
    rows = np.vstack([parts[first] - parts[second] for first, second in pairs])
    found = contrasts(model.fit, rows, confidence=confidence, widen=model.widen)
    estimates = map(found.estimate, range(len(pairs)))
    return [
        Difference(names[first][0], names[first][1], names[second][1], min(counts[first], counts[second]), *estimate)
        for (first, second), estimate in zip(pairs, estimates, strict=True)
    ]


def families(model: Model) -> dict[str, list[Factor]]:
    """Decisions that are asked in several stages with some values in common, by their family's name."""
    found: dict[str, list[Factor]] = {}
    for one in model.factors:
        family = family_of(one.name)
        if family is not None:
            found.setdefault(family, []).append(one)
    return {name: some for name, some in found.items() if len(some) > 1 and len(_common(some)) > 1}


def _common(some: Sequence[Factor]) -> list[Level]:
    return [level for level in some[0].levels if all(level in one.levels for one in some)]


def _statements(model: Model) -> tuple[list[tuple[str, Level]], list[Table], list[int]]:
    """What each row is about, what makes it out of the weights (1, p), and how many candidates speak for it."""
    names: list[tuple[str, Level]] = []
    parts: list[Table] = []
    counts: list[int] = []
    for one in model.factors:
        rows = model.rows_of(one)
        for place, level in enumerate(one.levels):
            names.append((one.name, level))
            parts.append(rows[place][None])
            counts.append(int(one.counts[place]))
    for name, some in families(model).items():
        for level in _common(some):
            places = [one.levels.index(level) for one in some]
            names.append((name, level))
            parts.append(sum((model.rows_of(one)[at] for one, at in zip(some, places, strict=True)), np.zeros(1))[None])
            counts.append(min(int(one.counts[at]) for one, at in zip(some, places, strict=True)))
    return names, parts, counts


def _effect(model: Model, name: str, level: Level, count: int, found: Contrasts | None, index: int) -> Effect:
    effect, low, high = UNKNOWN if found is None else found.estimate(index)
    why = model.doubt
    if not why and effect is None:
        why = "never seen apart from other decisions"
    if not why and count < FEWEST_OF_A_VALUE:
        why = f"only {count} have it"
    finding = Finding.CANNOT_TELL if why or low is None or high is None else _finding(low, high)
    if not why and finding is Finding.CANNOT_TELL:
        why = "the interval is too wide"
    return Effect(
        decision=name,
        value=level.label,
        values=level.values,
        candidates=count,
        effect=effect,
        low=low,
        high=high,
        p=None if found is None or effect is None else float(found.p[index]),
        finding=finding,
        why=why,
    )


def _finding(low: float, high: float) -> Finding:
    if low > 0:
        return Finding.HELPS
    if high < 0:
        return Finding.HURTS
    return Finding.NO_MATTER if max(-low, high) <= MARGIN else Finding.CANNOT_TELL
