"""From measured networks to a predictor with intervals, and what it is worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas.errors import UserError
from nas.measure.prediction.features import Description
from nas.measure.prediction.predictors import MODELS, TRIVIAL, Milliseconds, Predictor

COVERAGE = 0.9
"""Probability with which an interval holds the measured latency."""

LEAST = 20
"""Networks without which nothing is fitted."""

_FOLDS = 10
_FAMILY_FOLDS = 5
_WIDER = 1.25  # of a width: still inside what was seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How near predictions come to measurements of networks that were held out.

    Attributes:
        spearman: correlation of the ranks; NaN where all predictions are the same.
        within_5, within_10: share of the networks whose prediction is at most 5 or 10 % off.
        mape: mean of the relative errors.
    """

    spearman: float
    within_5: float
    within_10: float
    mape: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A fitted predictor.

    Attributes:
        model: name of the predictor that was chosen.
        predictor: fitted to all networks.
        half_width: of its intervals, in logarithms of milliseconds.
        quality: of the chosen model on networks held out.
        coverage: share of held-out networks inside their intervals.
        others: quality of all the models and of the trivial predictors, by name.
        family_mape: mean relative error when whole families of blocks are held out, by model: what was chosen by.
        traits: everything it has seen.
        widths: the range of widths it has seen, by kind of operation.
        n: networks it is fitted to.
    """

    model: str
    predictor: Predictor
    half_width: float
    quality: Quality
    coverage: float
    others: Mapping[str, Quality]
    family_mape: Mapping[str, float]
    traits: frozenset[str]
    widths: Mapping[str, tuple[int, int]]
    n: int

    def predict(self, networks: Sequence[Description]) -> tuple[Milliseconds, Milliseconds, Milliseconds]:
        """Milliseconds (n,) of n networks, and the ends of their 90 % intervals."""
        times = self.predictor.predict(networks)
        return times, times * math.exp(-self.half_width), times * math.exp(self.half_width)

    def unseen(self, network: Description) -> list[str]:
        """What of a network was in none of those that it is fitted to; empty: it may be predicted."""
        found = sorted(network.traits - self.traits)
        for kind, (low, high) in network.widths.items():
            least, most = self.widths.get(kind, (low, high))
            if low * _WIDER < least or high > most * _WIDER:
                found.append(f"{kind} of width {low if low * _WIDER < least else high} (seen: {least} to {most})")
        return found


Makers = Mapping[str, Callable[[], Predictor]]


def calibrate(
    networks: Sequence[Description],
    times: Sequence[float],
    *,
    models: Makers = MODELS,
    trivial: Makers = TRIVIAL,
) -> Calibration:
    """Fit every model, choose the one that does best on families of blocks it has not seen, and say how good it is.

    All qualities are of predictions for networks that were held out of the fit, in ten random parts.

    Args:
        networks: that were measured, at least `LEAST`.
        times: their milliseconds.
        models: to choose from, by name.
        trivial: predictors to be compared with, by name.

    Raises:
        UserError: there are too few.
    """
    if len(networks) < LEAST:
        raise UserError(f"{len(networks)} measured networks are too few to predict from; {LEAST} at least")
    measured = np.array(times, float)
    families = _family_folds([one.family for one in networks])
    family_mape = {
        name: quality(_held_out(make, networks, measured, families), measured).mape for name, make in models.items()
    }
    model = min(family_mape, key=lambda name: family_mape[name])
    parts = np.random.default_rng(0).permutation(len(networks)) % _FOLDS
    predicted = {name: _held_out(make, networks, measured, parts) for name, make in {**trivial, **models}.items()}
    errors = np.abs(np.log(measured / predicted[model]))
    predictor = models[model]()
    predictor.fit(networks, measured)
    widths: dict[str, tuple[int, int]] = {}
    for one in networks:
        for kind, (low, high) in one.widths.items():
            least, most = widths.get(kind, (low, high))
            widths[kind] = min(low, least), max(high, most)
    return Calibration(
        model=model,
        predictor=predictor,
        half_width=conformal(errors),
        quality=quality(predicted[model], measured),
        coverage=_coverage(errors),
        others={name: quality(one, measured) for name, one in predicted.items()},
        family_mape=family_mape,
        traits=frozenset[str]().union(*(one.traits for one in networks)),
        widths=widths,
        n=len(networks),
    )


def quality(predicted: Milliseconds, measured: Milliseconds) -> Quality:
    """How near predictions come."""
    from scipy.stats import spearmanr

    off = np.abs(predicted / measured - 1)
    is_flat = len(predicted) < 2 or np.ptp(predicted) == 0 or np.ptp(measured) == 0
    return Quality(
        spearman=math.nan if is_flat else float(spearmanr(predicted, measured).statistic),
        within_5=float((off <= 0.05).mean()),
        within_10=float((off <= 0.10).mean()),
        mape=float(off.mean()),
    )


def conformal(errors: NDArray[np.float64], coverage: float = COVERAGE) -> float:
    """The half width that holds another error with this probability, by the errors (n,) of held-out networks.

    Split conformal prediction (Vovk, Gammerman and Shafer, 'Algorithmic Learning in a Random World', 2005): the
    ceil((n + 1) coverage)-th smallest. Unlike there, the errors come from ten fits and the predictor from one more.
    """
    rank = math.ceil((len(errors) + 1) * coverage)
    return float(np.sort(errors)[min(rank, len(errors)) - 1])


def _coverage(errors: NDArray[np.float64]) -> float:
    """Share of the networks inside the interval that the others' errors give."""
    inside = [error <= conformal(np.delete(errors, index)) for index, error in enumerate(errors)]
    return float(np.mean(inside))


def _held_out(
    make: Callable[[], Predictor], networks: Sequence[Description], times: Milliseconds, parts: NDArray[np.integer]
) -> Milliseconds:
    """Predictions (n,) of each network by a fit to those of the other parts."""
    found = np.full(len(networks), np.nan)
    for part in np.unique(parts):
        inside, outside = (np.flatnonzero(which).tolist() for which in (parts == part, parts != part))
        predictor = make()
        predictor.fit([networks[index] for index in outside], times[outside])
        found[inside] = predictor.predict([networks[index] for index in inside])
    return found


def _family_folds(families: Sequence[str]) -> NDArray[np.intp]:
    """A part for each network, families never divided, the parts about equal; one family alone is divided."""
    counts: dict[str, int] = {}
    for family in families:
        counts[family] = counts.get(family, 0) + 1
    if len(counts) < 2:
        return np.arange(len(families)) % _FAMILY_FOLDS
    sizes = [0] * min(_FAMILY_FOLDS, len(counts))
    part: dict[str, int] = {}
    for family in sorted(counts, key=lambda one: (-counts[one], one)):
        part[family] = sizes.index(min(sizes))
        sizes[part[family]] += counts[family]
    return np.array([part[family] for family in families])
