"""Whether a proxy can tell candidates apart: from chance, from a perfect network, from each other, from seed to seed.

A front is worth what its accuracies are. Where a training is too short every candidate guesses, where it is too easy
every one is right, and where two seeds or two rungs disagree the order is a draw. Everything here is counted from
accuracies that exist; nothing is trained.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import combinations, pairwise
from statistics import NormalDist, fmean
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.analysis.intervals import wilson
from nas.analysis.ranking import tau_b
from nas.records import Plain
from nas.units import plural

TOO_MANY = 0.25
"""Share of the candidates from which on it matters that they are near chance or at the ceiling; and share of the pairs
of candidates below which a ranking says little. Of equal networks 5 % of the pairs would seem to differ."""
WEAK_TAU = 0.3
"""Kendall's tau below which one ranking is a poor guide to another: a third of the pairs stand the other way round."""
FEWEST = 4
"""Candidates below which nothing is said: of three, two are often alike."""
FEWEST_TO_RANK = 6
"""Architectures below which rankings are not compared: of five at random, one in eight has a tau of 0.6."""

_MOST = 1000  # candidates whose pairs are looked at; of more, as many evenly spread ones: 10 ms instead of minutes
_DIFFERS = NormalDist().inv_cdf(0.975)


class Measure(StrEnum):
    """What a row is about."""

    NEAR_CHANCE = "near chance"
    AT_CEILING = "at the ceiling"
    TOLD_APART = "told apart"
    RUNGS_AGREE = "rungs agree"
    SEEDS_SPREAD = "spread of seeds"
    SEEDS_AGREE = "seeds agree"


class State(StrEnum):
    """What a row means."""

    GOOD = "good"
    POOR = "poor"
    UNKNOWN = "unknown"  # too few to say, or what accuracies are measured on is not known


class Trained(NamedTuple):
    """One accuracy of a study's proxy: the evaluation of a candidate under a seed up to a rung."""

    architecture_id: str
    seed: int
    rung: int
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """What accuracies are measured on.

    Attributes:
        images: of the validation split.
        chance: accuracy of whoever always names the most frequent class there, in (0, 1].
    """

    images: int
    chance: float

    def __post_init__(self) -> None:
        """Refuse what cannot be; raises ValueError."""
        if self.images < 1 or not 0 < self.chance <= 1:
            raise ValueError(f"a yardstick needs an image and a chance within (0, 1], got {self}")

    @property
    def near_chance(self) -> float:
        """The highest accuracy that guessing reaches: the upper end of its 95 % interval on so many images."""
        return wilson(self.chance, self.images).high

    @property
    def ceiling(self) -> float:
        """The lowest accuracy that cannot be told from a perfect network's, by its 95 % interval."""
        return wilson(1.0, self.images).low

    def noise(self, accuracy: float) -> float:
        """Standard deviation of an accuracy over the choice of so many images."""
        return math.sqrt(accuracy * (1 - accuracy) / self.images)

    def resolution(self, accuracy: float) -> float:
        """The smallest difference of two accuracies, near this one, that is beyond the choice of images."""
        return _DIFFERS * math.sqrt(2) * self.noise(accuracy)


