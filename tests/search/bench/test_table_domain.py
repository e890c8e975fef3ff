from __future__ import annotations

import math

import numpy as np
import pytest
from search_tables import make_table

from nas.errors import BudgetError
from nas.search.bench.table_domain import TableDomain
from nas.space.askers import following


def test_every_network_is_built_from_its_choices() -> None:
    table = make_table(sizes=(3, 4, 2))
    domain = TableDomain(table, limit=300.0)
    for row, codes in enumerate(table.codes):
        candidate = domain.build(following(domain.feasible.decode(codes)))
        assert candidate.id == f"row-{row}"
        assert candidate.cost == {name: values[row] for name, values in table.costs.items()}
        assert candidate.is_feasible is bool(table.costs["flops"][row] <= 300)
        np.testing.assert_array_equal(domain.feasible.encode(candidate.choices), codes)


def test_only_networks_within_the_limit_are_drawn() -> None:
    table = make_table(sizes=(3, 4, 4))
    domain = TableDomain(table, limit=2000.0)
    drawn = domain.feasible.random(500, np.random.default_rng(0))
    assert domain.feasible.costs(drawn)["flops"].max() <= 2000
    assert len(np.unique(drawn, axis=0)) == len(domain.feasible) == int((table.costs["flops"] <= 2000).sum())
    assert domain.share({"flops": 1000.0}) == 0.5
    assert math.isnan(TableDomain(table).share({"flops": 1.0}))
    with pytest.raises(BudgetError, match="up to 1"):
        TableDomain(table, limit=1.0).require_reachable()


def test_neighbours_differ_in_one_decision_or_as_little_as_can_be() -> None:
    complete = TableDomain(make_table(sizes=(3, 4, 4)))
    row = complete.feasible.codes[17]
    near = complete.feasible.neighbours(row)
    assert len(near) == 2 + 3 + 3
    assert {int((one != row).sum()) for one in near} == {1}
    sparse = TableDomain(make_table(sizes=(3, 4, 4, 4, 4), share=0.02))
    for row in sparse.feasible.codes:
        differences = (sparse.feasible.codes != row).sum(axis=1)
        nearest = int(differences[differences > 0].min())
        assert {int((one != row).sum()) for one in sparse.feasible.neighbours(row)} == {nearest}
