"""The winner's curse: the best of many noisy accuracies are the luckiest, and by how much.

Given what networks of a study are like and how much a training scatters, a network's accuracy under another seed is
expected between what was measured and what is usual at its cost (empirical Bayes; C. Morris, Journal of the American
Statistical Association 78(381), 1983). This expectation holds for the winners as for anybody else, because choosing by
what was measured adds nothing that it does not know (B. Efron, ibid. 106(496), 2011).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from nas.analysis.effects.importance import at_equal_cost
from nas.analysis.effects.model import Model
from nas.analysis.outcomes import Outcome
from nas.records import Evaluation

FEWEST = 20
"""Networks without which nothing is known of what is usual."""
_FEWEST_REPEATS = 3


class NoiseFrom(StrEnum):
    """Where the noise of a training is known from."""

    SEEDS = "seeds"  # networks that were trained more than once
    MODEL = "model"  # what decisions and cost leave unexplained: at most so much


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How much the accuracy of one network scatters from training to training.

    Attributes:
        deviation: standard deviation of an accuracy.
        source: where that is from.
    """

    deviation: float
    source: NoiseFrom


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One network that was chosen by its accuracy.

    Attributes:
        id: of the architecture.
        accuracy: as it was measured.
        expected: under another seed.
        low, high: 95% interval of that network's mean over seeds.
    """

    id: str
    accuracy: float
    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Luck:
    """What the networks that were chosen are expected to lose.

    Attributes:
        rows: one for each.
        shrinkage: mean of accuracy less expected accuracy.
        reliability: share of what networks differ by at equal cost that is not noise, in [0, 1].
        noise: of a training.
        doubt: why nothing can be said; empty where something can.
    """

    rows: tuple[Expected, ...]
    shrinkage: float | None
    reliability: float | None
    noise: Noise | None
    doubt: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def noise_of(evaluations: Sequence[Evaluation], rung: int, model: Model) -> Noise | None:
    """The noise of a training: from repeated trainings under other seeds, or what the model leaves; None without any.

    Args:
        evaluations: under the study's recipe and data, of whichever study and seed.
        rung: whose accuracies count.
        model: of the study at that rung.
    """
    groups: dict[str, list[float]] = {}
    for one in evaluations:
        if one.accuracy is not None and one.key.rung == rung:
            groups.setdefault(one.key.architecture_id, []).append(one.accuracy)
    repeated = [np.array(values) for values in groups.values() if len(values) > 1]
    freedom = sum(len(values) - 1 for values in repeated)
    if freedom >= _FEWEST_REPEATS:
        squares = sum(float(((values - values.mean()) ** 2).sum()) for values in repeated)
        return Noise(deviation=float(np.sqrt(squares / freedom)), source=NoiseFrom.SEEDS)
    if model.fit is None:
        return None
    return Noise(deviation=model.fit.noise, source=NoiseFrom.MODEL)


def expected_shrinkage(
    chosen: Sequence[str],
    rows: Sequence[Outcome],
    cost: str,
    noise: Noise | None,
    seeds: Mapping[str, int] | None = None,
) -> Luck:
    """What is to be expected of chosen networks under another seed.

    Args:
        chosen: their ids.
        rows: every network that they were chosen from, at the same rung.
        cost: metric by which it is known what is usual.
        noise: of a training.
        seeds: how many trainings an accuracy is the mean of, where it is more than one.
    """
    if noise is None or len(rows) < FEWEST:
        few = f"of {len(rows)} networks, {FEWEST} are needed" if len(rows) < FEWEST else "the noise of a training"
        return Luck(
            rows=(), shrinkage=None, reliability=None, noise=noise, doubt=f"too little is known {few}"
            if len(rows) < FEWEST else f"{few} is unknown: no network was trained twice"
        )  # fmt: skip
    beyond = at_equal_cost(rows, cost)
    spread = float(beyond.var(ddof=3))
    place = {row.id: index for index, row in enumerate(rows)}
    found = []
    for one in chosen:
        index = place[one]
        variance = noise.deviation**2 / (seeds or {}).get(one, 1)
        signal = max(spread - noise.deviation**2, 0.0)
        kept = signal / (signal + variance) if signal + variance else 1.0
        accuracy = rows[index].accuracy
        expected = accuracy - (1 - kept) * float(beyond[index])
        half = 1.96 * float(np.sqrt(kept * variance))
        found.append(Expected(id=one, accuracy=accuracy, expected=expected, low=expected - half, high=expected + half))
    return Luck(
        rows=tuple(found),
        shrinkage=float(np.mean([one.accuracy - one.expected for one in found])) if found else None,
        reliability=max(0.0, 1 - noise.deviation**2 / spread) if spread else None,
        noise=noise,
    )
