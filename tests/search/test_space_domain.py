from __future__ import annotations

import random

import numpy as np
import pytest

from nas.architecture import estimate
from nas.cost import Budget
from nas.errors import BudgetError
from nas.schema.nodes import parse_yaml
from nas.search.domain import distinct
from nas.search.space_domain import SpaceDomain
from nas.space import SearchSpace, drawing, enumerating, load_space
from nas.space.load import read_space

SMALL = """
name: small
task: {resolution: 32, classes: 10}
stem: patchify
stages: {depth: {int: [1, 6]}, width: {int: [8, 40], step: 8}, block: mixer_first}
head: pool_norm_linear
"""


@pytest.fixture
def small() -> SearchSpace:
    return read_space(*parse_yaml(SMALL, "small.yaml"))


def test_candidates_are_the_architectures_of_the_space_with_their_costs() -> None:
    space = load_space("tiny")
    domain = SpaceDomain(space, Budget.parse("10MFLOPs"), space.task)
    for seed in range(10):
        candidate = domain.build(drawing(random.Random(seed)))
        architecture = space.build(drawing(random.Random(seed)))
        assert candidate.id == architecture.id
        assert candidate.form == architecture.to_dict()
        assert candidate.cost["flops"] == estimate(architecture, space.task).flops
        assert candidate.is_feasible is (candidate.cost["flops"] <= 10_000_000)
        assert domain.share(candidate.cost) == candidate.cost["flops"] / 10_000_000


def test_a_small_set_is_listed_whole_and_a_large_one_not_at_all(small: SearchSpace) -> None:
    budget = Budget.parse("300kFLOPs")
    domain = SpaceDomain(small, budget, small.task)
    within = {one.id for one in enumerating(small) if budget.allows(estimate(one, small.task))}
    everything = domain.everything(100)
    assert everything is not None
    assert {small.build(lambda name, _, row=row: domain.feasible.decode(row)[name]).id for row in everything} == within
    assert domain.everything(len(within) - 1) is None
    assert not domain.is_nested
    assert SpaceDomain(load_space("modern"), Budget(), load_space("modern").task).is_nested


def test_distinct_draws_are_as_many_as_there_are(small: SearchSpace) -> None:
    domain = SpaceDomain(small, Budget(), small.task)
    drawn = distinct(domain.feasible, 10, np.random.default_rng(0))
    assert len({row.tobytes() for row in drawn}) == 10
    assert len(distinct(domain.feasible, 200, np.random.default_rng(0))) == 30


def test_a_budget_nothing_meets_says_what_is_nearest(small: SearchSpace) -> None:
    with pytest.raises(BudgetError, match="smallest"):
        SpaceDomain(small, Budget.parse("1kFLOPs"), small.task).require_reachable()
