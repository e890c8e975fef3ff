"""A hundred runs of each kind: effects, pairs and importances beside what is known, with Optuna's beside ours.

The intervals of a table promise to hold together in 95 of 100 runs. A promise that is kept exactly gives 95 only on
average: fewer than 90 of 100 come by chance in 1.1% of all tries, more than 10 false alarms likewise, so that is what
fails here. The figures themselves are printed; those of docs/analysis.md are from here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import cache, partial

import pytest
from planted import NESTED, TINY, World, drawn, searched
from scipy.stats import binom
from tallies import tally, tally_importances, tally_pairs

from nas.analysis.outcomes import Outcome

RUNS = 100
FEWEST = 90
IMPORTANCE_RUNS = 10
LARGE = {"space": "replknet", "budget": "15GFLOPs"}
NOTHING = World()

KINDS: dict[str, tuple[World, Callable[[int], list[Outcome]]]] = {
    "flat": (TINY, lambda seed: drawn(TINY, 300, seed)),
    "conditional": (NESTED, lambda seed: drawn(NESTED, 300, seed, **LARGE)),
    "surrogate": (TINY, lambda seed: searched(TINY, 150, seed)),
    "surrogate-conditional": (NESTED, lambda seed: searched(NESTED, 150, seed, **LARGE)),
    "surrogate-nothing": (NOTHING, lambda seed: searched(NOTHING, 150, seed)),
    "nothing": (NOTHING, lambda seed: drawn(NOTHING, 300, seed)),
}


@cache
def studied(kind: str, seed: int) -> list[Outcome]:
    """A run, once for all tests of a process."""
    return KINDS[kind][1](seed)


def say(kind: str, what: str, document: object) -> None:
    sys.stderr.write(f"{what} {kind}: {json.dumps(document, default=asdict)}\n")


def test_the_bound_is_what_chance_allows() -> None:
    assert binom.cdf(FEWEST - 1, RUNS, 0.95) < 0.012
    assert binom.cdf(FEWEST, RUNS, 0.95) > 0.012


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", KINDS)
def test_effects_lie_in_their_intervals(kind: str) -> None:
    world, study = KINDS[kind][0], partial(studied, kind)
    found = tally(study, RUNS, world)
    say(kind, "effects", found)
    assert found.whole >= FEWEST
    assert found.alarms <= RUNS - FEWEST
    assert found.silent <= RUNS // 10


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", ["flat", "nothing", "surrogate"])
def test_pairs_lie_in_their_intervals(kind: str) -> None:
    world, study = KINDS[kind][0], partial(studied, kind)
    found = tally_pairs(study, RUNS, world.interactions)
    say(kind, "pairs", found)
    assert found.whole >= FEWEST
    assert found.alarms <= RUNS - FEWEST


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", ["flat", "conditional", "surrogate", "surrogate-conditional"])
def test_what_matters_gets_the_credit(kind: str) -> None:
    world, study = KINDS[kind][0], partial(studied, kind)
    mattering = {*world.marginals, *(name for pair in world.interactions for name in pair)}
    found = tally_importances(study, IMPORTANCE_RUNS, mattering)
    say(kind, "importances", found)
    assert found["nas"].missing == 0
