"""Populations of networks side by side: two studies, or two values of one decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from nas.analysis.distributions import FEWEST, Comparison, Curve, Population, compare
from nas.analysis.effects.factors import Factor, factors, matching
from nas.analysis.outcomes import Origin, Outcome
from nas.errors import StudyError, UserError
from nas.ledger import Ledger
from nas.records import StudyKind
from nas.registry import did_you_mean
from nas.report.analysis import Analysis
from nas.report.chart import Panel, Series

_MOST_PAIRS = 3  # of the values of a decision; of one with more values the first and the last
_SAME = ("task", "fingerprint", "recipe")
_WORDS = {"fingerprint": "data set"}


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Two populations, compared or not.

    Attributes:
        about: what they differ in: `space`, or the name of a decision.
        first, second: what they are called.
        comparison: None where there is none.
        why: there is none; empty where there is one.
    """

    about: str
    first: str
    second: str
    comparison: Comparison | None
    why: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        found = None if self.comparison is None else self.comparison.to_dict()
        return {"about": self.about, "first": self.first, "second": self.second, "comparison": found, "why": self.why}


def by_decision(analysis: Analysis, decision: str) -> list[Contest]:
    """The values of a decision against each other: networks that have one against networks that have the other.

    Args:
        analysis: of the study.
        decision: its name, that of its family (`stages.*.depth`) or the end of it (`kernel`), with `=VALUE,VALUE` for
            two values of it. Without values, every pair of them, or the first and the last of more than three.

    Raises:
        UserError: no such decision or value.
    """
    name, _, wanted = decision.partition("=")
    rows, doubt = fair(analysis.outcomes)
    found = factors([row.decisions for row in rows])
    names = [one.name for one in found]
    chosen = matching(name, names)
    if not chosen:
        raise UserError(
            f"study {analysis.study!r} has no decision {name!r} with several values; {did_you_mean(name, names)}"
        )
    return [
        _contest(one.name, *(_having(one, place, rows, analysis.cost) for place in pair), doubt=doubt)
        for one in found
        if one.name in chosen
        for pair in _pairs(one, wanted.split(",") if wanted else [])
    ]


def by_study(analyses: Sequence[Analysis], ledger: Ledger) -> list[Contest]:
    """The networks of every two studies against each other.

    Raises:
        StudyError: they were not trained alike.
    """
    _require_alike([one.study for one in analyses], ledger)
    contests = []
    for first, second in combinations(analyses, 2):
        (ours, doubt), (theirs, other) = fair(first.outcomes), fair(second.outcomes)
        contests.append(
            _contest(
                "study",
                _population(first.study, ours, first.cost),
                _population(second.study, theirs, first.cost),
                doubt=doubt or other,
            )
        )
    return contests


def fair(rows: Sequence[Outcome]) -> tuple[list[Outcome], str]:
    """The networks that speak for their space, which are those drawn at random, and why others stand in for them."""
    random = [row for row in rows if row.origin is Origin.RANDOM]
    if len(random) >= 2 * FEWEST or len(random) == len(rows):
        return random, ""
    return list(rows), (
        f"cannot tell for the space: only {len(random)} networks were drawn at random, so these are as the sampler "
        "chose them"
    )


def panels(contests: Sequence[Contest]) -> list[Panel]:
    """The distributions of errors with their bands."""
    return [
        Panel(
            title=f"{one.about}: {one.first} against {one.second}",
            x_label="error (1 - top-1)",
            y_label="share of the networks with at most this error",
            series=[_series(curve, one.comparison) for curve in (one.comparison.first, one.comparison.second)],
        )
        for one in contests
        if one.comparison is not None
    ]


def _series(curve: Curve, comparison: Comparison) -> Series:
    return Series(curve.name, comparison.errors, curve.share, curve.low, curve.high)


def _contest(about: str, first: Population, second: Population, *, doubt: str) -> Contest:
    found = compare(first, second, doubt=doubt)
    comparison, why = (None, found) if isinstance(found, str) else (found, "")
    return Contest(about=about, first=first.name, second=second.name, comparison=comparison, why=why)


def _having(factor: Factor, level: int, rows: Sequence[Outcome], cost: str) -> Population:
    """The networks with one value of a decision."""
    some = [row for row, code in zip(rows, factor.codes, strict=True) if code == level]
    return _population(factor.levels[level].label, some, cost)


def _pairs(factor: Factor, wanted: Sequence[str]) -> list[tuple[int, int]]:
    labels = [level.label for level in factor.levels]
    if not wanted:
        every = list(combinations(range(len(labels)), 2))
        return every if len(every) <= _MOST_PAIRS else [(0, len(labels) - 1)]
    if len(wanted) != 2:
        raise UserError(f"--by {factor.name} compares two values, as in {factor.name}={labels[0]},{labels[-1]}")
    for one in wanted:
        if one not in labels:
            raise UserError(f"{factor.name} has no value {one!r} here; it has {', '.join(labels)}")
    return [(labels.index(wanted[0]), labels.index(wanted[1]))]


def _population(name: str, rows: Sequence[Outcome], cost: str) -> Population:
    return Population(name, np.array([row.accuracy for row in rows]), np.array([row.cost[cost] for row in rows], float))


def _require_alike(studies: Sequence[str], ledger: Ledger) -> None:
    first = ledger.study(studies[0], StudyKind.SEARCH).definition
    for name in studies[1:]:
        other = ledger.study(name, StudyKind.SEARCH).definition
        differs = [word for word in _SAME if first.get(word) != other.get(word)]
        if differs:
            said = " and ".join(_WORDS.get(word, word) for word in differs)
            raise StudyError(
                f"{name} was trained with another {said} than {studies[0]}; their accuracies cannot be compared"
            )
