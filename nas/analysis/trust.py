"""Whether a cheap ranking of architectures may stand for a dear one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from nas.analysis.bootstrap import Estimate, percentile_estimate, resamples
from nas.analysis.ceiling import noise_ceiling
from nas.analysis.ranking import Pairs, Values, partial_tau, regret, same_band, tau_b

BAND = 6
"""Architectures in a band of similar cost, at least."""
MARGIN = 0.1
"""An advantage in tau below this is not worth a training."""
REPLICATES = 2000
FEWEST = 4
"""Architectures below which nothing is computed: of three, tau takes four values."""
FEWEST_TO_TELL = 10
"""Architectures below which no verdict is given: a bootstrap of so few is no distribution."""
MOST = 1000
"""Architectures above which a difference counts as none: nobody trains as many to see it."""


class Verdict(StrEnum):
    """What the evidence says about a ranking."""

    USE = "use"
    DO_NOT = "do not use"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One ranking beside the reference.

    Attributes:
        tau: Kendall's tau-b of one seed of the ranking against the reference's mean, averaged over the seeds: what a
            search sees that trains everything once.
        tau_of_mean: the same of the ranking's mean over its seeds.
        tau_at_equal_cost: Kendall's partial tau with the cost held fixed; NaN for the cost itself.
        tau_in_bands: tau-b over pairs of similar cost alone, averaged over the seeds.
        regret: reference accuracy lost by looking only at the ranking's best one, best three, ..., by how many.
        advantage: tau minus the best trivial ranking's (at least 0, that of a random order), paired.
        verdict: by the advantage; None for a trivial ranking.
        needed: architectures that would settle it, about; None where it is settled, or more than `MOST` would have to
            be trained.
    """

    tau: Estimate
    tau_of_mean: float
    tau_at_equal_cost: Estimate
    tau_in_bands: float
    regret: Mapping[int, float]
    advantage: Estimate
    verdict: Verdict | None
    needed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Every ranking's judgement, and how well the reference agrees with itself.

    Attributes:
        judgements: by the ranking's name.
        ceiling: estimates with intervals, in the order of `Ceiling`'s fields.
        random_regret: reference accuracy lost by a random choice, by how many are looked at.
    """

    judgements: Mapping[str, Judgement]
    ceiling: Mapping[str, Estimate]
    random_regret: Mapping[int, float]


def judge(
    rankings: Mapping[str, Values],
    reference: Values,
    costs: Values,
    *,
    trivial: Sequence[str],
    tops: Sequence[int] = (1, 3),
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Trust:
    """Judge rankings by a reference.

    Intervals are 95% percentile intervals of a bootstrap that draws architectures with replacement, each with all of
    its seeds (`resamples`); all rankings share the draws, so that differences are paired. They are about agreement with
    a reference of as many seeds as this one has: its mean enters as it is, noise included.

    Args:
        rankings: (S, n) each, by name; a row a seed, the same number of rows in all.
        reference: (S', n), accuracies of the reference.
        costs: (n,), what `tau_at_equal_cost` and `tau_in_bands` hold fixed.
        trivial: names of the rankings that cost nothing and have to be beaten.
        tops: how many of the best one looks at for a regret.
        replicates: bootstrap samples.
        seed: of the bootstrap.

    Raises:
        ValueError: fewer than `FEWEST` architectures.
    """
    architectures = len(costs)
    if architectures < FEWEST:
        raise ValueError(f"rankings of {architectures} architectures cannot be judged; {FEWEST} are the least")
    names = list(rankings)
    stacked = np.stack([rankings[name] for name in names])  # (R, S, n)
    truth = reference.mean(0)
    baselines = [names.index(name) for name in trivial]
    drawn, ceilings = [], []
    for weights in resamples(architectures, count=replicates, seed=seed):
        drawn.append(_agreement(stacked, truth, costs, weights, baselines))
        ceilings.append(noise_ceiling(reference, weights))
    estimates = _estimates(_agreement(stacked, truth, costs, None, baselines), np.concatenate(drawn, axis=1))
    bands = same_band(costs, size=BAND)
    judgements = {}
    for name, values, (tau, at_equal_cost, advantage) in zip(names, stacked, zip(*estimates, strict=True), strict=True):
        is_trivial = name in trivial
        judgements[name] = Judgement(
            tau=tau,
            tau_of_mean=float(tau_b(values.mean(0), truth)),
            tau_at_equal_cost=at_equal_cost,
            tau_in_bands=float(tau_b(values, truth, bands).mean()),
            regret={top: float(np.mean([regret(row, truth, top=top) for row in values])) for top in tops},
            advantage=advantage,
            verdict=None if is_trivial else verdict(advantage, architectures),
            needed=None if is_trivial else needed(advantage, architectures),
        )
    whole = noise_ceiling(reference)
    return Trust(
        judgements=judgements,
        ceiling={
            field: percentile_estimate(float(value), np.concatenate(replicates_of_it))
            for field, value, replicates_of_it in zip(whole._fields, whole, zip(*ceilings, strict=True), strict=True)
        },
        random_regret={top: regret(np.zeros(architectures), truth, top=top) for top in tops},
    )


def verdict(advantage: Estimate, architectures: int) -> Verdict:
    """The rule: use what is better than every trivial ranking beyond doubt.

    * the interval of the advantage is above 0: use it;
    * it ends below `MARGIN`: do not, for at best it is hardly better than counting;
    * otherwise the interval is too wide, and one cannot tell; nor from fewer than `FEWEST_TO_TELL` architectures.
    """
    if architectures < FEWEST_TO_TELL:
        return Verdict.CANNOT_TELL
    if advantage.low > 0:
        return Verdict.USE
    return Verdict.DO_NOT if advantage.high < MARGIN else Verdict.CANNOT_TELL


def needed(advantage: Estimate, architectures: int) -> int | None:
    """Architectures with which an advantage of this size would be beyond doubt, as intervals narrow by their root.

    None where it is so already, where there is none, and where that would take more than `MOST`.
    """
    if verdict(advantage, architectures) is not Verdict.CANNOT_TELL or not advantage.value > 0:
        return None
    enough = math.ceil(architectures * ((advantage.value - advantage.low) / advantage.value) ** 2)
    return max(FEWEST_TO_TELL, enough) if enough <= MOST else None


def _agreement(rankings: Values, truth: Values, costs: Values, weights: Pairs | None, trivial: Sequence[int]) -> Values:
    """(3, ..., R): tau, partial tau at equal cost, advantage over the best trivial ranking; means over the seeds.

    What stands between is (b,) for b sets of weights.
    """
    with_truth = tau_b(rankings, truth, weights)  # (..., R, S)
    with_cost = tau_b(rankings, costs, weights)
    fixed = partial_tau(with_truth, with_cost, tau_b(costs, truth, weights)[..., None, None])
    tau = with_truth.mean(-1)
    best = np.nan_to_num(tau[..., trivial], nan=0.0).max(-1, keepdims=True, initial=0.0)
    return np.stack([tau, fixed.mean(-1), tau - best])


def _estimates(whole: Values, drawn: Values) -> list[list[Estimate]]:
    """Each of (3, R) numbers with the interval of its (3, B, R) replicates."""
    return [
        [percentile_estimate(float(value), drawn[kind, :, index]) for index, value in enumerate(values)]
        for kind, values in enumerate(whole)
    ]
