from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import binom

from nas.analysis.intervals import mean_interval, wilson


@pytest.mark.parametrize(
    ("correct", "images", "low", "high"),
    [
        # Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17, 1998, table I
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_intervals(correct: int, images: int, low: float, high: float) -> None:
    interval = wilson(correct / images, images)
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


accuracies = st.floats(0, 1)
sizes = st.integers(1, 10**7)
levels = st.floats(0.5, 0.999)


@given(accuracies, sizes, levels)
def test_it_holds_the_accuracy_and_stays_within_bounds(accuracy: float, images: int, confidence: float) -> None:
    low, high = wilson(accuracy, images, confidence=confidence)
    assert 0 <= low <= accuracy <= high <= 1
    assert low < high


@given(accuracies, sizes, levels)
def test_its_bounds_solve_the_score_equation(accuracy: float, images: int, confidence: float) -> None:
    from statistics import NormalDist

    z = NormalDist().inv_cdf((1 + confidence) / 2)
    for bound in wilson(accuracy, images, confidence=confidence):
        assert abs(accuracy - bound) == pytest.approx(z * math.sqrt(bound * (1 - bound) / images), abs=1e-7)


@given(accuracies, sizes)
def test_it_mirrors_and_narrows(accuracy: float, images: int) -> None:
    low, high = wilson(accuracy, images)
    mirrored = wilson(1 - accuracy, images)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((low, high), abs=1e-9)
    more_images, less_confidence = wilson(accuracy, 10 * images), wilson(accuracy, images, confidence=0.5)
    assert more_images.high - more_images.low < high - low
    assert less_confidence.high - less_confidence.low < high - low


@pytest.mark.parametrize(
    ("accuracy", "images", "confidence", "message"),
    [
        (1.5, 10, 0.95, r"accuracy must be within \[0, 1\], got 1.5"),
        (math.nan, 10, 0.95, "accuracy must be within"),
        (0.5, 0, 0.95, "at least one image, got 0"),
        (0.5, 10, 95, r"confidence must be within \(0, 1\), got 95"),
    ],
)
def test_arguments_outside_their_range_are_refused(
    accuracy: float, images: int, confidence: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        wilson(accuracy, images, confidence=confidence)


@pytest.mark.parametrize("images", [20, 100, 359, 5000])
def test_wilson_holds_its_confidence_on_average(images: int) -> None:
    """Exact: the probability of every count of correct images, over accuracies from 5 to 95 %."""
    intervals = np.array([wilson(correct / images, images) for correct in range(images + 1)])
    accuracies = np.linspace(0.05, 0.95, 181)[:, None]
    holds = (intervals[:, 0] <= accuracies) & (accuracies <= intervals[:, 1])  # (181, images + 1)
    assert 0.945 < float((holds * binom.pmf(np.arange(images + 1), images, accuracies)).sum(1).mean()) < 0.965


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_mean_interval_holds_its_confidence(seeds: int) -> None:
    """4,000 means of normal accuracies: a coverage of 95 % gives 93.6 to 96.4 % four standard deviations wide."""
    draws = np.random.default_rng(seeds).normal(0.8, 0.02, size=(4000, seeds))
    held = sum(low <= 0.8 <= high for low, high in (mean_interval(list(map(float, row))) for row in draws))
    assert 0.936 < held / 4000 < 0.964
