"""The judgement of rankings, on made-up accuracies whose truth is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau

from nas.analysis.bootstrap import Estimate, percentile_estimate, resamples
from nas.analysis.ceiling import noise_ceiling
from nas.analysis.ranking import tau_b
from nas.analysis.trust import FEWEST_TO_TELL, MARGIN, Verdict, judge, needed, verdict


def noisy(truth: np.ndarray, noise: float, *, seeds: int = 3, seed: int = 0) -> np.ndarray:
    return truth + noise * np.random.default_rng(seed).normal(size=(seeds, len(truth)))


def judged(rankings: dict[str, np.ndarray], reference: np.ndarray, costs: np.ndarray, **options: Any) -> Any:
    flops = np.broadcast_to(costs, reference.shape)
    return judge({**rankings, "flops": flops}, reference, costs, trivial=["flops"], **{"replicates": 300, **options})


# --- the bootstrap


def test_resamples_draw_architectures_with_replacement_in_any_number_at_once() -> None:
    drawn = np.concatenate(list(resamples(6, count=20, seed=0)))
    assert drawn.shape == (20, 6, 6)
    assert np.array_equal(drawn, drawn.transpose(0, 2, 1))
    times = np.sqrt(np.diagonal(drawn, axis1=1, axis2=2))
    assert np.array_equal(times.sum(1), np.full(20, 6))
    assert np.array_equal(drawn, times[:, :, None] * times[:, None, :])
    assert sum(len(some) for some in resamples(2000, count=3, seed=0)) == 3  # too many pairs for one array


def test_resampled_tau_is_that_of_the_drawn_architectures() -> None:
    """Against SciPy on the copies; a pair of copies ties on both sides, and is no pair for tau-b either way."""
    x, y = np.random.default_rng(3).normal(size=(2, 9))
    weights = np.concatenate(list(resamples(9, count=5, seed=1)))
    for sample, tau in zip(weights, tau_b(x, y, weights), strict=True):
        copies = np.repeat(np.arange(9), np.sqrt(np.diagonal(sample)).astype(int))
        assert tau == pytest.approx(kendalltau(x[copies], y[copies]).statistic)


def test_interval_is_the_percentiles_and_skips_what_is_undefined() -> None:
    estimate = percentile_estimate(0.5, np.array([*np.linspace(0, 1, 201), math.nan]))
    assert estimate == pytest.approx((0.5, 0.025, 0.975))
    assert math.isnan(percentile_estimate(math.nan, np.ones(3)).low)


def test_judgement_is_repeatable() -> None:
    proxy, reference, costs = world(12, seeds=2, generator=np.random.default_rng(1))
    first, second = (judged({"rung 0": proxy}, reference, costs, replicates=20).judgements["rung 0"] for _ in range(2))
    assert first == second


def world(
    count: int, *, seeds: int, generator: np.random.Generator, agreement: float = 0.8
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Accuracies (S, n) by a proxy and by the reference, and costs (n,), of architectures from one population."""
    truth = generator.normal(size=count)
    mixed = agreement * truth + math.sqrt(1 - agreement**2) * generator.normal(size=count)
    costs = 0.5 * truth + math.sqrt(0.75) * generator.normal(size=count)
    proxy, reference = (one + 0.3 * generator.normal(size=(seeds, count)) for one in (mixed, truth))
    return proxy, reference, costs


@pytest.mark.slow
@pytest.mark.parametrize("agreement", [0.4, 0.8])
@pytest.mark.parametrize("seeds", [1, 2, 3])
@pytest.mark.parametrize("count", [12, 24, 48])
def test_intervals_hold_the_population_s_value_as_often_as_they_say(count: int, seeds: int, agreement: float) -> None:
    """95 % intervals of 500 studies against the mean of very large ones.

    Of 500, a true coverage of 93 to 97.5 % gives 455 to 498 in all but one case of a hundred. The agreement with the
    reference, alone and at equal cost, and the advantage over a trivial ranking are paired numbers of one bootstrap;
    the ceiling is another function of the reference.
    """
    generator = np.random.default_rng([count, seeds, round(10 * agreement)])
    large = [truths_of(*world(1200, seeds=seeds, generator=generator, agreement=agreement)) for _ in range(6)]
    known = np.mean(large, axis=0)
    held = np.zeros(len(known))
    for _ in range(500):
        proxy, reference, costs = world(count, seeds=seeds, generator=generator, agreement=agreement)
        found = judged({"rung 0": proxy}, reference, costs, replicates=400)
        one = found.judgements["rung 0"]
        estimates = [one.tau, one.tau_at_equal_cost, one.advantage]
        estimates += [found.ceiling["perfect"]] if seeds > 1 else []
        held += [estimate.low <= value <= estimate.high for estimate, value in zip(estimates, known, strict=True)]
    print(f"n {count}, {seeds} seeds, agreement {agreement}: {held / 500}")
    assert np.all(held >= 455), held
    assert np.all(held[:3] <= 495), held


def truths_of(proxy: np.ndarray, reference: np.ndarray, costs: np.ndarray) -> list[float]:
    """What the intervals are about, of one very large study."""
    mean = reference.mean(0)
    tau, cost, both = (float(np.mean(tau_b(x, y))) for x, y in ((proxy, mean), (costs, mean), (proxy, costs)))
    fixed = (tau - both * cost) / math.sqrt((1 - both**2) * (1 - cost**2))
    found = [tau, fixed, tau - cost]
    return found if len(reference) == 1 else [*found, float(noise_ceiling(reference).perfect)]


# --- the noise ceiling


def test_ceiling_of_a_reference_without_noise_is_one() -> None:
    ceiling = noise_ceiling(np.tile(np.arange(9.0), (3, 1)))
    assert ceiling == pytest.approx((1, 1, 1))


@pytest.mark.slow
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
    assert needed(Estimate(0.01, -0.39, 0.33), 24) is None  # some 38,000
