"""The judgement of rankings, on made-up accuracies whose truth is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau

from nas.analysis.bootstrap import Estimate, percentile_estimate, resamples
from nas.analysis.ceiling import noise_ceiling
from nas.analysis.trust import FEWEST_TO_TELL, MARGIN, Verdict, judge, needed, verdict


def noisy(truth: np.ndarray, noise: float, *, seeds: int = 3, seed: int = 0) -> np.ndarray:
    return truth + noise * np.random.default_rng(seed).normal(size=(seeds, len(truth)))


def judged(rankings: dict[str, np.ndarray], reference: np.ndarray, costs: np.ndarray, **options: Any) -> Any:
    flops = np.broadcast_to(costs, reference.shape)
    return judge({**rankings, "flops": flops}, reference, costs, trivial=["flops"], **{"replicates": 300, **options})


# --- the bootstrap


def test_resample_never_compares_an_architecture_with_itself() -> None:
    for sample in resamples(6, 3, count=20, seed=0):
        x = sample.of(np.arange(18.0).reshape(1, 3, 6))
        assert x.shape == (1, 3, 6)
        assert np.array_equal(x % 6, np.broadcast_to(np.arange(6.0), (1, 3, 6)))  # seeds are drawn within
        assert np.array_equal(sample.weights, sample.weights.T)
        assert np.sqrt(sample.weights.diagonal()).sum() == 6


def test_interval_is_the_percentiles_and_skips_what_is_undefined() -> None:
    estimate = percentile_estimate(0.5, np.array([*np.linspace(0, 1, 201), math.nan]))
    assert estimate == pytest.approx((0.5, 0.025, 0.975))
    assert math.isnan(percentile_estimate(math.nan, np.ones(3)).low)


def test_intervals_are_repeatable_and_cover_what_many_draws_give() -> None:
    """2,000 architectures tell the truth; 40 samples of 24, of which at least 34 should cover it."""
    generator = np.random.default_rng(1)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        truth = generator.normal(size=count)
        mixed = 0.8 * truth + 0.6 * generator.normal(size=count)
        return (
            noisy(mixed, 0.3, seed=int(generator.integers(1 << 30))),
            noisy(truth, 0.3, seed=int(generator.integers(1 << 30))),
        )

    proxy, reference = draw(2000)
    known = float(np.mean([kendalltau(row, reference.mean(0)).statistic for row in proxy]))
    covered = 0
    for _ in range(40):
        proxy, reference = draw(24)
        costs = generator.normal(size=24)
        one = judged({"rung 0": proxy}, reference, costs, replicates=100).judgements["rung 0"]
        covered += one.tau.low <= known <= one.tau.high
    assert covered >= 34
    again = [judged({"rung 0": proxy}, reference, costs, replicates=20).judgements["rung 0"] for _ in range(2)]
    assert again[0] == again[1]


# --- the noise ceiling


def test_ceiling_of_a_reference_without_noise_is_one() -> None:
    ceiling = noise_ceiling(np.tile(np.arange(9.0), (3, 1)))
    assert ceiling == pytest.approx((1, 1, 1))


def test_ceiling_is_what_perfect_knowledge_reaches() -> None:
    """The correction against the very thing it estimates, on 1,200 architectures with as much noise as difference."""
    truth = np.random.default_rng(2).normal(size=1200)
    reference = noisy(truth, 1.0, seed=3)
    mean = reference.mean(0)
    ceiling = noise_ceiling(reference)
    assert ceiling.perfect == pytest.approx(kendalltau(truth, mean).statistic, abs=0.03)
    another = noisy(truth, 1.0, seeds=1, seed=4)[0]
    assert ceiling.one_training == pytest.approx(kendalltau(another, mean).statistic, abs=0.03)
    others = [kendalltau(reference[one], np.delete(reference, one, 0).mean(0)).statistic for one in range(3)]
    assert ceiling.one_seed == pytest.approx(np.mean(others))


def test_ceiling_of_pure_noise_is_low_and_of_one_seed_unknown() -> None:
    assert noise_ceiling(noisy(np.zeros(200), 1.0)).perfect < 0.4
    assert all(math.isnan(value) for value in noise_ceiling(np.arange(5.0)[None]))


# --- the judgement


def test_good_proxy_is_to_be_used_and_rediscovered_flops_are_not() -> None:
    generator = np.random.default_rng(5)
    costs, rest = generator.normal(size=60), generator.normal(size=60)
    truth = 0.5 * costs + rest
    found = judged(
        {"good": noisy(truth, 0.2, seed=6), "flops again": noisy(costs, 0.05, seed=7)}, noisy(truth, 0.1, seed=8), costs
    ).judgements
    good, again, flops = found["good"], found["flops again"], found["flops"]
    assert (good.verdict, again.verdict, flops.verdict) == (Verdict.USE, Verdict.DO_NOT, None)
    assert good.tau_at_equal_cost.low > 0.5
    assert abs(again.tau_at_equal_cost.value) < 0.15
    assert again.tau.low > 0.1  # it does rank, as FLOPs do
    assert math.isnan(flops.tau_at_equal_cost.value)
    assert good.tau_of_mean > good.tau.value > again.tau.value
    assert good.regret[1] < again.regret[1]
    assert good.regret[3] <= good.regret[1]


def test_few_architectures_cannot_tell() -> None:
    truth = np.array([1.0, 2, 3, 4, 5, 6])
    one = judged({"rung 0": truth[None] + 0 * truth}, truth[None], np.array([1.0, 3, 2, 5, 4, 6])).judgements["rung 0"]
    assert (one.tau.value, one.verdict) == (1.0, Verdict.CANNOT_TELL)
    with pytest.raises(ValueError, match="4 are the least"):
        judged({"rung 0": truth[None, :3]}, truth[None, :3], truth[:3])


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0.01, 0.4, Verdict.USE),
        (-0.01, 0.4, Verdict.CANNOT_TELL),
        (-0.3, MARGIN - 0.01, Verdict.DO_NOT),
        (-0.3, -0.1, Verdict.DO_NOT),
        (math.nan, math.nan, Verdict.CANNOT_TELL),
    ],
)
def test_verdict_follows_the_interval_of_the_advantage(low: float, high: float, says: Verdict) -> None:
    assert verdict(Estimate((low + high) / 2, low, high), FEWEST_TO_TELL) is says
    assert verdict(Estimate((low + high) / 2, low, high), FEWEST_TO_TELL - 1) is Verdict.CANNOT_TELL


def test_needed_architectures_shrink_the_interval_to_the_difference() -> None:
    assert needed(Estimate(0.2, -0.2, 0.6), 24) == 96  # half the width takes four times as many
    assert needed(Estimate(-0.1, -0.5, 0.3), 24) is None
    assert needed(Estimate(0.2, 0.1, 0.3), 24) is None
