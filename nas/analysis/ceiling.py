"""How well a reference can be predicted at all: it is a mean over few seeds and would not rank the same again."""

from __future__ import annotations

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np

from nas.analysis.ranking import Pairs, Values, tau_b


class Ceiling(NamedTuple):
    """Kendall's tau-b that the reference allows; NaN where one seed leaves nothing to compare.

    A number each, or (b,) for b sets of weights.

    Attributes:
        one_seed: of one seed against the mean of the others, averaged over the seeds; measured, not corrected.
        one_training: expected of one more training of the reference against the mean that was measured.
        perfect: expected of a proxy that knows every architecture's expected accuracy, against that mean.
    """

    one_seed: Values
    one_training: Values
    perfect: Values


def noise_ceiling(accuracies: Values, weights: Pairs | None = None) -> Ceiling:
    """The noise ceiling of a reference.

    Let t be the mean tau-b between two seeds, over all pairs of seeds. For normal accuracies tau and correlation are
    tied by tau = (2 / pi) arcsin r (Greiner's relation; M. G. Kendall, 'Rank Correlation Methods'), so one seed has the
    reliability r = sin(pi t / 2). The mean of S seeds has R = S r / (1 + (S - 1) r) (Spearman and Brown, British
    Journal of Psychology 3, 1910). One more training correlates with that mean by sqrt(r R), what is free of noise by
    sqrt(R):

        one_training = (2 / pi) arcsin sqrt(r R)        perfect = (2 / pi) arcsin sqrt(R)

    Args:
        accuracies: (S, n), one row a seed.
        weights: (n, n) or (b, n, n), of the pairs of architectures; None counts all alike.
    """
    seeds = len(accuracies)
    if seeds < 2:
        unknown = np.full(() if weights is None else weights.shape[:-2], math.nan)
        return Ceiling(unknown, unknown, unknown)
    first, second = (list(side) for side in zip(*combinations(range(seeds), 2), strict=True))
    between = tau_b(accuracies[first], accuracies[second], weights).mean(-1)
    others = (accuracies.sum(0) - accuracies) / (seeds - 1)
    one_seed = tau_b(accuracies, others, weights).mean(-1)
    # Seeds that disagree have no reliability, not a negative one.
    single = np.maximum(0.0, np.sin(math.pi / 2 * between))
    mean = seeds * single / (1 + (seeds - 1) * single)
    return Ceiling(one_seed, _tau(np.sqrt(single * mean)), _tau(np.sqrt(mean)))


def _tau(correlation: Values) -> Values:
    return np.asarray(2 / math.pi * np.arcsin(np.minimum(1.0, correlation)))
