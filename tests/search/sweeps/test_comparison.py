from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import search_works

from nas.errors import StudyError, UserError
from nas.executors.local import LocalExecutor
from nas.ledger import Ledger
from nas.records import StudyKind, TrialState
from nas.report.comparison import comparison_rows, markdown
from nas.report.comparison_image import draw_comparison
from nas.schema.packaged import STUDIES, packaged
from nas.search.definition import read_study_file
from nas.search.driver import Driver, StudyStopped, Watch
from nas.search.pulse import Progress
from nas.search.sweeps.comparison import Comparison, Entry, read_comparison
from nas.search.sweeps.sweep_run import SweepRun
from nas.search.sweeps.trainings import open_study
from nas.space import load_architecture
from nas.task import Task
from nas.train.recipe import Recipe

NAMES = ("convnext_tiny", "convnext_small")


def make_comparison(**changes: Any) -> Comparison:
    fields: dict[str, Any] = {
        "name": "pair", "about": "Two of them.", "task": Task(), "data": "digits", "fingerprint": "0" * 16,
        "recipe": Recipe(), "seeds": 3,
        "entries": tuple(Entry(architecture=name, published="82.1") for name in NAMES),
        "architectures": tuple(load_architecture(name) for name in NAMES),
    }  # fmt: skip
    return Comparison(**{**fields, **changes})


def run(
    comparison: Comparison, ledger: Ledger, work: Any = search_works.instant, watch: Watch = lambda progress: None
) -> None:
    open_study(ledger, comparison.name, StudyKind.COMPARE, comparison.to_dict())
    with LocalExecutor(work, workers=2, preload=()) as executor:
        Driver(SweepRun(comparison.sweep(), ledger), executor=executor, watch=watch).run("here:1")


def test_every_architecture_is_trained_once_a_seed(ledger: Ledger) -> None:
    run(make_comparison(), ledger)
    trials = ledger.trials("pair")
    assert len(trials) == len({one.evaluation.key for one in trials if one.evaluation}) == 6
    assert {one.state for one in trials} == {TrialState.DONE}
    rows = comparison_rows([(name, "82.1") for name in NAMES], trials)
    assert [(row.id, row.seeds, row.failed) for row in rows] == [(load_architecture(n).id, 3, 0) for n in NAMES]
    assert [row.flops for row in rows] == [4455531264, 8683712256]


@pytest.mark.slow
def test_interrupted_comparison_goes_on_where_it_stopped(ledger: Ledger) -> None:
    def stop(progress: Progress) -> None:
        if progress.done >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(make_comparison(), ledger, watch=stop)
    finished = {one.number for one in ledger.trials("pair", {TrialState.DONE})}
    assert 2 <= len(finished) < 6
    run(make_comparison(), ledger)
    assert [one.attempts for one in ledger.trials("pair") if one.number in finished] == [1] * len(finished)
    assert len(ledger.trials("pair", {TrialState.DONE})) == 6


@pytest.mark.slow
def test_lost_workers_and_failures_are_survived(ledger: Ledger) -> None:
    run(make_comparison(), ledger, work=search_works.dying_first)
    assert len(ledger.trials("pair", {TrialState.DONE})) == 6
    with pytest.raises(StudyStopped, match="ZeroDivisionError: a defect"):  # the others would fail, too
        run(make_comparison(name="broken", recipe=Recipe(epochs=9)), ledger, work=search_works.always_broken)
    rows = comparison_rows([(name, "") for name in NAMES], ledger.trials("broken"))
    assert [(row.accuracy, row.seeds) for row in rows] == [(None, 0)] * 2
    assert sum(row.failed for row in rows) >= 3


def test_another_comparison_under_the_same_name_is_refused(ledger: Ledger) -> None:
    open_study(ledger, "pair", StudyKind.COMPARE, make_comparison().to_dict())
    open_study(ledger, "pair", StudyKind.COMPARE, make_comparison(seeds=9).to_dict())
    with pytest.raises(StudyError, match="other recipe"):
        open_study(ledger, "pair", StudyKind.COMPARE, make_comparison(recipe=Recipe(epochs=9)).to_dict())


def test_table_shows_interval_and_published_number(ledger: Ledger) -> None:
    run(make_comparison(), ledger)
    rows = comparison_rows([(name, "82.1") for name in NAMES], ledger.trials("pair"))
    text = markdown(rows, "# pair", "conditions")
    assert f"| convnext_tiny | 4.46G | 28.6M | 82.1 | {100 * (rows[0].accuracy or 0):.1f} ± 0.0 | 3 |" in text


@pytest.mark.slow
def test_test_accuracies_are_shown_and_those_of_before_are_judged_again(ledger: Ledger, tmp_path: Path) -> None:
    run(make_comparison(seeds=2), ledger, work=search_works.tested)
    entries = [(name, "") for name in NAMES]
    assert all(row.test_accuracy is None for row in comparison_rows(entries, ledger.trials("pair")))
    run(make_comparison(name="judged", test=True), ledger, work=search_works.tested)
    trials = ledger.trials("judged")
    assert {one.state for one in trials} == {TrialState.DONE}
    rows = comparison_rows(entries, trials)
    assert [row.test_accuracy for row in rows] == [0.375, 0.375]
    text = markdown(rows, "# judged", "conditions")
    assert "| test, mean ± 95% | seeds |" in text
    assert "| 37.5 ± 31.1 | 3 |" in text
    draw_comparison(rows, tmp_path / "judged.png", title="judged")
    assert (tmp_path / "judged.png").read_bytes().startswith(b"\x89PNG")
    run(make_comparison(name="again", test=True), ledger, work=search_works.always_broken)
    assert {one.state for one in ledger.trials("again")} == {TrialState.REUSED}


def test_roadmap_names_every_step_and_is_not_a_search() -> None:
    road = read_comparison(packaged(STUDIES) / "roadmap.yaml")
    assert len(road.architectures) == 17
    assert all(load_architecture(entry.architecture).stages for entry in road.architectures)
    with pytest.raises(UserError, match="nas compare"):
        read_study_file(packaged(STUDIES) / "roadmap.yaml")


def test_comparison_file_mistakes_are_listed(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("name: a/b\narchitectures: []\nseedz: 3\n")
    with pytest.raises(UserError) as caught:
        read_comparison(tmp_path / "c.yaml")
    assert all(word in str(caught.value) for word in ("c.yaml:1:7", "c.yaml:2:16", "did you mean 'seeds'"))
