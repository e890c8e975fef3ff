"""Studies that nobody has trained."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from typing import Any

from nas.architecture import Architecture, estimate
from nas.cost import Budget
from nas.ledger import Ledger
from nas.records import (
    CONTROL,
    Evaluation,
    EvaluationKey,
    Failure,
    StudyKind,
    StudyRecord,
    TrialRecord,
    TrialState,
)
from nas.search.definition import StudyDefinition
from nas.space import SearchSpace, load_space
from nas.space.dimension import Dimension, Value
from nas.train.recipe import Recipe

HOSTILE = '<img src=x onerror="window.harmed=1">'
SPACE = load_space("tiny")
_KEPT = 500  # records of a transaction


def drawn(space: SearchSpace, rng: random.Random) -> tuple[Architecture, dict[str, Value]]:
    """An architecture of a space, and the answers that make it."""
    answers: dict[str, Value] = {}

    def ask(name: str, dimension: Dimension) -> Value:
        answers[name] = dimension.draw(rng)
        return answers[name]

    return space.build(ask), answers


def definition(**changes: Any) -> dict[str, Any]:
    """Of a search of the space `tiny` with two rungs."""
    fields: dict[str, Any] = {
        "space": SPACE, "budget": Budget.parse("300MFLOPs"), "task": SPACE.task, "data": "digits",
        "fingerprint": "0" * 16, "recipe": Recipe.from_dict({"epochs": 3, "rungs": [1]}), "sampler": "surrogate",
        "seed": 0,
    }  # fmt: skip
    return StudyDefinition(**{**fields, **changes}).to_dict()


def add_study(ledger: Ledger, name: str, trials: int, *, hostile: bool = False, **changes: Any) -> None:
    """A search of so many trials: one in three goes on to the last rung, one in twenty fails, one in four is random."""
    ledger.create_study(
        StudyRecord(name=name, kind=StudyKind.SEARCH, definition=definition(**changes), created="2026-01-01T00:00:00")
    )
    rng = random.Random(name)
    records: list[TrialRecord] = []
    forms: dict[str, Mapping[str, Any]] = {}
    for number in range(trials):
        architecture, choices = drawn(SPACE, rng)
        if architecture.id in forms:
            architecture, choices = drawn(SPACE, rng)
        forms[architecture.id] = architecture.to_dict()
        records.append(_trial(number, architecture, choices, rng, hostile=hostile))
    for first in range(0, trials, _KEPT):
        some = records[first : first + _KEPT]
        begun = [_at_first_rung(one) for one in some]
        ledger.write_trials(
            name, begun, architectures={one.architecture_id: forms[one.architecture_id] for one in some}
        )
        ledger.write_trials(name, [one for one in some if one.state is TrialState.DONE], architectures={})


def _trial(
    number: int, architecture: Architecture, choices: Mapping[str, Value], rng: random.Random, *, hostile: bool
) -> TrialRecord:
    cost = estimate(architecture, SPACE.task)
    is_broken = number % 20 == 19
    state = TrialState.FAILED if is_broken else TrialState.DONE if number % 3 == 0 else TrialState.STOPPED
    key = EvaluationKey(
        architecture_id=architecture.id, recipe="r", fingerprint="d", seed=0, rung=int(state is TrialState.DONE)
    )
    epochs = 3 if key.rung else 1
    accuracy = min(0.2 + 0.05 * math.log10(cost.flops) + 0.02 * choices["stages.0.depth"] + rng.gauss(0, 0.02), 1.0)
    message = HOSTILE if hostile else f"no memory for {number} MB"
    return TrialRecord(
        number=number,
        architecture_id=architecture.id,
        choices={**choices, HOSTILE: HOSTILE} if hostile else choices,
        cost={name: getattr(cost, name) for name in cost.__dataclass_fields__},
        overrun={"flops": -0.5},
        state=state,
        sampler={CONTROL: True} if number % 4 == 0 else {},
        evaluation=Evaluation(
            key=key,
            accuracy=None if is_broken else accuracy,
            curve=() if is_broken else tuple(2.3 * 0.7**epoch for epoch in range(epochs)),
            images=1000 * epochs,
            seconds=2.0 * epochs,
            train_seconds=1.5 * epochs,
            phases={"train": 1.5 * epochs, "validate": 0.5 * epochs},
            worker="host:1",
            failure=Failure.OUT_OF_MEMORY if is_broken else None,
            message=message if is_broken else "",
            traceback=f"Traceback\n{message}" if is_broken else "",
        ),
    )


def _at_first_rung(record: TrialRecord) -> TrialRecord:
    """The trial as it was before it went on."""
    from dataclasses import replace

    found = record.evaluation
    if record.state is not TrialState.DONE or found is None or found.accuracy is None:
        return record
    before = replace(
        found, key=replace(found.key, rung=0), accuracy=found.accuracy - 0.1, curve=found.curve[:1], images=1000
    )
    return replace(record, state=TrialState.STOPPED, evaluation=before)
