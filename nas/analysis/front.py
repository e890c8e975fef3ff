"""The Pareto front of a study, as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from nas.analysis.pareto import non_dominated
from nas.cost import Budget
from nas.cost.budget import profile_of
from nas.records import TrialRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontRow:
    """One architecture of a study with its accuracy and its price.

    Attributes:
        id: of the architecture.
        accuracy: top-1 on the validation split, in [0, 1]; the mean where there are several seeds.
        flops, params, activations: of the deployed form.
        train_flops, train_params: of the form that is trained.
        share: the part of the budget it uses; None without a budget.
        rung: the fidelity the accuracy was measured at.
        seeds: how many trainings the accuracy is the mean of.
        seconds: of one training.
        weights: file of the trained weights, if they were kept.
        latency: milliseconds by profile, for those that the study has measured.
    """

    id: str
    accuracy: float
    flops: int
    params: int
    activations: int
    train_flops: int
    train_params: int
    share: float | None
    rung: int
    seeds: int
    seconds: float
    weights: str | None
    latency: Mapping[str, float]

    def cost(self, metric: str) -> float:
        """A cost by its name; a latency's is `latency@PROFILE`."""
        profile = profile_of(metric)
        return float(getattr(self, metric) if profile is None else self.latency[profile])

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def evaluated_rows(trials: Sequence[TrialRecord], budget: Budget) -> list[FrontRow]:
    """One row for each architecture with an accuracy, that of the highest rung it has reached, by FLOPs."""
    found: dict[str, dict[int, TrialRecord]] = {}
    for trial in trials:
        if trial.evaluation is not None and trial.evaluation.accuracy is not None:
            by_seed, seed = found.setdefault(trial.architecture, {}), trial.evaluation.key.seed
            if seed not in by_seed or _rung(by_seed[seed]) < trial.evaluation.key.rung:
                by_seed[seed] = trial
    rows = [_row(list(by_seed.values()), budget) for by_seed in found.values()]
    return sorted(rows, key=lambda row: (row.flops, row.id))


def front_rows(rows: Sequence[FrontRow], costs: Sequence[str] = ("flops",)) -> list[FrontRow]:
    """The rows that no other beats in accuracy at no more of any of `costs`, by FLOPs.

    Only those of the highest rung that any has reached: accuracies of different rungs are not compared.
    """
    rung = max((row.rung for row in rows), default=0)
    rows = [row for row in rows if row.rung == rung]
    points = [(row.accuracy, *(row.cost(cost) for cost in costs)) for row in rows]
    best = non_dominated(points, maximise=(True, *(False for _ in costs)))
    return sorted((rows[index] for index in best), key=lambda row: (row.flops, row.id))


def _rung(trial: TrialRecord) -> int:
    return -1 if trial.evaluation is None else trial.evaluation.key.rung


def _row(trials: Sequence[TrialRecord], budget: Budget) -> FrontRow:
    """One architecture, trained with one seed or several."""
    evaluations = [trial.evaluation for trial in trials if trial.evaluation is not None]
    cost = trials[0].cost
    return FrontRow(
        id=trials[0].architecture,
        accuracy=fmean(one.accuracy for one in evaluations if one.accuracy is not None),
        flops=cost["flops"],
        params=cost["params"],
        activations=cost["activations"],
        train_flops=cost["train_flops"],
        train_params=cost["train_params"],
        share=budget.share(cost) if budget.bounds else None,
        rung=evaluations[0].key.rung,
        seeds=len(evaluations),
        seconds=fmean(one.seconds for one in evaluations),
        weights=evaluations[0].weights,
        latency={profile: ms for metric, ms in cost.items() if (profile := profile_of(metric)) is not None},
    )
