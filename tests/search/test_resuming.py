"""A search that is stopped and resumed asks what one that was left alone would have asked."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from search_runs import make_definition, run_here
from search_tables import make_problem, make_table

from nas.ledger import Ledger
from nas.search.problem import Problem
from nas.search.pulse import Progress
from nas.search.samplers import samplers

TRIALS = 15
TABLE = make_table(sizes=(3, 4, 4, 2))
Asked = list[tuple[int, str, dict[str, Any]]]


@contextmanager
def empty_ledger() -> Iterator[Ledger]:
    with tempfile.TemporaryDirectory() as folder, Ledger.open(f"sqlite:///{folder}/nas.db") as ledger:
        yield ledger


def asked(ledger: Ledger) -> Asked:
    return [(trial.number, trial.architecture_id, dict(trial.choices)) for trial in ledger.trials("study")]


def uninterrupted(problem: Problem) -> Asked:
    with empty_ledger() as ledger:
        run_here(ledger, problem, trials=TRIALS)
        return asked(ledger)


def interrupted(problem: Problem, looks: list[int]) -> Asked:
    """Stopped by Ctrl-C after as many looks at the progress as the list says, again and again, then left alone."""
    with empty_ledger() as ledger:
        for count in looks:
            left = iter(range(count))

            def stop(progress: Progress, left: Iterator[int] = left) -> None:
                if next(left, None) is None:
                    raise KeyboardInterrupt

            try:
                run_here(ledger, problem, trials=TRIALS, watch=stop)
            except KeyboardInterrupt:
                continue
        run_here(ledger, problem, trials=TRIALS)
        return asked(ledger)


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] * (one != "surrogate")) for one in samplers]
)
def test_resumed_is_uninterrupted(name: str) -> None:
    problem = make_problem(TABLE, sampler=name, limit=3000.0)  # too little for some of what Optuna's samplers ask
    whole = uninterrupted(problem)

    @settings(max_examples=1 if name == "gp" else 3)
    @given(st.lists(st.integers(0, TRIALS), min_size=1, max_size=3))
    def check(looks: list[int]) -> None:
        assert interrupted(problem, looks) == whole

    check()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["surrogate", "tpe"])
def test_resumed_is_uninterrupted_in_a_space_and_with_candidates_to_begin_with(name: str) -> None:
    definition = make_definition(sampler=name)
    start = tuple(definition.space.locate(one) for one in definition.space.sample(2, "30MFLOPs", seed=5))
    problem = make_definition(sampler=name, start=start).problem()
    whole = uninterrupted(problem)
    assert [choices for _, _, choices in whole[:2]] == [dict(one or {}) for one in start]
    assert interrupted(problem, [1, 3, 7]) == whole


def test_killed_between_asking_and_telling(tmp_path: Path) -> None:
    """What was written but not submitted, or trained but not told, is neither lost nor asked for again."""
    problem = make_problem(TABLE)
    whole = uninterrupted(problem)
    with Ledger.open(f"sqlite:///{tmp_path}/nas.db") as ledger:
        run_here(ledger, problem, trials=9)
        last = ledger.trials("study")[-1]
        run_here(ledger, problem, trials=TRIALS)
        assert asked(ledger) == whole
        assert ledger.trials("study")[last.number].attempts == 1
