"""What search tests share: a small study, and how one is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import search_works

from nas.cost import Budget
from nas.ledger import Ledger
from nas.records import StudyKind, StudyRecord
from nas.search.bench.in_process import InProcess
from nas.search.definition import StudyDefinition
from nas.search.driver import Driver, Watch
from nas.search.problem import Problem
from nas.search.pulse import Progress
from nas.search.samplers import samplers
from nas.search.search import Search
from nas.search.stopping import Limits
from nas.space import load_space
from nas.train.recipe import Recipe

Runner = Callable[..., Progress]


def make_definition(**changes: Any) -> StudyDefinition:
    space = load_space("tiny")
    fields: dict[str, Any] = {
        "space": space, "budget": Budget.parse("30MFLOPs"), "task": space.task, "data": "digits",
        "fingerprint": "0" * 16, "recipe": Recipe(), "sampler": "random", "seed": 0,
    }  # fmt: skip
    return StudyDefinition(**{**fields, **changes})


def run_here(
    ledger: Ledger,
    problem: Problem,
    *,
    name: str = "study",
    work: Any = search_works.instant,
    workers: int = 1,
    watch: Watch = lambda progress: None,
    **limits: Any,
) -> Progress:
    """Run a study in this process, without workers of its own; it is created on the first call for its name."""
    if name not in {study.name for study in ledger.studies()}:
        ledger.create_study(StudyRecord(name=name, kind=StudyKind.SEARCH, definition={}, created="2026-01-01T00:00:00"))
    with InProcess(work, workers=workers) as executor:
        search = Search(name, problem, ledger=ledger, limits=Limits(**{"fruitless_asks": 60, **limits}))
        return Driver(search, executor=executor, watch=watch).run("here:1")


def interrupted_after(looks: int) -> Watch:
    """A watch that presses Ctrl-C at the look after so many."""
    left = looks

    def watch(progress: Progress) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt

    return watch


def every_sampler() -> list[Any]:
    """All registered names; Optuna's Gaussian process takes seconds for each candidate."""
    return [pytest.param(name, marks=pytest.mark.slow) if name == "gp" else name for name in samplers]
