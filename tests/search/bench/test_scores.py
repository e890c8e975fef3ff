from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from search_tables import make_table

from nas.analysis.hypervolume import hypervolume
from nas.analysis.pareto import non_dominated
from nas.search.bench.run import seen_by
from nas.search.bench.scores import FrontScore, RegretScore
from nas.search.bench.table import read_table

TABLE = make_table(sizes=(3, 4, 4, 2))
REAL = Path(__file__).parents[4] / "shared" / "bench"
PACKAGED = Path(__file__).parents[3] / "studies" / "tables"


@given(st.lists(st.integers(0, len(TABLE) - 1), min_size=1, max_size=30))
def test_front_score_is_the_share_of_the_true_hypervolume(trained: list[int]) -> None:
    score = FrontScore.of(TABLE)
    points = np.column_stack([TABLE.true, np.log(TABLE.costs["flops"])])

    def volume(rows: list[int] | range) -> float:
        reference = (score.floor, score.ceiling)
        return hypervolume(points[list(rows)].tolist(), reference=reference, maximise=(True, False))

    whole = volume(range(len(points)))
    expected = [volume(trained[: count + 1]) / whole for count in range(len(trained))]
    np.testing.assert_allclose(score.curve(trained), expected, atol=1e-9)


def test_front_score_looks_at_the_better_half_up_to_a_little_beyond_the_true_front() -> None:
    score = FrontScore.of(TABLE)
    assert score.floor == np.median(TABLE.true)
    logs = np.log(TABLE.costs["flops"])
    on = non_dominated(np.column_stack([TABLE.true, logs]).tolist(), maximise=(True, False))
    front = [row for row in on if TABLE.true[row] >= score.floor]
    low, high = logs[front].min(), logs[front].max()
    assert score.ceiling == pytest.approx(low + 1.1 * (high - low))


@given(st.permutations(range(12)))
def test_regret_is_of_the_network_that_looks_best(trained: list[int]) -> None:
    seen = seen_by(TABLE, seed=1)
    score = RegretScore(accuracies=TABLE.true, seen=seen, best=float(TABLE.true.max()))
    expected = [
        TABLE.true.max() - TABLE.true[max(trained[: count + 1], key=lambda row: seen[row])] for count in range(12)
    ]
    np.testing.assert_allclose(score.curve(trained), expected)


def test_each_seed_sees_one_training_of_each_network() -> None:
    first, second = seen_by(TABLE, seed=1), seen_by(TABLE, seed=2)
    assert (first == seen_by(TABLE, seed=1)).all()
    assert (first != second).any()
    assert all(value in row for value, row in zip(first, TABLE.seen, strict=True))


@pytest.mark.skipif(not REAL.is_dir(), reason="the published tables are not here")
@pytest.mark.parametrize(
    ("name", "expected"), [("macro-flops", (0.585, 0.665, 0.733, 0.791, 0.846)),
                           ("nb201-c100-flops", (0.541, 0.603, 0.668, 0.745, 0.806))],
)  # fmt: skip
def test_random_orders_score_what_was_measured_elsewhere(name: str, expected: tuple[float, ...]) -> None:
    """The medians of 30 random searches in the notes that came with the tables."""
    table = read_table(PACKAGED / f"{name}.yaml", REAL)
    score = FrontScore.of(table)
    curves = [score.curve(np.random.default_rng(seed).permutation(len(table))[:400].tolist()) for seed in range(30)]
    found = np.median(curves, axis=0)[[24, 49, 99, 199, 399]]
    np.testing.assert_allclose(found, expected, atol=0.012)
