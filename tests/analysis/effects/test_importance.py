"""Importances against Optuna's own conditional PED-ANOVA, and what chance alone gives."""

from __future__ import annotations

import optuna
import pytest
from planted import TINY, World, drawn

from nas.analysis.effects.factors import factors
from nas.analysis.effects.importance import at_equal_cost, holm, importances


@pytest.mark.slow
def test_importances_agree_with_optunas() -> None:
    rows = drawn(TINY, 1000, 0)
    study = optuna.create_study(direction="maximize")
    distributions = {
        one.name: optuna.distributions.CategoricalDistribution([level.values[0] for level in one.levels])
        for one in factors([row.decisions for row in rows])
    }
    for row, score in zip(rows, at_equal_cost(rows, "flops"), strict=True):
        study.add_trial(
            optuna.trial.create_trial(params=dict(row.decisions), distributions=distributions, value=float(score))
        )
    theirs = optuna.importance.get_param_importances(study)
    ours = importances(rows, "flops")
    assert ours is not None
    assert {one.decision for one in ours.rows[:3]} == set(list(theirs)[:3])
    for one in ours.rows:
        assert one.importance == pytest.approx(theirs[one.decision], abs=0.05)


def test_what_matters_is_beyond_chance_and_nothing_else() -> None:
    found = importances(drawn(TINY, 600, 0), "flops")
    assert found is not None
    surely = {one.decision for one in found.rows if one.p < 0.05}
    assert "stages.1.block.mixer.kernel" in surely
    assert surely <= {"stages.1.block.mixer.kernel", "stages.block.norm", "stages.0.depth"}


def test_a_world_without_effects_has_no_importance() -> None:
    alarms = 0
    for seed in range(10):
        found = importances(drawn(World(), 200, seed), "flops")
        assert found is not None
        alarms += any(one.p < 0.05 for one in found.rows)
    assert alarms <= 2


def test_few_candidates_say_nothing() -> None:
    assert importances(drawn(TINY, 20, 0), "flops") is None


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
