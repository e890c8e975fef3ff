"""What winners are expected to lose is what they do lose."""

from __future__ import annotations

import numpy as np
import pytest

from nas.analysis.effects.model import fit_effects
from nas.analysis.luck import Noise, NoiseFrom, expected_shrinkage, noise_of
from nas.analysis.outcomes import Origin, Outcome
from nas.records import Evaluation, EvaluationKey


def study(seed: int, *, noise: float, count: int = 100) -> tuple[list[Outcome], np.ndarray]:
    """Networks of one cost-accuracy curve with their true accuracies."""
    rng = np.random.default_rng(seed)
    cost = np.exp(rng.normal(0, 0.5, count))
    true = 0.5 + 0.1 * np.log(cost) + rng.normal(0, 0.02, count)
    rows = [
        Outcome(
            id=str(place), accuracy=float(true[place] + rng.normal(0, noise)), rung=0, seed=0,
            cost={"flops": float(cost[place])}, decisions={}, origin=Origin.RANDOM,
        )
        for place in range(count)
    ]  # fmt: skip
    return rows, true


def best_of(rows: list[Outcome]) -> list[str]:
    return [row.id for row in sorted(rows, key=lambda row: -row.accuracy)[:5]]


def test_winners_lose_what_is_expected_and_their_intervals_hold() -> None:
    lost, expected, inside = [], [], []
    for seed in range(60):
        rows, true = study(seed, noise=0.02)
        luck = expected_shrinkage(best_of(rows), rows, "flops", Noise(deviation=0.02, source=NoiseFrom.SEEDS))
        assert luck.shrinkage is not None
        expected.append(luck.shrinkage)
        lost += [one.accuracy - true[int(one.id)] for one in luck.rows]
        inside += [one.low <= true[int(one.id)] <= one.high for one in luck.rows]
    assert np.mean(expected) == pytest.approx(np.mean(lost), abs=0.003)
    assert np.mean(lost) > 0.01
    assert np.mean(inside) > 0.9


def test_without_noise_nothing_is_lost() -> None:
    rows, _ = study(0, noise=0.0)
    luck = expected_shrinkage(best_of(rows), rows, "flops", Noise(deviation=0.0, source=NoiseFrom.SEEDS))
    assert luck.shrinkage == pytest.approx(0)
    assert luck.reliability == 1


def test_what_is_unknown_is_said() -> None:
    rows, _ = study(0, noise=0.01)
    assert "no network was trained twice" in expected_shrinkage(["1"], rows, "flops", None).doubt
    few = expected_shrinkage(["1"], rows[:5], "flops", Noise(deviation=0.01, source=NoiseFrom.SEEDS))
    assert "of 5 networks" in few.doubt


def test_noise_is_that_between_seeds_where_there_are_some() -> None:
    rng = np.random.default_rng(0)
    evaluations = [
        Evaluation(
            key=EvaluationKey(architecture_id=str(place), recipe="r", fingerprint="d", seed=seed),
            accuracy=0.5 + place / 1000 + rng.normal(0, 0.01),
        )
        for place in range(50)
        for seed in range(3)
    ]
    rows, _ = study(0, noise=0.01)
    model = fit_effects(rows, "flops")
    noise = noise_of(evaluations, 0, model)
    assert noise is not None
    assert noise.source is NoiseFrom.SEEDS
    assert noise.deviation == pytest.approx(0.01, rel=0.2)
    once = noise_of([one for one in evaluations if one.key.seed == 0], 0, model)
    assert once is not None
    assert once.source is NoiseFrom.MODEL
