"""The Pareto front of a study, as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from nas.analysis.pareto import non_dominated
from nas.cost import Budget
from nas.cost.budget import latency_of, profile_of
from nas.errors import UserError
from nas.records import Plain, TrialRecord

METRICS = ("accuracy", "flops", "params", "activations", "train_flops", "train_params", "seconds")
"""What a row can be drawn by, beside the latencies that its study has measured."""


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
        decisions: the answers that make it, by decision of the space.
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
    decisions: Mapping[str, Plain]

    def cost(self, metric: str) -> float:
        """A cost by its name; a latency's is `latency@PROFILE`."""
        profile = profile_of(metric)
        return float(getattr(self, metric) if profile is None else self.latency[profile])

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def most_accurate(rows: Sequence[FrontRow], count: int) -> list[FrontRow]:
    """The `count` rows of the highest accuracy, in the order they had; of the highest rungs first."""
    ranked = sorted(rows, key=lambda row: (-row.rung, -row.accuracy, row.flops))[:count]
    kept = {row.id for row in ranked}
    return [row for row in rows if row.id in kept]


def require_metric(metric: str, rows: Sequence[FrontRow]) -> None:
    """Raise UserError for a metric that not every row has."""
    measured = {profile for row in rows for profile in row.latency}
    everywhere = [profile for profile in sorted(measured) if all(profile in row.latency for row in rows)]
    known = (*METRICS, *map(latency_of, everywhere))
    if metric not in known:
        raise UserError(f"no metric {metric!r} of every candidate here; known: {', '.join(known)}")


def evaluated_rows(trials: Sequence[TrialRecord], budget: Budget) -> list[FrontRow]:
    """One row for each architecture with an accuracy, that of the highest rung it has reached, by FLOPs."""
    found: dict[str, dict[int, TrialRecord]] = {}
    for trial in trials:
        if trial.evaluation is not None and trial.evaluation.accuracy is not None:
            by_seed, seed = found.setdefault(trial.architecture_id, {}), trial.evaluation.key.seed
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


def searched_costs(definition: Mapping[str, Plain]) -> tuple[str, ...]:
    """The costs that a study trades accuracy against, by its definition."""
    return tuple(name for name in definition.get("objectives", "accuracy,flops").split(",") if name != "accuracy")


def _rung(trial: TrialRecord) -> int:
    return -1 if trial.evaluation is None else trial.evaluation.key.rung


def _row(trials: Sequence[TrialRecord], budget: Budget) -> FrontRow:
    """One architecture, trained with one seed or several."""
    evaluations = [trial.evaluation for trial in trials if trial.evaluation is not None]
    cost = trials[0].cost
    return FrontRow(
        id=trials[0].architecture_id,
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
        decisions=dict(trials[0].choices),
    )
