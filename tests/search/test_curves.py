from __future__ import annotations

import csv
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import search_works
from search_runs import interrupted_after, make_definition

from nas.executors.base import Report
from nas.ledger import Ledger
from nas.records import Evaluation, Job, StudyKind, StudyRecord
from nas.search.bench.in_process import InProcess
from nas.search.curves import CURVES, CurveLog
from nas.search.definition import StudyDefinition
from nas.search.driver import Driver
from nas.search.search import Search
from nas.search.stopping import Limits
from nas.train.recipe import Recipe

RECIPE = Recipe.from_dict({"epochs": 9, "rungs": [1, 3]})
EPOCHS = (1, 3, 9)


def curving(job: Job, *, report: Report) -> Evaluation:
    found = search_works.climbing(job, report=report)
    epochs = EPOCHS[job.key.rung]
    return Evaluation(
        key=job.key, accuracy=found.accuracy, loss=0.5 / epochs, curve=tuple(2.0 / (1 + one) for one in range(epochs))
    )


def piece(
    ledger: Ledger, definition: StudyDefinition, folder: Path, *, trials: int, after: int, notify: Any = pytest.fail
) -> None:
    with InProcess(curving, workers=2) as executor, CurveLog(folder, notify=notify) as curves:
        search = Search(
            "study", definition.problem(), ledger=ledger, limits=Limits(trials=trials, fruitless_asks=300),
            logs=[curves],
        )  # fmt: skip
        Driver(search, executor=executor, watch=interrupted_after(after)).run("here:1")


def rows_of(folder: Path) -> list[dict[str, Any]]:
    with (folder / CURVES).open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_every_epoch_is_there_once_however_often_the_search_was_interrupted(ledger: Ledger, tmp_path: Path) -> None:
    definition = make_definition(recipe=RECIPE)
    ledger.create_study(
        StudyRecord(name="study", kind=StudyKind.SEARCH, definition=definition.to_dict(), created="2026-01-01T00:00:00")
    )
    for after in (4, 9, 10**9):
        with suppress(KeyboardInterrupt):
            piece(ledger, definition, tmp_path, trials=18, after=after)
    rows, judged = rows_of(tmp_path), {}
    for one in ledger.evaluations("study"):
        judged[one.key.architecture_id, EPOCHS[one.key.rung]] = one.accuracy
    assert len({(row["architecture"], row["epoch"]) for row in rows}) == len(rows)
    longest = {architecture: 0 for architecture, _ in judged}
    for architecture, epoch in judged:
        longest[architecture] = max(longest[architecture], epoch)
    assert len(rows) == sum(longest.values())
    assert {
        (row["architecture"], int(row["epoch"])): float(row["validation_accuracy"])
        for row in rows
        if row["validation_accuracy"]
    } == judged
    assert all(float(row["train_loss"]) == 2.0 / int(row["epoch"]) for row in rows)
    assert sorted(path.name for path in tmp_path.glob("curves*")) == [CURVES]


def test_a_table_that_cannot_be_written_ends_nothing(ledger: Ledger, tmp_path: Path) -> None:
    heard: list[str] = []
    definition = make_definition(recipe=RECIPE)
    ledger.create_study(
        StudyRecord(name="study", kind=StudyKind.SEARCH, definition=definition.to_dict(), created="2026-01-01T00:00:00")
    )
    piece(ledger, definition, tmp_path / "absent", trials=3, after=10**9, notify=heard.append)
    assert len(heard) == 1
    assert "curves.csv: cannot be written (No such file or directory)" in heard[0]
    assert len([one for one in ledger.trials("study") if one.evaluation is not None]) == 3
