"""How often every interval of `nas/analysis` holds the truth: the table of docs/analysis.md.

    python tests/analysis/interval_coverage.py            # all of it, as Markdown
    python tests/analysis/interval_coverage.py --only gain

Each line simulates many studies of a population whose truth is known. Intervals of trust studies are in `test_trust`,
those of effects in `effects/test_planted_runs`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from nas.analysis import distributions
from nas.analysis.distributions import Population, compare
from nas.analysis.gain import gain
from nas.analysis.intervals import mean_interval, wilson
from nas.analysis.luck import Noise, NoiseFrom, expected_shrinkage
from nas.analysis.outcomes import Origin, Outcome

NETWORKS = (12, 24, 48)
NOISE = 0.01  # of a training
_SPREAD = 0.02  # of networks at equal cost
_CHOSEN = 5


class Line(NamedTuple):
    """One kind of interval under one condition.

    Attributes:
        interval: what it is of.
        condition: how many networks and seeds.
        studies: that were simulated.
        held: share of them that held the truth.
    """

    interval: str
    condition: str
    studies: int
    held: float


def accuracies(studies: int) -> Iterator[Line]:
    """Wilson's, of an accuracy on some images."""
    for images in (100, 359, 5000):
        rng = np.random.default_rng(images)
        truth = rng.uniform(0.05, 0.95, studies)
        seen = rng.binomial(images, truth) / images
        held = [low <= one <= high for one, (low, high) in zip(truth, (wilson(x, images) for x in seen), strict=True)]
        yield Line("accuracy on images, share of shapes (Wilson)", f"{images:,} images", studies, float(np.mean(held)))


def means(studies: int) -> Iterator[Line]:
    """Student's, of a mean over seeds."""
    for seeds in (2, 3):
        draws = np.random.default_rng(seeds).normal(0.8, NOISE, (studies, seeds))
        held = [low <= 0.8 <= high for low, high in (mean_interval(row.tolist()) for row in draws)]
        yield Line("mean over seeds, also of a confirmed front (Student)", f"{seeds} seeds", studies, np.mean(held))


def gains(studies: int) -> Iterator[Line]:
    """Of one sample over another that is dearer, plain and at equal cost."""
    for count in NETWORKS:
        for seeds in (1, 2, 3):
            rng = np.random.default_rng([count, seeds])
            held = np.zeros(2)
            for _ in range(studies):
                (first, first_cost), (second, second_cost) = (_sample(rng, count, seeds, shift) for shift in (0, 0.5))
                found = gain(first, first_cost, second + 0.01, second_cost)
                pairs = (found.plain, 0.01 + 0.1 * 0.5), (found.at_equal_cost, 0.01)
                held += [one.low <= truth <= one.high for one, truth in pairs]
            for name, share in zip(("plain", "at equal cost"), held / studies, strict=True):
                yield Line(f"gain of a sample over another, {name}", _networks(count, seeds), studies, float(share))


def populations(studies: int) -> Iterator[Line]:
    """Of one population over another, in bins of cost, and the band of a curve."""
    for count in NETWORKS:
        for seeds in (1, 2, 3):
            rng = np.random.default_rng([count, seeds])
            held: list[bool] = []
            bands: list[float] = []
            for study in range(studies):
                (first, first_cost), (second, second_cost) = (_sample(rng, count, seeds, 0, slope=0) for _ in range(2))
                found = compare(
                    Population("a", first, first_cost), Population("b", second + 0.01, second_cost), seed=study
                )
                if isinstance(found, str):
                    continue
                held.append(found.gain.low <= 0.01 <= found.gain.high)
                bands.append(_band_held(found.errors, found.first.low, found.first.high, seeds))
            if held:
                condition = _networks(count, seeds)
                yield Line("gain of a population at equal cost", condition, len(held), float(np.mean(held)))
                yield Line("curve of a population, pointwise", condition, len(held), float(np.mean(bands)))


def winners(studies: int) -> Iterator[Line]:
    """Of the accuracy that the best of a study have under other seeds."""
    for count in NETWORKS[1:]:
        for seeds in (1, 2, 3):
            rng = np.random.default_rng([count, seeds])
            held: list[bool] = []
            for _ in range(studies):
                rows, true = _study(rng, count, seeds)
                chosen = [row.id for row in sorted(rows, key=lambda row: -row.accuracy)[:_CHOSEN]]
                noise = Noise(deviation=NOISE, source=NoiseFrom.SEEDS)
                luck = expected_shrinkage(chosen, rows, "flops", noise, dict.fromkeys(chosen, seeds))
                held += [one.low <= true[int(one.id)] <= one.high for one in luck.rows]
            yield Line("winners under other seeds", _networks(count, seeds), studies, float(np.mean(held)))


KINDS: Mapping[str, Callable[[int], Iterator[Line]]] = {
    "accuracy": accuracies, "mean": means, "gain": gains, "population": populations, "winners": winners,
}  # fmt: skip


def _networks(count: int, seeds: int) -> str:
    return f"{count} networks, {seeds} seed{'s' * (seeds > 1)}"


def _sample(
    rng: np.random.Generator, count: int, seeds: int, shift: float, *, slope: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    """Mean accuracies over the seeds and costs (n,) of a sample; log costs are `shift` higher."""
    log_cost = rng.normal(shift, 0.5, count)
    accuracy = 0.5 + slope * log_cost + rng.normal(0, _SPREAD, count) + rng.normal(0, NOISE, (seeds, count)).mean(0)
    return accuracy, np.exp(log_cost)


def _band_held(errors: np.ndarray, low: np.ndarray, high: np.ndarray, seeds: int) -> float:
    """Share of the middle of the grid whose truth the band holds."""
    from scipy.stats import norm

    share = norm.sf((1 - errors - 0.5) / np.sqrt(_SPREAD**2 + NOISE**2 / seeds))
    middle = (share > 0.1) & (share < 0.9)
    return float(((low <= share) & (share <= high))[middle].mean())


def _study(rng: np.random.Generator, count: int, seeds: int) -> tuple[list[Outcome], np.ndarray]:
    """Networks of one curve with their true accuracies."""
    log_cost = rng.normal(0, 0.5, count)
    true = 0.5 + 0.1 * log_cost + rng.normal(0, _SPREAD, count)
    seen = true + rng.normal(0, NOISE, (seeds, count)).mean(0)
    rows = [
        Outcome(
            id=str(place), accuracy=float(seen[place]), rung=0, seed=0, cost={"flops": float(np.exp(log_cost[place]))},
            decisions={}, origin=Origin.RANDOM,
        )
        for place in range(count)
    ]  # fmt: skip
    return rows, true


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=tuple(KINDS), help="one kind of interval")
    parser.add_argument("--studies", type=int, default=1000, help="simulated for each line")
    given = parser.parse_args()
    distributions._PERMUTATIONS = 1  # of the p-value, which is not looked at and takes nearly all of the time
    print("| interval | of | studies | holds |\n|---|---|--:|--:|")
    for name, kind in KINDS.items():
        if given.only in (None, name):
            for line in kind(given.studies):
                print(f"| {line.interval} | {line.condition} | {line.studies:,} | {line.held:.1%} |", flush=True)


if __name__ == "__main__":
    main()
