"""The trellis of a small space against visiting every point of it: what its paths cost, counted and drawn."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest
from scipy.stats import chisquare
from space_texts import BRANCHED, every_point, space_with

from nas.architecture import estimate
from nas.space import SearchSpace
from nas.space.feasible.count import PathCount
from nas.space.feasible.draw import BandSampler, ends
from nas.space.feasible.network_table import NetworkTable
from nas.space.feasible.rows import Coding
from nas.space.feasible.trellis import Trellis

METRICS = ["flops", "params", "activations"]


@cache
def space() -> SearchSpace:
    return space_with(**BRANCHED)


@cache
def table() -> NetworkTable:
    return NetworkTable(space().root, space().task, Coding(space().root.dimensions()))


@cache
def histogram(metric: str) -> Counter[int]:
    """How many points have which cost, one by one."""
    return Counter(getattr(estimate(one, space().task), metric) for one, _ in every_point(space()))


@pytest.mark.parametrize("metric", METRICS)
def test_paths_have_the_costs_of_the_points(metric: str) -> None:
    paths = PathCount(Trellis(table(), metric), space().size())
    assert {cost: paths.count(cost, cost) for cost in histogram(metric)} == histogram(metric)
    assert paths.count(0, 1 << 60) == space().size()


def test_without_a_metric_every_path_costs_nothing() -> None:
    trellis = Trellis(table(), None)
    assert PathCount(trellis, space().size()).count(0, 0) == space().size()
    assert ends(trellis) == (0, 0)


@pytest.mark.parametrize("metric", METRICS)
def test_ends_are_the_smallest_and_the_largest_cost(metric: str) -> None:
    assert ends(Trellis(table(), metric)) == (min(histogram(metric)), max(histogram(metric)))


def test_costs_beside_a_gap_are_the_next_below_and_above() -> None:
    costs = sorted(histogram("flops"))
    paths = PathCount(Trellis(table(), "flops"), space().size())
    middle = len(costs) // 2
    assert paths.beside(costs[middle], costs[middle]) == [costs[middle - 1], costs[middle + 1]]
    assert paths.beside(costs[0], costs[0]) == [costs[1]]


def test_few_nodes_stand_for_many_networks() -> None:
    nodes = [len(level.nodes) for level in Trellis(table(), "activations").levels]
    assert sum(nodes) < space().size() / 10


def test_draws_are_uniform_over_a_band_around_the_budget() -> None:
    costs = np.sort(np.repeat(list(histogram("flops")), list(histogram("flops").values())))
    low, high = (int(one) for one in np.quantile(costs, [0.4, 0.6]))
    sampler = BandSampler(Trellis(table(), "flops"), low, high)
    points = sampler.draw(40 * round(sampler.count), np.random.default_rng(2))
    rows, counts = np.unique(table().write(points), axis=0, return_counts=True)
    assert len(rows) == sampler.count >= ((costs >= low) & (costs <= high)).sum()
    assert chisquare(counts).pvalue > 1e-3
