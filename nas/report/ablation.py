"""The way from one network to another, a decision at a time, each step with its price and what it is expected to bring.

The order is that of the greatest expected gain first; a decision that only exists after another one goes with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from nas.analysis.effects.model import Basis, Model
from nas.analysis.effects.regression import UNKNOWN, contrasts
from nas.analysis.effects.table import CONFIDENCE
from nas.architecture import Architecture, estimate
from nas.cost import METRICS
from nas.errors import UserError
from nas.ledger import Ledger
from nas.records import Plain
from nas.report.analysis import Analysis
from nas.search.definition import searched_study
from nas.space import SearchSpace, load_architecture
from nas.space.askers import following
from nas.space.references import candidate_architecture, split_reference
from nas.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A network on the way, and what its last change is expected to bring.

    Attributes:
        decision: that was changed; empty for the first network.
        before, now: its values.
        also: other decisions that came or went with it.
        id: of the network.
        flops, params: of it.
        gain: expected accuracy against the step before, cost included; None where the data do not determine it.
        low, high: interval; those of all steps hold together.
        accuracy: as it was measured, in [0, 1]; None for a network that the study did not train.
    """

    decision: str
    before: Plain
    now: Plain
    also: tuple[str, ...]
    id: str
    flops: int
    params: int
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    accuracy: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


class _Point(NamedTuple):
    """A network on the way: its step, of which nothing is expected yet, its decisions and its costs."""

    step: Step
    decisions: Mapping[str, Plain]
    costs: Mapping[str, float]


def ablation_path(
    space: SearchSpace,
    task: Task,
    model: Model,
    start: Mapping[str, Plain],
    end: Mapping[str, Plain],
    measured: Mapping[str, float],
) -> list[Step]:
    """The steps from one network of a space to another.

    Args:
        space: where both are.
        task: what networks are priced for.
        model: of what decisions and cost are worth.
        start: the decisions of the one.
        end: those of the other.
        measured: accuracies by id.

    Raises:
        UserError: nothing can be expected of a step, for the reason that is given; or both networks are the same.
    """
    if model.fit is None or model.basis is Basis.NONE:
        raise UserError(f"nothing can be expected of a step: {model.doubt}")
    if model.cost not in METRICS:
        raise UserError(f"nothing can be expected of a step: {model.cost} of a network on the way was not measured")
    weights = model.fit.weights
    here = _point(space, task, {}, start, "")
    points = [here]
    while here.decisions != end:
        differing = [name for name in end if name in here.decisions and here.decisions[name] != end[name]]
        if not differing:
            break
        tried = [_changed(space, task, here, end, name) for name in differing]
        here = max(tried, key=lambda one: float(model.row_of(one.decisions, one.costs[model.cost]) @ weights))
        points.append(here)
    if len(points) == 1:
        raise UserError("both ends of the way are the same network; name another one")
    rows = np.stack([model.row_of(one.decisions, one.costs[model.cost]) for one in points])
    found = contrasts(model.fit, np.diff(rows, axis=0), confidence=CONFIDENCE, widen=model.widen)
    estimates = [UNKNOWN, *map(found.estimate, range(len(points) - 1))]
    return [
        replace(one.step, gain=gain, low=low, high=high, accuracy=measured.get(one.step.id))
        for one, (gain, low, high) in zip(points, estimates, strict=True)
    ]


def _changed(space: SearchSpace, task: Task, here: _Point, end: Mapping[str, Plain], name: str) -> _Point:
    """The network with one decision as at the end, and the end's answers to what that opens."""
    return _point(space, task, here.decisions, {**end, **here.decisions, name: end[name]}, name)


def _point(
    space: SearchSpace, task: Task, before: Mapping[str, Plain], answers: Mapping[str, Plain], changed: str
) -> _Point:
    architecture, decisions = space.choices(following(answers))
    others = {*before.keys(), *decisions.keys()} if before else set()
    also = [name for name in sorted(others) if name != changed and before.get(name) != decisions.get(name)]
    cost = estimate(architecture, task)
    step = Step(
        decision=changed,
        before=before.get(changed),
        now=decisions.get(changed),
        also=tuple(also),
        id=architecture.id,
        flops=cost.flops,
        params=cost.params,
    )
    return _Point(step, decisions, {name: float(value) for name, value in asdict(cost).items()})


def way_to_best(ledger: Ledger, analysis: Analysis, since: str) -> list[Step]:
    """The steps from a network to the most accurate one of a study's rung.

    Args:
        ledger: where the study is.
        analysis: of the study.
        since: a preset, a file, `STUDY:ID`, or the id of a candidate of this study.

    Raises:
        LedgerError: no such candidate.
        UserError: no such network, one that is no point of the study's space, or nothing can be expected.
    """
    definition = searched_study(ledger, analysis.study)[1]
    by_id = {row.id: row for row in analysis.outcomes}
    start = by_id[since].decisions if since in by_id else definition.space.locate(_network(ledger, since))
    if start is None:
        raise UserError(f"--from {since}: it is no point of the space {definition.space.name}")
    best = max(analysis.outcomes, key=lambda row: row.accuracy)
    measured = {row.id: row.accuracy for row in analysis.outcomes}
    return ablation_path(definition.space, definition.task, analysis.model, start, best.decisions, measured)


def _network(ledger: Ledger, reference: str) -> Architecture:
    found = split_reference(reference)
    return load_architecture(reference) if found is None else candidate_architecture(ledger, *found)
