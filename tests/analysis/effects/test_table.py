"""Planted effects are found: their direction and size lie in the intervals, and nothing else is claimed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from planted import TINY, World, drawn, pursued
from tallies import tally

from nas.analysis.effects.model import Basis, fit_effects
from nas.analysis.effects.table import Finding, differences, effect_table
from nas.analysis.outcomes import Origin, Outcome

Study = Callable[[World, int, int], list[Outcome]]


@pytest.mark.parametrize(("study", "trials"), [(drawn, 150), pytest.param(pursued, 200, marks=pytest.mark.slow)])
def test_planted_effects_lie_in_their_intervals(study: Study, trials: int) -> None:
    found = tally(lambda seed: study(TINY, trials, seed), 4, TINY)
    assert found.inside > 0.98
    assert found.whole >= 3
    assert found.alarms <= 1


def test_findings_name_what_was_planted() -> None:
    rows = {(row.decision, row.value): row for row in effect_table(fit_effects(drawn(TINY, 400, 0), "flops"))}
    assert rows["stages.1.block.mixer.kernel", "7"].finding is Finding.HELPS
    assert rows["stages.1.block.mixer.kernel", "3"].finding is Finding.HURTS
    assert rows["stages.block.norm", "batchnorm"].finding is Finding.HURTS
    assert rows["stages.block.act_placement", "everywhere"].finding is Finding.NO_MATTER
    unsure = [row for row in rows.values() if row.finding is Finding.CANNOT_TELL]
    assert unsure
    assert all(row.why for row in unsure)


def test_effects_of_a_decision_add_up_to_nothing() -> None:
    rows = effect_table(fit_effects(drawn(TINY, 200, 1), "flops"))
    for name in {row.decision for row in rows}:
        assert sum(row.effect or 0.0 for row in rows if row.decision == name) == pytest.approx(0, abs=1e-9)


def test_a_difference_is_that_of_two_effects() -> None:
    model = fit_effects(drawn(TINY, 200, 1), "flops")
    effects = {(row.decision, row.value): row.effect for row in effect_table(model)}
    pairs = differences(model)
    assert len([one for one in pairs if one.decision == "stages.width.base"]) == 21
    for one in pairs:
        first, second = effects[one.decision, one.value.label], effects[one.decision, one.against.label]
        assert one.effect == pytest.approx(first - second)  # type: ignore[operator]


def test_few_candidates_tell_nothing() -> None:
    model = fit_effects(drawn(TINY, 20, 0), "flops")
    assert model.basis is Basis.NONE
    assert all(row.finding is Finding.CANNOT_TELL and "are needed" in row.why for row in effect_table(model))


def chosen(rows: list[Outcome]) -> list[Outcome]:
    return [replace(row, origin=Origin.CHOSEN) for row in rows]


def test_chosen_candidates_need_a_control() -> None:
    rows = [*drawn(TINY, 9, 0), *chosen(drawn(TINY, 200, 1))]
    table = effect_table(fit_effects(rows, "flops"))
    assert all(row.finding is Finding.CANNOT_TELL and "random control" in row.why for row in table)


def test_a_control_that_agrees_lets_chosen_candidates_speak() -> None:
    model = fit_effects([*drawn(TINY, 30, 0), *chosen(drawn(TINY, 200, 1))], "flops")
    assert model.basis is Basis.CHECKED
    assert any(row.finding is Finding.HELPS for row in effect_table(model))


def test_a_control_that_contradicts_silences_them() -> None:
    lucky = [replace(row, accuracy=row.accuracy + 0.03) for row in chosen(drawn(TINY, 200, 1))]
    model = fit_effects([*drawn(TINY, 30, 0), *lucky], "flops")
    assert model.basis is Basis.NONE
    assert "standard errors" in model.doubt


def test_decisions_that_always_go_together_are_not_told_apart() -> None:
    rows = [
        replace(row, decisions={**row.decisions, "twin": row.decisions["stages.block.norm"]})
        for row in drawn(TINY, 200, 0)
    ]
    table = {row.decision: row for row in effect_table(fit_effects(rows, "flops"))}
    assert table["twin"].effect is None
    assert table["stages.block.norm"].why == "never seen apart from other decisions"
    assert table["stages.block.act"].effect is not None