def yardstick_of(definition: Mapping[str, Plain]) -> Yardstick | None:
    """What a study's accuracies are measured on, by its definition; None where that has no word of it."""
    kept = definition.get("yardstick")
    return None if kept is None else Yardstick(**kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRow:
    """One thing that a proxy can tell, or cannot.

    Attributes:
        measure: what is measured.
        state: what it means.
        rung: where; the lower one of two rungs; None where it is known before any training.
        value: a share of candidates or pairs in [0, 1], Kendall's tau-b, or a spread of accuracies; None if unknown.
        of: candidates, or pairs of them, that the value is of.
        says: a sentence; where nothing can be told, why.
        advice: what would help; empty unless the state is poor.
    """

    measure: Measure
    state: State
    rung: int | None
    value: float | None
    of: int
    says: str
    advice: str = ""

    def to_dict(self) -> dict[str, Plain]:
        """JSON-ready."""
        return asdict(self)


_LONGER = (
    "train longer (--epochs, or --recipe proxy_fast), on more of the images (--data-share 1), or by a recipe that is "
    "made for networks of this size"
)
_HARDER = "train shorter (--epochs), on fewer of the images (--data-share), or on harder ones (--data)"
_FINER = (
    "train longer, on data with more validation images, or within a wider budget; `nas trust` says what the ranking is "
    "worth"
)
_LATER = "let trainings stop later (--rungs), or not at all (--rungs none)"
_SEEDS = "train longer, or confirm the best ones with more seeds (`nas compare STUDY:ID ... --seeds 3`)"


def proxy_health(accuracies: Iterable[Trained], yardstick: Yardstick | None) -> list[HealthRow]:
    """What the accuracies of a study tell about its proxy.

    Candidates are counted at the first rung, which the sampler learns from, and at the highest one that any has
    reached, which the front shows. Two accuracies differ if their difference is beyond the 95 % interval of what
    validation images and, where some candidates have several, seeds make of one network. Rungs agree as far as
    candidates that have both stand in the same order; those that went on were the best, and so are more alike.

    Args:
        accuracies: of one recipe and data set, of all rungs and seeds.
        yardstick: what they are measured on; None where that is not known.

    Returns:
        Rows in the order of `Measure`; none for what cannot be measured in such a study, such as rungs of one.
    """
    by_rung: dict[int, dict[str, dict[int, float]]] = {}
    for one in accuracies:
        by_rung.setdefault(one.rung, {}).setdefault(one.architecture_id, {})[one.seed] = one.accuracy
    if not by_rung:
        return []
    rungs = sorted(by_rung)
    means = {rung: {name: fmean(seeds.values()) for name, seeds in by_rung[rung].items()} for rung in rungs}
    spreads = {rung: _spread(list(by_rung[rung].values())) for rung in rungs}
    shown = list(dict.fromkeys((rungs[0], rungs[-1])))
    rows = [_near_chance(rung, list(means[rung].values()), yardstick) for rung in shown]
    rows += [_at_ceiling(rung, list(means[rung].values()), yardstick) for rung in shown]
    rows += [_told_apart(rung, list(means[rung].values()), yardstick, spreads[rung]) for rung in shown]
    rows += [_rungs_agree(low, high, means[low], means[high]) for low, high in pairwise(rungs)]
    rows += [row for rung in shown for row in _seeds(rung, by_rung[rung], spreads[rung])]
    return rows


def warnings(rows: Sequence[HealthRow]) -> list[HealthRow]:
    """The rows that say that a proxy tells little."""
    return [row for row in rows if row.state is State.POOR]


def expected_health(yardstick: Yardstick) -> list[HealthRow]:
    """What is known before any training: which accuracies would tell nothing, and which differences."""
    images, middle = yardstick.images, (yardstick.near_chance + yardstick.ceiling) / 2
    finest = yardstick.resolution(middle)
    is_coarse = finest > TOO_MANY * (yardstick.ceiling - yardstick.near_chance)
    bounds = (
        (Measure.NEAR_CHANCE, yardstick.near_chance, f"up to {yardstick.near_chance:.1%} is guessing"),
        (Measure.AT_CEILING, yardstick.ceiling, f"from {yardstick.ceiling:.1%} on is as good as perfect"),
    )
    rows = [
        HealthRow(
            measure=measure,
            state=State.GOOD,
            rung=None,
            value=value,
            of=images,
            says=f"an accuracy {says}{_on(images)}",
        )
        for measure, value, says in bounds
    ]
    told = HealthRow(
        measure=Measure.TOLD_APART,
        state=State.POOR if is_coarse else State.GOOD,
        rung=None,
        value=finest,
        of=images,
        says=f"networks near {middle:.0%} have to differ by {_points(finest)} to be told apart{_on(images)}",
        advice="take data with more validation images, or give more of them to validation" if is_coarse else "",
    )
    return [*rows, told]


def _near_chance(rung: int, accuracies: Sequence[float], yardstick: Yardstick | None) -> HealthRow:
    if yardstick is None or len(accuracies) < FEWEST:
        return _unknown(Measure.NEAR_CHANCE, rung, len(accuracies), yardstick)
    count = sum(accuracy <= yardstick.near_chance for accuracy in accuracies)
    says = f"{count} of {len(accuracies)} candidates cannot be told from guessing (up to {yardstick.near_chance:.1%})"
    return _share(Measure.NEAR_CHANCE, rung, count, len(accuracies), says, _LONGER)


def _at_ceiling(rung: int, accuracies: Sequence[float], yardstick: Yardstick | None) -> HealthRow:
    if yardstick is None or len(accuracies) < FEWEST:
        return _unknown(Measure.AT_CEILING, rung, len(accuracies), yardstick)
    count = sum(accuracy >= yardstick.ceiling for accuracy in accuracies)
    says = f"{count} of {len(accuracies)} candidates are as good as perfect ({yardstick.ceiling:.1%} and more)"
    return _share(Measure.AT_CEILING, rung, count, len(accuracies), says, _HARDER)


def _told_apart(rung: int, accuracies: Sequence[float], yardstick: Yardstick | None, spread: float | None) -> HealthRow:
    if yardstick is None or len(accuracies) < FEWEST:
        return _unknown(Measure.TOLD_APART, rung, len(accuracies), yardstick)
    values = _thinned(np.sort(np.asarray(accuracies, dtype=np.float64)))
    variance = values * (1 - values) / yardstick.images + (spread or 0.0) ** 2
    first, second = np.triu_indices(len(values), 1)
    apart = np.abs(values[first] - values[second]) > _DIFFERS * np.sqrt(variance[first] + variance[second])
    share, pairs = float(apart.mean()), len(first)
    is_poor = share < TOO_MANY
    return HealthRow(
        measure=Measure.TOLD_APART,
        state=State.POOR if is_poor else State.GOOD,
        rung=rung,
        value=share,
        of=pairs,
        says=f"{share:.0%} of {pairs:,} pairs of candidates differ by more than noise"
        + ("" if spread is None else f" (seeds spread by {_points(spread)})"),
        advice=_FINER if is_poor else "",
    )


def _rungs_agree(low: int, high: int, cheap: Mapping[str, float], dear: Mapping[str, float]) -> HealthRow:
    both = sorted(set(cheap) & set(dear))
    if len(both) < FEWEST_TO_RANK:
        why = f"{plural(len(both), 'candidate')} with both rung {low} and rung {high}, and it takes {FEWEST_TO_RANK}"
        return _unranked(Measure.RUNGS_AGREE, low, len(both), why)
    both = both[:: -(-len(both) // _MOST)]
    tau = float(tau_b(np.array([cheap[name] for name in both]), np.array([dear[name] for name in both])))
    says = f"Kendall's tau {tau:.2f} between rungs {low} and {high}, of {len(both)} candidates that have both"
    return _agreement(Measure.RUNGS_AGREE, low, tau, len(both), says, _LATER)


def _seeds(rung: int, accuracies: Mapping[str, Mapping[int, float]], spread: float | None) -> list[HealthRow]:
    """Spread of the seeds of one architecture, and whether two seeds rank alike; nothing where each has one."""
    if spread is None:
        return []
    several = {name: seeds for name, seeds in accuracies.items() if len(seeds) > 1}
    means = [fmean(seeds.values()) for seeds in several.values()]
    between = math.sqrt(fmean((mean - fmean(means)) ** 2 for mean in means))
    is_poor = len(several) >= FEWEST and spread > between
    rows = [
        HealthRow(
            measure=Measure.SEEDS_SPREAD,
            state=State.UNKNOWN if len(several) < FEWEST else State.POOR if is_poor else State.GOOD,
            rung=rung,
            value=spread,
            of=len(several),
            says=f"seeds of one network spread by {_points(spread)}, networks by {_points(between)}",
            advice=_SEEDS if is_poor else "",
        )
    ]
    names = sorted(several)[:: -(-len(several) // _MOST)]
    common = sorted(set.intersection(*(set(several[name]) for name in names)))
    if len(common) > 1 and len(names) >= FEWEST_TO_RANK:
        columns = np.array([[several[name][seed] for name in names] for seed in common])
        tau = fmean(float(tau_b(columns[one], columns[two])) for one, two in combinations(range(len(common)), 2))
        says = f"Kendall's tau {tau:.2f} between two seeds, of {len(names)} candidates"
        rows.append(_agreement(Measure.SEEDS_AGREE, rung, tau, len(names), says, _SEEDS))
    return rows


def _spread(by_seed: Sequence[Mapping[int, float]]) -> float | None:
    """Standard deviation between seeds, pooled over architectures with several; None where there are none."""
    squares = freedom = 0.0
    for seeds in by_seed:
        mean = fmean(seeds.values())
        squares += sum((accuracy - mean) ** 2 for accuracy in seeds.values())
        freedom += len(seeds) - 1
    return math.sqrt(squares / freedom) if freedom else None


def _share(measure: Measure, rung: int, count: int, of: int, says: str, advice: str) -> HealthRow:
    is_poor = count > 1 and count >= TOO_MANY * of
    state = State.POOR if is_poor else State.GOOD
    return HealthRow(
        measure=measure, state=state, rung=rung, value=count / of, of=of, says=says, advice=advice if is_poor else ""
    )


def _agreement(measure: Measure, rung: int, tau: float, of: int, says: str, advice: str) -> HealthRow:
    if math.isnan(tau):  # all alike on one side
        return _unranked(measure, rung, of, f"on one side all {of} candidates are alike")
    is_poor = tau < WEAK_TAU
    state = State.POOR if is_poor else State.GOOD
    return HealthRow(
        measure=measure, state=state, rung=rung, value=tau, of=of, says=says, advice=advice if is_poor else ""
    )


def _unknown(measure: Measure, rung: int, of: int, yardstick: Yardstick | None) -> HealthRow:
    why = (
        "the study does not say what its accuracies are measured on"
        if yardstick is None
        else f"{plural(of, 'candidate')}, and it takes {FEWEST}"
    )
    return HealthRow(measure=measure, state=State.UNKNOWN, rung=rung, value=None, of=of, says=why)


def _unranked(measure: Measure, rung: int, of: int, why: str) -> HealthRow:
    return HealthRow(measure=measure, state=State.UNKNOWN, rung=rung, value=None, of=of, says=why)


def _thinned(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    """At most `_MOST` of the values, evenly spread over their order."""
    if len(ordered) <= _MOST:
        return ordered
    return ordered[np.linspace(0, len(ordered) - 1, _MOST).round().astype(np.int64)]


def _points(difference: float) -> str:
    return f"{100 * difference:.1f} points"


def _on(images: int) -> str:
    return f", on {images:,} validation images"
