"""One small study of every kind, as a source of jobs for a driver, and trainings that follow from their keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from hashlib import sha256

from search_runs import make_definition

from nas.cost import Budget
from nas.executors.base import Report
from nas.ledger import Ledger
from nas.records import Evaluation, EvaluationKey, Failure, Job, StudyKind, StudyRecord
from nas.search.definition import StudyDefinition
from nas.search.driver import Source
from nas.search.problem import Problem
from nas.search.search import Search
from nas.search.stopping import Limits
from nas.search.sweeps.comparison import Comparison, Entry
from nas.search.sweeps.refinement import Refinement
from nas.search.sweeps.refinement_run import RefinementRun
from nas.search.sweeps.sweep_run import SweepRun
from nas.search.sweeps.trainings import open_study
from nas.search.sweeps.trust import TrustPlan
from nas.space import load_space
from nas.train.recipe import Recipe

SPACE = load_space("tiny")
NETWORKS = tuple(SPACE.sample(3, "5MFLOPs", seed=0))
RUNGS = Recipe.from_dict({"epochs": 9, "rungs": [1, 3]})
FINGERPRINT = "0" * 16


@cache
def _searched() -> tuple[StudyDefinition, Problem]:
    """To price the space takes longer than a search of it."""
    definition = make_definition(recipe=RUNGS, sampler="tpe")
    return definition, definition.problem()


def searching(ledger: Ledger) -> Source:
    """Nine candidates, with rungs."""
    definition, problem = _searched()
    if "searched" not in {study.name for study in ledger.studies()}:
        ledger.create_study(
            StudyRecord(name="searched", kind=StudyKind.SEARCH, definition=definition.to_dict(), created="2026-01-01")
        )
    return Search("searched", problem, ledger=ledger, limits=Limits(trials=9))


def comparing(ledger: Ledger) -> Source:
    """Three networks with two seeds each."""
    comparison = Comparison(
        name="compared", about="", entries=tuple(Entry(architecture=one.id) for one in NETWORKS),
        architectures=NETWORKS, task=SPACE.task, data="digits", fingerprint=FINGERPRINT, recipe=Recipe(), seeds=2,
    )  # fmt: skip
    open_study(ledger, comparison.name, StudyKind.COMPARE, comparison.to_dict())
    return SweepRun(comparison.sweep(), ledger)


def trusting(ledger: Ledger) -> Source:
    """Two networks at three rungs and at a reference."""
    plan = TrustPlan(
        name="trusted", space=SPACE, budget=Budget.parse("5MFLOPs"), task=SPACE.task, data="digits",
        fingerprint=FINGERPRINT, proxy=RUNGS, reference=Recipe(epochs=20), architectures=NETWORKS[:2], seeds=1,
        sampled_with=0,
    )  # fmt: skip
    open_study(ledger, plan.name, StudyKind.TRUST, plan.to_dict())
    return SweepRun(plan.sweep(), ledger)


def refining(ledger: Ledger) -> Source:
    """Six recipes for each of two networks, with rungs."""
    plan = Refinement(
        refines="searched", task=SPACE.task, data="digits", fingerprint=FINGERPRINT, recipe=RUNGS,
        architectures=NETWORKS[:2], trials=6, seed=0,
    )  # fmt: skip
    open_study(ledger, plan.name, StudyKind.REFINE, plan.to_dict())
    return RefinementRun(plan, ledger)


SOURCES: dict[StudyKind, Callable[[Ledger], Source]] = {
    StudyKind.SEARCH: searching,
    StudyKind.COMPARE: comparing,
    StudyKind.TRUST: trusting,
    StudyKind.REFINE: refining,
}
"""By kind: begins the study on the first call for a ledger, goes on with it afterwards."""


def accuracy_of(key: EvaluationKey) -> float:
    """One that follows from the training alone, and a little better with every rung."""
    digest = sha256(f"{key.architecture_id} {key.recipe} {key.seed}".encode()).digest()
    return (digest[0] + digest[1 + key.rung] / 4 + 40 * key.rung) / 512


class Work:
    """Trainings that may be interrupted, or lose their worker, with as long a curve as is asked for.

    Attributes:
        done: what was trained, in order.
        tried: how often each was begun.
    """

    def __init__(
        self,
        *,
        interrupt_after: int | None = None,
        losses: Callable[[EvaluationKey], int] = lambda key: 0,
        epochs: int = 0,
    ) -> None:
        self._interrupt_after = interrupt_after
        self._epochs = epochs
        self._losses = losses
        self.done: list[EvaluationKey] = []
        self.tried: Counter[EvaluationKey] = Counter()

    def __call__(self, job: Job, *, report: Report) -> Evaluation:
        if self._interrupt_after == len(self.done):
            raise KeyboardInterrupt
        self.tried[job.key] += 1
        if self.tried[job.key] <= self._losses(job.key):
            return Evaluation(key=job.key, failure=Failure.NODE_LOST, message=f"lost {self.tried[job.key]}")
        self.done.append(job.key)
        return Evaluation(
            key=job.key, accuracy=accuracy_of(job.key), seconds=0.01, curve=tuple(map(float, range(self._epochs)))
        )
