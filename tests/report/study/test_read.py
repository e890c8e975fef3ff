"""The rows of a report, from a ledger."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_up import add_study, definition

from nas.analysis.front import evaluated_rows, front_rows
from nas.cost import Budget
from nas.errors import StudyError, UserError
from nas.ledger import Ledger
from nas.records import StudyKind, StudyRecord
from nas.report.study.read import read_report
from nas.report.study.rows import StudyRows
from nas.search.resolve import Asked, planned


@pytest.fixture
def study(ledger: Ledger) -> StudyRows:
    return read_report(ledger, ["made-up"]).studies[0]


def test_the_front_is_that_of_nas_pareto(ledger: Ledger, study: StudyRows) -> None:
    rows = evaluated_rows(ledger.trials("made-up"), Budget.parse("300MFLOPs"))
    assert [one.id for one in study.candidates] == [row.id for row in rows]
    assert [one.id for one in study.front] == [row.id for row in front_rows(rows)]
    assert {one.rung for one in study.front} == {1}


def test_work_at_a_lower_rung_is_counted_once(study: StudyRows) -> None:
    climbed = sum(one.rung for one in study.candidates)
    failed = study.counts["failed"]
    assert study.spent.trainings == len(study.candidates) + climbed + failed
    assert study.spent.epochs == len(study.candidates) + 2 * climbed
    assert study.spent.images == 1000 * study.spent.epochs + 1000 * failed


def test_the_volume_grows_to_everything_that_was_found(study: StudyRows) -> None:
    search, *others = study.volume
    assert [curve.name for curve in others] == ["chosen by the sampler, first rung", "random control, first rung"]
    for curve in study.volume:
        shares = [step.share for step in curve.steps]
        assert shares == sorted(shares)
    assert search.steps[-1].share == pytest.approx(1)
    assert search.steps[-1].trainings == study.spent.trainings
    assert search.steps[-1].seconds == pytest.approx(study.spent.seconds)


def test_failures_that_differ_in_numbers_alone_are_one(study: StudyRows) -> None:
    (row,) = study.failures
    assert (row.failure, row.count) == ("out_of_memory", study.spent.failed)
    assert row.traceback.startswith("Traceback")


def test_findings_name_the_best_the_failures_and_the_caution(study: StudyRows) -> None:
    best = max(study.front, key=lambda one: one.accuracy)
    said = " ".join(study.findings)
    assert study.findings[0].startswith(
        f"The most accurate of {len(study.candidates)} candidates within 300MFLOPs, of which {len(study.top)} went on "
        f"to the highest rung, is {best.id}"
    )
    assert "2 trainings of" in said
    assert "drawn at random" in said
    assert "flatter" in said


def test_the_files_repeat_the_study(study: StudyRows, tmp_path: Path) -> None:
    for name, text in study.repeat.files.items():
        (tmp_path / name).write_text(text)
    path = tmp_path / "made-up.yaml"
    again = planned(Asked(path=path), None, f"sqlite:///{tmp_path / 'again.db'}", lambda done, total: None)
    before, after = definition(), again.definition.to_dict()
    for words in (before, after):
        for made_up in ("fingerprint", "yardstick"):
            words.pop(made_up, None)
        words["space"] = words["space"]["text"]
    assert after == before
    assert again.limits.trials == len(study.candidates) + study.counts["failed"]


def test_rungs_of_a_recipe_of_defaults_are_known(ledger: Ledger) -> None:
    from nas.train.recipe import Recipe

    add_study(ledger, "plain", 4, recipe=Recipe())
    assert read_report(ledger, ["plain"]).studies[0].rung_epochs == (Recipe().epochs,)


def test_a_recipe_of_defaults_is_written_too(ledger: Ledger, tmp_path: Path) -> None:
    from nas.train.recipe import Recipe

    add_study(ledger, "plain", 4, recipe=Recipe())
    for name, text in read_report(ledger, ["plain"]).studies[0].repeat.files.items():
        (tmp_path / name).write_text(text)
    url = f"sqlite:///{tmp_path / 'again.db'}"
    again = planned(Asked(path=tmp_path / "plain.yaml"), None, url, lambda done, total: None)
    assert again.definition.recipe == Recipe()


def test_a_study_without_an_accuracy_says_so(ledger: Ledger) -> None:
    ledger.create_study(
        StudyRecord(name="empty", kind=StudyKind.SEARCH, definition=definition(), created="2026-01-01T00:00:00")
    )
    (study,) = read_report(ledger, ["empty"]).studies
    assert study.findings[0] == "No candidate has an accuracy yet, so there is no front."
    assert (study.volume, study.analysis, study.candidates) == ((), None, ())


def test_studies_of_other_recipes_are_not_compared(ledger: Ledger) -> None:
    from nas.train.recipe import Recipe

    add_study(ledger, "longer", 12, recipe=Recipe.from_dict({"epochs": 9}))
    add_study(ledger, "alike", 12)
    assert read_report(ledger, ["made-up", "alike"]).notes == ()
    (note,) = read_report(ledger, ["made-up", "longer"]).notes
    assert note == "these studies differ in recipes: their accuracies are not to be compared"


def test_rows_are_one_json_document(ledger: Ledger) -> None:
    document = json.loads(json.dumps(read_report(ledger, ["made-up"]).to_dict(), allow_nan=False))
    assert document["studies"][0]["candidates"][0]["costs"]["flops"] > 0
    assert document["studies"][0]["analysis"]["study"] == "made-up"


def test_unknown_studies_and_other_kinds_are_refused(ledger: Ledger) -> None:
    with pytest.raises(StudyError, match="did you mean 'made-up'"):
        read_report(ledger, ["made-op"])
    ledger.create_study(
        StudyRecord(name="t", kind=StudyKind.TRUST, definition={"budget": []}, created="2026-01-01T00:00:00")
    )
    with pytest.raises(UserError, match="judges a proxy and has no front"):
        read_report(ledger, ["t"])
