from __future__ import annotations

import numpy as np
import pytest

from nas.analysis.hypervolume import hypervolume
from nas.search.samplers.surrogate.improvement import Region, expected_hypervolume_improvement


def by_quadrature(
    mean: float, deviation: float, costs: np.ndarray, front: tuple[np.ndarray, np.ndarray], region: Region
) -> float:
    """Growth of the hypervolume, averaged over a fine grid of accuracies."""
    maximise = (True, *(False for _ in costs))
    reference = (region.floor, *region.ceiling)
    points = [(accuracy, *place) for accuracy, place in zip(*front, strict=True)]
    before = hypervolume(points, reference=reference, maximise=maximise)
    z = np.linspace(-8, 8, 321)
    growth = [
        hypervolume([*points, (y, *costs)], reference=reference, maximise=maximise) - before
        for y in mean + deviation * z
    ]
    return float(np.trapezoid(growth * np.exp(-z * z / 2), z) / np.sqrt(2 * np.pi))


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("size", [0, 1, 6])
def test_it_is_the_mean_growth_of_the_hypervolume(count: int, size: int) -> None:
    rng = np.random.default_rng(10 * count + size)
    front = (rng.normal(size=size), rng.uniform(0, 4, (size, count)))  # some dominated, some outside the region
    region = Region(floor=-1.0, ceiling=np.full(count, 3.0))
    means, deviations = rng.normal(size=4), rng.uniform(0.05, 1, 4)
    costs = rng.uniform(0, 3.5, (4, count))
    costs[0] = front[1][0] if size else 3.0
    found = expected_hypervolume_improvement(means, deviations, costs, front=front, region=region)
    for place in range(4):
        expected = by_quadrature(means[place], deviations[place], costs[place], front, region)
        assert found[place] == pytest.approx(expected, rel=5e-3, abs=1e-5)


def test_nothing_is_expected_beyond_the_ceiling() -> None:
    region = Region(floor=0.0, ceiling=np.array([1.0]))
    front = (np.array([0.5]), np.array([[0.2]]))
    costs = np.array([[1.0], [1.5], [0.5]])
    found = expected_hypervolume_improvement(np.full(3, 9.0), np.ones(3), costs, front=front, region=region)
    assert (found[:2] == 0).all()
    assert found[2] > 0


def test_all_candidates_at_one_cost_are_told_apart_by_accuracy() -> None:
    region = Region(floor=0.0, ceiling=np.array([1.0]))
    front = (np.empty(0), np.empty((0, 1)))
    found = expected_hypervolume_improvement(
        np.array([0.1, 0.2]), np.full(2, 1e-9), np.zeros((2, 1)), front=front, region=region
    )
    np.testing.assert_allclose(found, [0.1, 0.2])
