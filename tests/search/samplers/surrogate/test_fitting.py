from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from nas.search.samplers.surrogate.embedding import Embedding
from nas.search.samplers.surrogate.fitting import JITTER, Objective, Prior, fit, unpacked
from nas.search.samplers.surrogate.kernel import Inputs, Kernel
from nas.space import Choice, Range

DIMENSIONS = (Choice(("a", "b", "c")), Range(1, 9, 2), Choice(("x", "y")))
EMBEDDING = Embedding(DIMENSIONS)


def drawn(count: int, seed: int = 0, costs: int = 2) -> tuple[np.ndarray, Inputs]:
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.integers(-1, len(one), count) for one in DIMENSIONS], axis=1).astype(np.int16)
    return codes, Inputs(EMBEDDING.features(codes), rng.normal(size=(count, costs)))


@pytest.mark.parametrize("costs", [0, 1, 2])
def test_gradient_is_what_differences_say(costs: int) -> None:
    _, inputs = drawn(25, costs=costs)
    rng = np.random.default_rng(1)
    prior = Prior.weak(3, costs)
    objective = Objective(EMBEDDING, inputs, rng.normal(size=25), prior)
    for _ in range(3):
        at = prior.centre + rng.normal(size=len(prior.centre))
        estimated = approx_fprime(at, lambda x: objective(x)[0], 1e-6)
        np.testing.assert_allclose(objective(at)[1], estimated, rtol=1e-4, atol=1e-4)


def test_value_is_the_normal_density_of_the_data() -> None:
    _, inputs = drawn(12)
    targets = np.random.default_rng(2).normal(size=12)
    prior = Prior.weak(3, 2)
    at = prior.centre + 0.3
    values = unpacked(at, 3)
    kernel = Kernel(EMBEDDING, values)
    points = kernel.points(inputs)
    covariance = kernel.between(points, points) + (values.noise + JITTER) * np.eye(12)
    likelihood = -0.5 * (targets @ np.linalg.solve(covariance, targets) + np.linalg.slogdet(covariance)[1])
    density = -0.5 * np.square((at - prior.centre) / prior.spread).sum()
    assert Objective(EMBEDDING, inputs, targets, prior)(at)[0] == pytest.approx(-likelihood - density)


def test_decisions_that_matter_get_weight_and_noise_is_found() -> None:
    codes, inputs = drawn(150)
    rng = np.random.default_rng(3)
    targets = 1.5 * np.sin(codes[:, 0] * 2.0) + rng.normal(0, 0.3, 150)
    found = fit(EMBEDDING, inputs, targets / targets.std())
    assert found.weights[0] > 5 * found.weights[2]
    assert found.noise * targets.var() == pytest.approx(0.09, rel=0.5)


@pytest.mark.parametrize("targets", [np.zeros(6), np.array([0.0, 0.0, 0.0, 0.0, 0.0, 6.0])], ids=["equal", "outlier"])
def test_degenerate_data_are_fitted_all_the_same(targets: np.ndarray) -> None:
    codes = np.zeros((6, 3), np.int16)
    found = fit(EMBEDDING, Inputs(EMBEDDING.features(codes), np.zeros((6, 2))), targets)
    assert np.isfinite([*found.weights, found.signal, found.noise, *found.slopes]).all()
