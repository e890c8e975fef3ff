"""What trainings are like in a simulation: how long each takes, how it ends, and how accurate its network is.

Nothing here claims to predict a real training. It gives the engine what decides its load: durations that spread and
grow with the network, failures of every kind, and accuracies that trade off against cost.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from nas.architecture import Architecture, estimate
from nas.records import Evaluation, EvaluationKey, Failure, Job
from nas.task import Task
from nas.train.recipe import Fidelity

_CEILING, _DEFICIT, _FALL = 0.9, 0.2, 0.35  # accuracy = ceiling - deficit * (FLOPs / typical)^-fall - ...
_ASPECTS = ("params", "activations")  # ... a penalty of what a network spends beside its FLOPs
_PENALTY = 0.02
_UNTRAINED = 0.15  # what a training of no epochs at all would lack
_EARLY_FAILURE = 0.02  # of a training's time: memory runs out in its first steps
_BYTES = 4  # of a value


@dataclass(frozen=True, slots=True, kw_only=True)
class Odds:
    """How often trainings fail.

    Attributes:
        lost: of every attempt, that its worker is lost.
        out_of_memory: of every network, that it does not fit.
        diverged: of every training, that its loss is no number at some point.
    """

    lost: float = 0.01
    out_of_memory: float = 0.01
    diverged: float = 0.02

    def __str__(self) -> str:
        return (
            f"{self.lost:.1%} of the attempts lose their worker, {self.out_of_memory:.1%} of the networks run out of "
            f"memory, {self.diverged:.1%} of the trainings diverge"
        )


class Outcome(NamedTuple):
    """How a training goes: how long it keeps a worker, and what comes of it."""

    seconds: float
    evaluation: Evaluation


@dataclass(frozen=True, kw_only=True)
class World:
    """Draws the outcome of every training.

    What a job draws follows from the seed, the job's key and its attempt, whatever else happens and in whatever order:
    whether a network fits into memory and how accurate it is from the key alone, whether its worker is lost from the
    attempt, too.

    Attributes:
        task: what networks are priced for.
        typical: what a typical network costs, by metric.
        fidelities: the rungs of a training.
        seconds: mean of a whole training of a typical network; it grows in proportion to FLOPs and epochs.
        spread: standard deviation of the logarithm of a training's time, for networks of equal FLOPs.
        odds: of failures.
        noise: standard deviation of an accuracy.
        seed: of everything.
    """

    task: Task
    typical: Mapping[str, float]
    fidelities: Sequence[Fidelity]
    seconds: float
    spread: float = 0.3
    odds: Odds = Odds()
    noise: float = 0.003
    seed: int = 0

    def outcome(self, job: Job) -> Outcome:
        """How a job goes."""
        cost = asdict(estimate(Architecture.from_dict(job.architecture), self.task))
        key = job.key
        rng = self._generator(key, attempt_of(job))
        scale = rng.lognormvariate(-(self.spread**2) / 2, self.spread)  # of mean 1
        whole = self.seconds * self._part(key.rung) * cost["flops"] / self.typical["flops"] * scale
        worker = f"node-{rng.randrange(64):02d}:{rng.randrange(1 << 15)}"
        failure, share = self._failure(key, rng)
        seconds = whole * share
        peak = int(_BYTES * (3 * cost["train_params"] + 16 * cost["train_activations"]))
        if failure is not None:
            message = f"simulated: {failure.value.replace('_', ' ')} after {share:.0%} of the training"
            evaluation = Evaluation(key=key, seconds=seconds, worker=worker, failure=failure, message=message)
            return Outcome(seconds, evaluation)
        return Outcome(seconds, self._success(key, cost, seconds=seconds, worker=worker, peak=peak))

    def _part(self, rung: int) -> float:
        """The share of a whole training that leads from the rung before to this one."""
        before = self.fidelities[rung - 1].epochs if rung else 0
        return (self.fidelities[rung].epochs - before) / self.fidelities[-1].epochs

    def _failure(self, key: EvaluationKey, attempt: random.Random) -> tuple[Failure | None, float]:
        """Why a training ends before its time, if it does, and after what part of it."""
        network, training = self._generator(key.architecture_id), self._generator(key)
        if attempt.random() < self.odds.lost:
            return Failure.NODE_LOST, attempt.random()
        if network.random() < self.odds.out_of_memory:
            return Failure.OUT_OF_MEMORY, _EARLY_FAILURE
        if training.random() < self.odds.diverged:
            return Failure.DIVERGED, training.random()
        return None, 1.0

    def _success(
        self, key: EvaluationKey, cost: Mapping[str, float], *, seconds: float, worker: str, peak: int
    ) -> Evaluation:
        epochs = self.fidelities[key.rung].epochs
        curve = tuple(2.3 / (1 + epoch) ** 0.5 for epoch in range(1, epochs + 1))
        return Evaluation(
            key=key,
            accuracy=self._accuracy(key, cost),
            loss=curve[-1],
            curve=curve,
            images=50_000 * epochs,
            seconds=seconds,
            train_seconds=0.95 * seconds,
            peak_memory=peak,
            images_per_second=50_000 * epochs / seconds,
            phases={"data": 0.01 * seconds, "build": 0.01 * seconds, "train": 0.95 * seconds, "save": 0.03 * seconds},
            worker=worker,
        )

    def _accuracy(self, key: EvaluationKey, cost: Mapping[str, float]) -> float:
        """A smooth function of what the network costs and how long it is trained, and noise."""
        flops = cost["flops"] / self.typical["flops"]
        penalty = sum((math.log(cost[one] / self.typical[one]) - math.log(flops)) ** 2 for one in _ASPECTS)
        unfinished = 1 - self.fidelities[key.rung].epochs / self.fidelities[-1].epochs
        mean: float = _CEILING - _DEFICIT * flops**-_FALL - _PENALTY * penalty - _UNTRAINED * unfinished
        return min(max(mean + self._generator(key, "noise").gauss(0, self.noise), 0.0), 1.0)

    def _generator(self, *what: object) -> random.Random:
        words = (_words(one) if isinstance(one, EvaluationKey) else str(one) for one in (self.seed, *what))
        return random.Random(":".join(words))


def _words(key: EvaluationKey) -> str:
    """What draws are seeded with; other words would give every simulated study that was ever shown another course."""
    return f"EvaluationKey({', '.join(f'{name}={value!r}' for name, value in key.to_dict().items())})"


def attempt_of(job: Job) -> int:
    """Which attempt at its training a job is; the engine ends a job's id with it."""
    return int(job.id.rpartition(".")[2])
