from __future__ import annotations

import numpy as np
import pytest

from nas.search.samplers.surrogate.embedding import Embedding
from nas.search.samplers.surrogate.fitting import JITTER
from nas.search.samplers.surrogate.kernel import Hyperparameters, Inputs, Kernel
from nas.search.samplers.surrogate.posterior import Posterior, factor
from nas.space import Choice, Range

EMBEDDING = Embedding((Choice(("a", "b", "c")), Range(1, 9, 2), Choice(("x", "y"))))
HYPERPARAMETERS = Hyperparameters(
    weights=np.array([0.7, 2.0, 0.1]), signal=0.8, noise=0.05, slopes=np.array([0.4, 0.2])
)
KERNEL = Kernel(EMBEDDING, HYPERPARAMETERS)


def drawn(count: int, seed: int) -> Inputs:
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.integers(-1, size, count) for size in (3, 5, 2)], axis=1).astype(np.int16)
    return Inputs(EMBEDDING.features(codes), rng.normal(size=(count, 2)))


def joined(*parts: Inputs) -> Inputs:
    return Inputs(np.concatenate([one.features for one in parts]), np.concatenate([one.costs for one in parts]))


def by_the_book(observed: Inputs, targets: np.ndarray, asked: Inputs) -> tuple[np.ndarray, np.ndarray]:
    """Rasmussen and Williams, equations 2.25 and 2.26."""
    known, wanted = KERNEL.points(observed), KERNEL.points(asked)
    noisy = KERNEL.between(known, known) + (HYPERPARAMETERS.noise + JITTER) * np.eye(len(targets))
    cross = KERNEL.between(known, wanted)
    means = cross.T @ np.linalg.solve(noisy, targets)
    return means, np.diag(KERNEL.between(wanted, wanted) - cross.T @ np.linalg.solve(noisy, cross))


@pytest.fixture
def grown() -> tuple[Posterior, Inputs, np.ndarray, Inputs]:
    """Observations and candidates that came in turn."""
    first, later, near, far = drawn(9, 0), drawn(4, 1), drawn(20, 2), drawn(7, 3)
    targets = np.random.default_rng(4).normal(size=13)
    posterior = Posterior(KERNEL, first, targets[:9], room=4)
    posterior.consider(near)
    for place in range(4):
        here = slice(place, place + 1)
        posterior.observe(Inputs(later.features[here], later.costs[here]), float(targets[9 + place]))
        if place == 1:
            posterior.consider(far)
    return posterior, joined(first, later), targets, joined(near, far)


def test_it_is_the_posterior_of_all_observations(grown: tuple[Posterior, Inputs, np.ndarray, Inputs]) -> None:
    posterior, observed, targets, candidates = grown
    means, variances = by_the_book(observed, targets, candidates)
    np.testing.assert_allclose(posterior.means, means, atol=1e-9)
    np.testing.assert_allclose(posterior.variances, variances, atol=1e-9)
    np.testing.assert_allclose(posterior.fitted(), by_the_book(observed, targets, observed)[0], atol=1e-9)


def test_pending_candidates_narrow_and_do_not_shift(grown: tuple[Posterior, Inputs, np.ndarray, Inputs]) -> None:
    posterior, observed, targets, candidates = grown
    pending = drawn(3, 5)
    expected, _ = by_the_book(observed, targets, pending)
    means, variances = by_the_book(joined(observed, pending), np.append(targets, expected), candidates)
    np.testing.assert_allclose(posterior.means, means, atol=1e-9)
    np.testing.assert_allclose(posterior.variances_given(pending), variances, atol=1e-9)
    anywhere = posterior.at(candidates, pending=pending)
    np.testing.assert_allclose(anywhere, (means, variances), atol=1e-9)


def test_one_by_one_or_all_at_once_is_the_same_to_the_bit() -> None:
    def run(*, pause: int) -> np.ndarray:
        posterior = Posterior(KERNEL, drawn(9, 0), np.arange(9.0), room=4)
        posterior.consider(drawn(20, 2))
        for place in range(4):
            if place == pause:
                posterior.variances_given(drawn(2, 8))  # asking changes nothing
            posterior.observe(drawn(1, 10 + place), float(place))
        return np.concatenate([posterior.means, posterior.variances])

    assert (run(pause=1) == run(pause=3)).all()


def test_singular_covariances_are_factored_with_a_little_more() -> None:
    flat = np.ones((5, 5))
    lower = factor(flat)
    np.testing.assert_allclose(lower @ lower.T, flat, atol=1e-4)
    with pytest.raises(np.linalg.LinAlgError):
        factor(-np.eye(3))
