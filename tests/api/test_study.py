from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import nas
from nas.cli.commands import search
from nas.cli.workers import with_workers
from nas.errors import LedgerError, StudyError, UserError
from nas.search.definition import StudyFile


def storage_in(folder: Path) -> str:
    return f"sqlite:///{folder}/nas.db"


def test_the_fields_of_a_study_file_are_the_keyword_arguments() -> None:
    keywords = set(inspect.signature(nas.Study.create).parameters)
    assert keywords == set(StudyFile.model_fields)


def test_the_fields_of_a_study_file_are_the_options_of_the_command() -> None:
    options = set(inspect.signature(with_workers(search.run)).parameters)
    said_in_parts = {"name": "study", "task": "resolution", "about": "study", "plugins": "study"}  # or by --plugin
    assert {said_in_parts.get(name, name) for name in StudyFile.model_fields} <= options


def test_a_study_is_begun_found_and_refused_twice(tmp_path: Path) -> None:
    storage = storage_in(tmp_path)
    space = nas.load_space("tiny")
    made = nas.Study.create("mine", space=space, budget=["20..30MFLOPs", "1Mparams"], seed=3, storage=storage)
    definition = nas.Study.open("mine", storage=storage).definition
    assert made.definition == definition
    assert (definition.seed, str(definition.budget.bounds[0])) == (3, "20MFLOPs..30MFLOPs")
    assert nas.Study.create(space="tiny", budget="30MFLOPs", storage=storage).name == "tiny-30MFLOPs"
    with pytest.raises(StudyError, match="'mine' already"):
        nas.Study.create("mine", space=space, storage=storage)
    with pytest.raises(StudyError, match="no trained candidate yet"):
        _ = made.best
    assert len(made.front) == len(made.trials) == 0
    assert made.status().pulse.study == "mine"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"space": "tinny"}, "did you mean"),
        ({"space": "tiny", "budget": "30"}, "unit"),
        ({"space": "tiny", "seed": -1}, "seed"),
        ({"space": "tiny", "control": 2.0}, "control"),
        ({"space": "tiny", "time": "soon"}, "soon"),
        ({"space": "tiny", "recipe": "proxy_fats"}, "proxy_fast"),
        ({"space": "tiny", "task": {"sides": 3}}, "sides"),
        ({"space": "tiny", "sampler": "genius"}, "genius"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(tmp_path: Path, wrong: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        nas.Study.create("mine", storage=storage_in(tmp_path), **wrong)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_without_a_ledger_there_is_nothing_to_open(tmp_path: Path) -> None:
    with pytest.raises(LedgerError):
        nas.Study.open("mine", storage=storage_in(tmp_path))


@pytest.mark.slow
def test_a_search_goes_on_and_its_best_is_exported(tmp_path: Path) -> None:
    storage = storage_in(tmp_path)
    study = nas.Study.create("mine", space="tiny", budget="5MFLOPs", recipe={"data_share": 0.1}, storage=storage)
    assert study.search(trials=1, executor=nas.Local(workers=1), quiet=True)
    study = nas.Study.open("mine", storage=storage)
    front = study.search(trials=2, executor=nas.Local(workers=1), quiet=True)
    assert [row.id for row in front] == [row.id for row in study.front]
    best = study.best
    assert best.architecture.id == best.id
    assert nas.estimate(best.architecture, 32, 10) == best.cost
    assert best.export(tmp_path / "winner", quiet=True).id == best.id
    assert nas.load_architecture(tmp_path / "winner").id == best.id
    assert sum(weight.numel() for weight in best.build().parameters()) == best.cost.params
    assert len([row for row in study.trials if row.state == "done"]) == 2
