from __future__ import annotations

import numpy as np
import pytest
from search_tables import make_problem, make_table
from surrogate_searches import Judge, asked, setting_of, told, trained

from nas.search.samplers.surrogate.sampler import Surrogate
from nas.space.feasible import Row


def smooth(row: Row) -> float:
    return 0.5 + 0.02 * float(row.sum()) + 0.01 * float(row[0] == 1)


def test_answers_follow_from_the_history_alone() -> None:
    problem = make_problem(make_table(sizes=(3, 4, 4, 3)))
    kept, anew = (trained(setting_of(problem), smooth, trials=22, anew=anew) for anew in (False, True))
    np.testing.assert_array_equal(kept, anew)


@pytest.mark.parametrize(
    "judge",
    [
        pytest.param(lambda row: 0.5, id="always equal", marks=pytest.mark.slow),
        pytest.param(lambda row: None, id="always failing"),
        pytest.param(lambda row: None if row[0] else 0.7, id="often failing", marks=pytest.mark.slow),
        pytest.param(lambda row: 1.0 if row.sum() > 4 else 0.0, id="all or nothing"),
    ],
)
def test_nothing_is_asked_for_twice_whatever_comes_back(judge: Judge) -> None:
    rows = trained(setting_of(make_problem()), judge, trials=40)
    assert len({row.tobytes() for row in rows}) == 40


def test_everything_is_found_in_the_end_and_then_repeated() -> None:
    table = make_table(sizes=(3, 2, 2))
    rows = trained(setting_of(make_problem(table)), smooth, trials=14)
    assert len({row.tobytes() for row in rows[:12]}) == 12


@pytest.mark.parametrize("costs", [(), ("flops",), ("flops", "params")])
def test_it_finds_the_front_before_chance_would(costs: tuple[str, ...]) -> None:
    table = make_table(sizes=(3, 4, 4, 3))
    problem = make_problem(table, costs=costs)
    rows = trained(setting_of(problem), lambda row: float(table.true[table.row_of[row.tobytes()]]), trials=36)
    found = [table.true[table.row_of[row.tobytes()]] for row in rows]
    assert max(found) == table.true.max()  # one of 144, or of as few as are equal to it


def test_candidates_under_way_are_not_asked_for_again_and_spread() -> None:
    problem = make_problem(make_table(sizes=(3, 4, 4, 3)))
    setting = setting_of(problem)
    sampler = Surrogate(setting)
    rows: list[Row] = []
    costs = {}
    for number in range(30):
        rows.append(sampler.choose(number, setting.generator(number)))
        costs[number] = asked(setting, number, rows[-1])
        if number >= 7:  # eight at a time
            told(setting, number - 7, costs[number - 7], smooth(rows[number - 7]))
    assert len({row.tobytes() for row in rows}) == 30


@pytest.mark.slow
def test_a_table_too_large_to_look_at_whole_is_searched_by_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.search.samplers.surrogate.description.ALL", 20)
    monkeypatch.setattr("nas.search.samplers.surrogate.description.DRAWN", 16)
    table = make_table(sizes=(3, 4, 4, 3))
    problem = make_problem(table)
    kept, anew = (trained(setting_of(problem), smooth, trials=18, anew=anew) for anew in (False, True))
    np.testing.assert_array_equal(kept, anew)
    assert max(map(smooth, kept)) >= sorted(map(smooth, table.codes))[-5]
