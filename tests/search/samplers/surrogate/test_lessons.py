from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from nas.search.history import Evaluated
from nas.search.samplers.surrogate.lessons import FIRST, LONGEST, MOST, Scale, chosen, interval, last_remake


@given(st.integers(FIRST, 5000))
def test_model_is_remade_at_fixed_counts_that_grow_apart(count: int) -> None:
    made = last_remake(count)
    assert made <= count < made + interval(made)
    assert last_remake(made) == made
    assert interval(made) <= LONGEST


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(0, 3))
def test_targets_are_standardised_and_failures_are_as_bad_as_the_floor(known: list[float], failed: int) -> None:
    accuracies = np.array([*known, *[np.nan] * failed])
    scale = Scale.of(accuracies)
    targets = scale.targets(accuracies)
    assert np.isfinite(targets).all()
    assert abs(targets.mean()) < 1e-6
    assert targets.std() < 1 + 1e-6
    if failed:
        assert (targets[-failed:] == targets.min()).all()


def test_the_poor_do_not_stretch_the_scale() -> None:
    scale = Scale.of(np.array([0.0, 0.01, 0.9, 0.91, 0.92, 0.93, 0.94]))
    assert scale.floor == 0.91 - (0.94 - 0.91)


def test_a_long_history_is_represented_by_its_front_and_a_spread_of_the_rest() -> None:
    rng = np.random.default_rng(0)
    count = 3 * MOST
    costs, accuracies = rng.uniform(1, 2, (count, 1)), rng.uniform(size=count)
    accuracies[:5], costs[:5, 0] = 2.0 + np.arange(5), 0.5 + 0.1 * np.arange(5)
    evaluated = Evaluated(np.zeros((count, 2), np.int16), costs, accuracies)
    which = chosen(evaluated, (True, False))
    assert len(which) == len(set(which.tolist())) == MOST
    assert set(range(5)) <= set(which.tolist())
    assert accuracies[which].min() < 0.1
