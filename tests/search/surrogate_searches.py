"""Searches by the surrogate, without engine and ledger."""

from __future__ import annotations

from collections.abc import Callable

from nas.records import Evaluation, EvaluationKey, Failure, TrialRecord, TrialState
from nas.search.history import History
from nas.search.problem import Problem
from nas.search.samplers import Setting
from nas.search.samplers.surrogate.sampler import Surrogate
from nas.space.feasible import Row

Judge = Callable[[Row], float | None]


def setting_of(problem: Problem) -> Setting:
    """Of a search that has not begun."""
    history = History(len(problem.domain.feasible.names), problem.objectives.costs)
    return Setting(domain=problem.domain, objectives=problem.objectives, history=history, seed=problem.seed)


def asked(setting: Setting, number: int, row: Row) -> dict[str, float]:
    """Take down a candidate, and say what it costs."""
    costs = setting.domain.feasible.costs(row[None])
    cost = {name: float(values[0]) for name, values in costs.items()}
    setting.history.ask(number, row, cost)
    return cost


def told(setting: Setting, number: int, cost: dict[str, float], accuracy: float | None) -> None:
    """Take down what became of it; None: it diverged."""
    key = EvaluationKey(architecture_id=str(number), recipe="r", fingerprint="t", seed=setting.seed)
    failure = Failure.DIVERGED if accuracy is None else None
    setting.history.tell(
        TrialRecord(
            number=number, architecture_id=str(number), choices={}, cost=cost, overrun={},
            state=TrialState.DONE if accuracy is not None else TrialState.FAILED,
            evaluation=Evaluation(key=key, accuracy=accuracy, failure=failure),
        )
    )  # fmt: skip


def trained(setting: Setting, judge: Judge, *, trials: int, anew: bool = False) -> list[Row]:
    """One candidate after the other; `anew`: by a sampler that has not seen the asks before."""
    sampler = Surrogate(setting)
    rows = []
    for number in range(trials):
        sampler = Surrogate(setting) if anew else sampler
        row = sampler.choose(number, setting.generator(number))
        rows.append(row)
        told(setting, number, asked(setting, number, row), judge(row))
    return rows
