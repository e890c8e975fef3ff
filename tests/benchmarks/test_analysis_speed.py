"""How long the analysis of a thousand trials takes, beside Optuna's importances of as many; printed, not judged."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "analysis"))

from planted import TINY, drawn, pursued

from nas.analysis.effects.best_values import best_values
from nas.analysis.effects.importance import at_equal_cost, importances
from nas.analysis.effects.interactions import interactions
from nas.analysis.effects.model import fit_effects
from nas.analysis.effects.table import effect_table
from nas.search.optuna.importances import optuna_importances


@pytest.mark.benchmark
@pytest.mark.parametrize("whose", [drawn, pursued])
def test_a_thousand_trials(whose: object) -> None:
    rows = whose(TINY, 1000, 0)  # type: ignore[operator]
    begun = time.process_time()
    assert effect_table(fit_effects(rows, "flops"))
    assert importances(rows, "flops") is not None
    interactions(rows, "flops")
    assert best_values(rows, "flops")
    ours = time.process_time() - begun
    begun = time.process_time()
    optuna_importances([row.decisions for row in rows], at_equal_cost(rows, "flops"))
    theirs = time.process_time() - begun
    sys.stderr.write(f"analysis {ours:.2f} s of processor time, Optuna's importances {theirs:.2f} s\n")
