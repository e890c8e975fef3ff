"""How often an analysis is right about worlds whose effects are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from planted import World

from nas.analysis.effects.importance import at_equal_cost, importances, looked_at
from nas.analysis.effects.interactions import interactions
from nas.analysis.effects.model import Model, fit_effects
from nas.analysis.effects.table import Effect, Finding, effect_table, families
from nas.analysis.outcomes import Outcome
from nas.search.optuna.importances import optuna_importances

Seeded = Callable[[int], Sequence[Outcome]]


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Effects over many runs.

    Attributes:
        runs: how many.
        silent: of them, in which nothing could be told.
        inside: share of all effects that lie in their interval.
        whole: runs in which every one does.
        alarms: runs in which an effect is claimed that is not there, or in the wrong direction.
        found: share of the planted effects that are claimed, in the right direction; 0 where none is planted.
    """

    runs: int
    silent: int
    inside: float
    whole: int
    alarms: int
    found: float


def truth(world: World, model: Model, row: Effect) -> float:
    """What a row of the table should say; of a family the sum over its stages."""
    members = [one.name for one in families(model).get(row.decision, [])] or [row.decision]
    return sum(world.effect(one, row.values[0]) for one in members)


def tally(study: Seeded, runs: int, world: World) -> Tally:
    """The table of effects of many runs, seeds 0 and on."""
    inside: list[bool] = []
    found: list[bool] = []
    whole = alarms = silent = 0
    for seed in range(runs):
        model = fit_effects(study(seed), "flops")
        told = [(row, truth(world, model, row)) for row in effect_table(model) if row.low is not None]
        hits = [(row.low or 0.0) <= real <= (row.high or 0.0) for row, real in told]
        claims = [(_claimed(row), np.sign(real)) for row, real in told]
        inside += hits
        whole += all(hits)
        silent += bool(model.doubt)
        alarms += any(claim != 0 and claim != real for claim, real in claims)
        found += [claim == real for claim, real in claims if real]
    return Tally(
        runs=runs,
        silent=silent,
        inside=float(np.mean(inside or [False])),
        whole=whole,
        alarms=alarms,
        found=float(np.mean(found or [False])),
    )


def _claimed(row: Effect) -> int:
    return {Finding.HELPS: 1, Finding.HURTS: -1}.get(row.finding, 0)


@dataclass(frozen=True, kw_only=True)
class PairTally:
    """Interactions over many runs.

    Attributes:
        runs: how many.
        silent: of them, in which nothing could be told.
        found: runs in which the planted pair is the first and sure.
        whole: runs in which what it adds lies in its interval.
        alarms: runs in which another pair is claimed.
    """

    runs: int
    silent: int
    found: int
    whole: int
    alarms: int


def tally_pairs(study: Seeded, runs: int, planted: Mapping[tuple[str, str], float]) -> PairTally:
    """The table of interactions of many runs; `planted` has one pair or none."""
    pair, size = next(iter(planted.items()), (("", ""), 0.0))
    silent = found = whole = alarms = 0
    for seed in range(runs):
        told = interactions(study(seed), "flops")
        silent += bool(told.doubt)
        claimed = [row for row in told.rows if row.p < 0.05]
        found += bool(claimed) and claimed[0].decisions == pair
        alarms += any(row.decisions != pair for row in claimed)
        whole += all(
            row.low <= size <= row.high or row.low <= -size <= row.high for row in told.rows if row.decisions == pair
        )
    return PairTally(runs=runs, silent=silent, found=found, whole=whole, alarms=alarms)


@dataclass(frozen=True, kw_only=True)
class ImportanceTally:
    """One way to say what matters, over many runs.

    Attributes:
        credited: mean share of the importance that goes to decisions that matter.
        first: share of the decisions that matter that are among the first, as many as there are of them.
        missing: mean number of decisions that matter of which nothing is said.
    """

    credited: float
    first: float
    missing: float


def tally_importances(study: Seeded, runs: int, mattering: set[str]) -> dict[str, ImportanceTally]:
    """Ours and Optuna's of the same candidates at equal cost, by method."""
    shares: dict[str, list[Mapping[str, float]]] = {}
    for seed in range(runs):
        rows = looked_at(study(seed))
        ours = importances(rows, "flops")
        assert ours is not None
        every = {"nas": {one.decision: one.importance for one in ours.rows}}
        every |= optuna_importances([row.decisions for row in rows], at_equal_cost(rows, "flops"))
        for name, one in every.items():
            shares.setdefault(name, []).append(one)
    return {name: _importance_tally(some, mattering) for name, some in shares.items()}


def _importance_tally(some: Sequence[Mapping[str, float]], mattering: set[str]) -> ImportanceTally:
    first = [sorted(one, key=lambda name: -one[name])[: len(mattering)] for one in some]
    return ImportanceTally(
        credited=float(
            np.mean([sum(one.get(name, 0.0) for name in mattering) / (sum(one.values()) or 1) for one in some])
        ),
        first=float(np.mean([len(mattering & set(names)) / len(mattering) for names in first])),
        missing=float(np.mean([len(mattering - one.keys()) for one in some])),
    )
