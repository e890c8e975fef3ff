"""The trust report, on trials that are made up."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from nas.architecture import estimate
from nas.cost import Budget
from nas.errors import NasError
from nas.evaluate.zerocost.scoring import Scored
from nas.records import Evaluation, Failure, TrialRecord, TrialState
from nas.report.trust import TrustReport, training_seconds, trust_report
from nas.report.trust_text import conditions, markdown, sentences
from nas.search.sweeps.trust import REFERENCE, TrustPlan
from nas.space import load_space
from nas.train.recipe import Recipe

SPACE = load_space("tiny")
DRAWN = tuple(SPACE.sample(16, "10MFLOPs", seed=0))
PLAN = TrustPlan(
    name="trusted", space=SPACE, budget=Budget.parse("10MFLOPs"), task=SPACE.task, data="digits", fingerprint="0" * 16,
    proxy=Recipe(epochs=2, rungs=(1,)), reference=Recipe(epochs=9), architectures=DRAWN, seeds=2, sampled_with=0,
)  # fmt: skip
PLACE = {one.id: (7 * index) % 16 for index, one in enumerate(DRAWN)}  # the true order, unlike that of the costs


def trial(number: int, training: Any, accuracy: float | None) -> TrialRecord:
    key = PLAN.sweep().key(training)
    evaluation = Evaluation(
        key=key, accuracy=accuracy, images=100 * (1 + key.rung), images_per_second=50.0, seconds=9.0,
        phases={"build": 0.5, "validate": 0.25, "train": 2.0}, failure=None if accuracy else Failure.DIVERGED,
        message="" if accuracy else "the loss is nan\nat step 3",
    )  # fmt: skip
    return TrialRecord(
        number=number, architecture_id=key.architecture_id, choices=training.label, overrun={}, evaluation=evaluation,
        cost=asdict(estimate(training.architecture, SPACE.task)),
        state=TrialState.DONE if accuracy else TrialState.FAILED,
    )  # fmt: skip


def trials(plan: TrustPlan = PLAN) -> list[TrialRecord]:
    """Rung 1 and the reference agree, rung 0 is upside down."""
    made = []
    for number, training in enumerate(plan.sweep().trainings):
        place = PLACE[training.architecture.id]
        upside_down = training.label["role"] != REFERENCE and not training.rung
        made.append(trial(number, training, 0.5 + 0.01 * (-place if upside_down else place)))
    return made


def scored() -> dict[str, Any]:
    return {
        one.id: {
            "synflow": [Scored(None if index == 3 else float(index), 0.1)] * 2,
            "naswot": [Scored(float(PLACE[one.id]), 0.1)] * 2,
            "flops": [Scored(float(estimate(one, SPACE.task).flops), 0.0)] * 2,
        }
        for index, one in enumerate(DRAWN)
    }


@pytest.fixture(scope="module")
def report() -> TrustReport:
    return trust_report(PLAN, trials(), scored())


def test_good_rung_is_recommended_and_a_bad_one_is_not(report: TrustReport) -> None:
    bad, good, scores = sentences(report)
    assert bad.startswith("Do not use rung 0: ")
    assert good.startswith("Use rung 1: it ranks better than ")
    assert "networks of equal FLOPs" in good
    assert scores.startswith("Of the zero-cost scores, use naswot")


def test_rows_are_ordered_priced_and_complete(report: TrustReport) -> None:
    rows = {row.name: row for row in report.rows}
    assert list(rows) == ["rung 0", "rung 1", "synflow", "naswot", "flops"]
    assert rows["rung 1"].judgement is not None
    assert rows["rung 1"].judgement.tau.value == pytest.approx(1)
    assert rows["rung 1"].judgement.regret == {1: 0, 3: 0}
    assert (rows["rung 0"].seconds, rows["rung 1"].seconds) == pytest.approx((2.75, 4.75))
    assert rows["rung 1"].share == pytest.approx(4.75 / 2.75)
    assert (rows["synflow"].judgement, rows["synflow"].missing) == (None, 1)
    assert "not finite for 1 architecture |" in markdown(report)
    assert report.trust.ceiling["perfect"].value == pytest.approx(1)


def test_architecture_with_a_failed_training_is_left_out_and_named() -> None:
    made = trials()
    made[5] = trial(5, PLAN.sweep().trainings[5], None)
    report = trust_report(PLAN, made, scored())
    assert report.judged == 15
    left_out = made[5].architecture_id
    assert f"Left out: {left_out} (proxy, rung 1, seed 0: diverged: the loss is nan)." in conditions(report)
    assert report.to_dict()["architectures"][2]["rungs"][1][0] is None


def test_study_may_hold_more_than_is_asked_for(report: TrustReport) -> None:
    fewer = trust_report(replace(PLAN, architectures=DRAWN[:12], seeds=1), trials(), scored_for(1))
    assert fewer.judged == 12
    assert all(len(one.reference) == 1 for one in fewer.architectures)
    assert "--seeds 2 or more" in markdown(fewer)


def scored_for(seeds: int) -> dict[str, Any]:
    return {one: {name: by_seed[:seeds] for name, by_seed in found.items()} for one, found in scored().items()}


def test_too_few_whole_architectures_are_no_report() -> None:
    with pytest.raises(NasError, match="only 0 architectures of 16"):
        trust_report(PLAN, [trial(n, one, None) for n, one in enumerate(PLAN.sweep().trainings)], scored())


def test_seconds_of_a_training_do_not_depend_on_where_it_was_interrupted() -> None:
    """100 images at 50/s, then 100 more at 25/s, and the building and validation of the last job."""
    first, second = (
        replace(one.evaluation, images=images, images_per_second=pace)  # type: ignore[type-var]
        for one, images, pace in zip(trials()[:2], (100, 200), (50.0, 25.0), strict=True)
    )
    assert training_seconds([first, second]) == pytest.approx(2 + 4 + 0.75)
    assert training_seconds([replace(first, images_per_second=None, phases={}, train_seconds=8.0)]) == 9.0
