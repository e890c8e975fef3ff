"""What simulation tests share: jobs of a small space, and a world for them."""

from __future__ import annotations

from typing import Any

from nas.architecture import Architecture, estimate
from nas.records import EvaluationKey, Job
from nas.search.simulation.world import Odds, World
from nas.space import load_space
from nas.train.recipe import Recipe

SPACE = load_space("tiny")
NEVER = Odds(lost=0, out_of_memory=0, diverged=0)
RECIPE = Recipe.from_dict({"epochs": 9, "rungs": [1, 3]})


def make_world(**changes: Any) -> World:
    typical = {"flops": 2e7, "params": 5.5e5, "activations": 2.1e5}
    fields = {"task": SPACE.task, "typical": typical, "fidelities": RECIPE.fidelities, "seconds": 600.0}
    return World(**{**fields, **changes})


def jobs(count: int, *, rung: int = 2, attempt: int = 1) -> list[Job]:
    return [
        Job(
            id=f"{number}.{attempt}",
            key=EvaluationKey(architecture_id=one.id, recipe="r", fingerprint="d", seed=0, rung=rung),
            architecture=one.to_dict(),
            recipe={},
            data="simulated",
        )
        for number, one in enumerate(SPACE.sample(count, "30MFLOPs", seed=0))
    ]


def flops(job: Job) -> int:
    return estimate(Architecture.from_dict(job.architecture), SPACE.task).flops
