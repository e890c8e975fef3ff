from __future__ import annotations

import numpy as np

from nas.search.samplers.surrogate.design import spread_out
from nas.search.samplers.surrogate.embedding import Embedding
from nas.search.samplers.surrogate.kernel import Inputs
from nas.space import Choice


def test_first_candidates_are_far_from_each_other() -> None:
    embedding = Embedding([Choice(("a", "b", "c"))] * 4)
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, (300, 4)).astype(np.int16)
    inputs = Inputs(embedding.features(codes), rng.normal(size=(300, 1)))
    which = spread_out(inputs, embedding.scale, 6)
    assert len(set(which)) == 6

    def nearest(some: np.ndarray) -> float:
        apart = (codes[some][:, None] != codes[some][None]).mean(axis=2)
        return float((apart + np.eye(len(some))).min())

    assert nearest(np.array(which)) > np.median([nearest(rng.choice(300, 6, replace=False)) for _ in range(50)])
    costs = inputs.costs[which, 0]
    assert costs.max() - costs.min() > 0.6 * np.ptp(inputs.costs)


def test_there_may_be_fewer_than_wanted() -> None:
    embedding = Embedding([Choice(("a", "b"))])
    inputs = Inputs(embedding.features(np.array([[0], [1]], np.int16)), np.zeros((2, 0)))
    assert spread_out(inputs, embedding.scale, 10) == [0, 1]
