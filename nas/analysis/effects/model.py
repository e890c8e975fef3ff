"""The model behind effects: which candidates may speak, by what method, and whether the result is to be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from nas.analysis.effects.factors import NOT_ASKED, CostScale, Factor, Table, factors
from nas.analysis.effects.pairs import Pair, strong_pairs
from nas.analysis.effects.regression import Fit, mixed_fit, robust_fit
from nas.analysis.outcomes import Origin, Outcome
from nas.analysis.ranking import Values
from nas.records import Plain
from nas.units import plural

FEWEST_FREE = 10
"""Candidates beyond the terms of the model, at least."""
FEWEST_RANDOM = 10
"""Random candidates that a model of chosen ones is checked against, at least."""
_MOST_SHIFT = 3.0  # standard errors by which random candidates may differ from what the chosen ones say of them


class Basis(StrEnum):
    """What effects are estimated from."""

    RANDOM = "random"  # candidates drawn at random: least squares with robust errors
    CHECKED = "checked"  # all candidates, by a model that the random ones among them have confirmed
    NONE = "none"  # nothing that could be believed


@dataclass(frozen=True, eq=False)
class Model:
    """Accuracy by decisions and cost.

    Attributes:
        basis: what it rests on.
        used: candidates that it was fitted to.
        random: how many of them were drawn at random.
        factors: the decisions, over the candidates that were used.
        fit: None where there is none.
        widen: factor on the standard errors, from the check.
        doubt: why nothing can be told; empty where something can.
        cost: metric that is held fixed.
        scale: on which it enters.
        pairs: of decisions that have terms of their own.
    """

    basis: Basis
    used: int
    random: int
    factors: tuple[Factor, ...]
    fit: Fit | None
    widen: float
    doubt: str
    cost: str
    scale: CostScale
    pairs: tuple[Pair, ...] = ()

    @property
    def width(self) -> int:
        """Columns: the constant, two of the cost, those of the factors and those of the pairs."""
        singles = sum(len(one.levels) - 1 for one in self.factors)
        return 3 + singles + sum(int(pair.columns.shape[1]) for pair in self.pairs)

    def rows_of(self, factor: Factor) -> Table:
        """(levels, width): for each level what makes its effect out of the weights."""
        start = 3
        for one in self.factors:
            wide = len(one.levels) - 1
            if one is factor:
                rows = np.zeros((len(one.levels), self.width))
                rows[:, start : start + wide] = one.contrasts
                return rows
            start += wide
        raise LookupError(f"no factor {factor.name!r} in this model")

    def row_of(self, decisions: Mapping[str, Plain], cost: float) -> Values:
        """(width,) what makes the accuracy of a network out of the weights; a value that nobody had is an average one.

        Args:
            decisions: that make it.
            cost: of the metric that is held fixed.
        """
        parts = {one.name: _part(one, decisions) for one in self.factors}
        together = [np.kron(parts[pair.one.name], parts[pair.other.name]) for pair in self.pairs]
        return np.concatenate([np.ones(1), self.scale.columns(np.array([cost]))[0], *parts.values(), *together])


def _part(factor: Factor, decisions: Mapping[str, Plain]) -> Values:
    """(levels - 1,) the columns of one factor for a network."""
    level = factor.level_of(decisions[factor.name]) if factor.name in decisions else NOT_ASKED
    return np.zeros(len(factor.levels) - 1) if level == NOT_ASKED else factor.contrasts[level]


def fit_effects(rows: Sequence[Outcome], cost: str) -> Model:
    """Fit accuracy by decisions and cost.

    accuracy = constant + a z + b z^2 + effects of the values + noise, with z the standardised logarithm of the cost.
    Where every candidate was drawn at random this is least squares with robust errors: what it estimates is defined by
    the space and its budget, whether the model is right or not. Where a sampler chose most of them, those would answer
    for the neighbourhood that it liked; so all candidates are fitted with interactions, random ones between all
    decisions (and with cost) beside the pairs that stand out, and the random control decides whether that holds: it
    must not differ from what the rest predicts, and
    where it scatters more than predicted, errors grow by that.

    Args:
        rows: of one study and one rung.
        cost: metric to hold fixed.
    """
    random = [row for row in rows if row.origin is Origin.RANDOM]
    chosen = [row for row in rows if row.origin is Origin.CHOSEN]
    used = random if not chosen else [*random, *chosen]
    found = factors([row.decisions for row in used])
    costs = np.array([row.cost[cost] for row in used], float)
    scale = CostScale.of(costs) if used else CostScale(0.0, 1.0, 0.0)
    z = scale.columns(costs)
    columns = np.hstack([np.ones((len(used), 1)), z, *(one.columns for one in found)])
    y = np.array([row.accuracy for row in used])

    def doubtful(doubt: str, fit: Fit | None = None, pairs: tuple[Pair, ...] = ()) -> Model:
        return Model(Basis.NONE, len(used), len(random), tuple(found), fit, 1.0, doubt, cost, scale, pairs)

    if len(used) < columns.shape[1] + FEWEST_FREE:
        return doubtful(
            f"{plural(len(used), 'candidate')} for {columns.shape[1]} terms; at least "
            f"{columns.shape[1] + FEWEST_FREE} are needed"
        )
    if not chosen:
        return Model(Basis.RANDOM, len(used), len(random), tuple(found), robust_fit(columns, y), 1.0, "", cost, scale)
    strong = strong_pairs(found, columns, y)
    beside = np.hstack([columns, *(pair.columns for pair in strong)])
    fit = mixed_fit(beside, y, interaction_kernel(found, z[:, 0]))
    check = fit.standardised[: len(random)]
    if len(random) < FEWEST_RANDOM:
        return doubtful(_unchecked(rows, len(random)), fit, tuple(strong))
    shift = float(check.mean() * np.sqrt(len(check)) / max(1.0, check.std()))
    if abs(shift) > _MOST_SHIFT:
        return doubtful(
            f"the {len(random)} random candidates differ by {shift:+.1f} standard errors from what those that the "
            "sampler chose say of them",
            fit,
            tuple(strong),
        )
    widen = max(1.0, float(np.sqrt((check**2).mean())))
    return Model(Basis.CHECKED, len(used), len(random), tuple(found), fit, widen, "", cost, scale, tuple(strong))


def interaction_kernel(found: Sequence[Factor], z: Values) -> Table:
    """(n, n) covariance of all pairwise interactions of decisions and of log cost, mean of the diagonal 1.

    The sum of all products of two different kernels, ((sum k)^2 - sum k^2) / 2; a decision's kernel is that of equal
    levels, less its mean, so that no main effect hides in an interaction.
    """
    total, squares = np.outer(z, z), np.outer(z, z) ** 2
    for one in found:
        levels = len(one.levels)
        asked = one.codes != NOT_ASKED
        kernel = ((one.codes[:, None] == one.codes) - 1 / levels) / (1 - 1 / levels) * np.outer(asked, asked)
        total, squares = total + kernel, squares + kernel**2
    pairs = (total**2 - squares) / 2
    return np.asarray(pairs / max(float(np.trace(pairs)) / max(len(z), 1), 1e-12))


def _unchecked(rows: Sequence[Outcome], random: int) -> str:
    if any(row.rung for row in rows):
        return "whoever reached this rung was chosen by its accuracy on the one below; ask for rung 0"
    return (
        f"a sampler that had seen accuracies chose what was trained, and only {plural(random, 'candidate')} of a "
        f"random control of at least {FEWEST_RANDOM} can check it"
    )
