"""Published networks beside the candidates of a study: what they cost, and how accurate they are by the same recipe."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from statistics import fmean

from nas.architecture import Architecture, estimate
from nas.errors import UserError
from nas.ledger import Ledger
from nas.report.front_plot import PresetPoint
from nas.report.fronts import Measure, StudyFront
from nas.schema.published import preset_families
from nas.space import load_architecture
from nas.task import Task


def preset_points(ledger: Ledger, fronts: Sequence[StudyFront]) -> list[PresetPoint]:
    """Every published network that can be priced for the task of some studies, the cheapest first.

    An accuracy is only that which the ledger has by the studies' own recipe, data and rung: one published after 300
    epochs says nothing beside one of a proxy. `nas compare` and `nas search --start` train presets.

    Args:
        ledger: where the studies are.
        fronts: of them.

    Raises:
        UserError: the studies are of different tasks, so that a network has several prices.
    """
    tasks = {one.task for one in fronts}
    if len(tasks) > 1:
        raise UserError("--presets: these studies are of different tasks, for which a network costs differently")
    priced = _priced(fronts[0].task)
    measures = {one.measure for one in fronts if one.measure is not None}
    known = _accuracies(ledger, measures.pop()) if len(measures) == 1 else {}
    points = [
        PresetPoint(name=name, cost=cost, accuracy=known.get(architecture.id))
        for name, (architecture, cost) in priced.items()
    ]
    return sorted(points, key=lambda one: one.cost["flops"])


def _priced(task: Task) -> dict[str, tuple[Architecture, dict[str, float]]]:
    """Presets that were published as networks of their own; those that images of this size do not fit are left out."""
    found = {}
    for name in (row.name for family in preset_families() if family.code is not None for row in family.members):
        architecture = load_architecture(name)
        with suppress(UserError):
            found[name] = (
                architecture,
                {one: float(value) for one, value in asdict(estimate(architecture, task)).items()},
            )
    return found


def _accuracies(ledger: Ledger, measure: Measure) -> Mapping[str, float]:
    """Mean over the seeds, by architecture, of all that was measured in the same way."""
    found: dict[str, list[float]] = defaultdict(list)
    for one in ledger.evaluations():
        if one.accuracy is not None and Measure(one.key.fingerprint, one.key.recipe, one.key.rung) == measure:
            found[one.key.architecture_id].append(one.accuracy)
    return {identity: fmean(some) for identity, some in found.items()}
