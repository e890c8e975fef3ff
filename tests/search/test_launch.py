from __future__ import annotations

import json
from pathlib import Path

import pytest
from search_runs import Runner, make_definition

from nas.cost import Budget
from nas.errors import BudgetError, StudyError, UserError
from nas.ledger import Ledger
from nas.records import StudyKind, StudyRecord
from nas.schema.packaged import STUDIES, packaged
from nas.search.artifacts import WeightsFolder, weights_folder
from nas.search.definition import StudyDefinition, read_study_file
from nas.search.launch import define, new_plan, resumed_plan
from nas.search.objectives import Objectives
from nas.search.stopping import Limits
from nas.space import load_space
from nas.task import Task
from nas.train.recipe import Recipe


def test_definition_survives_the_ledger() -> None:
    definition = make_definition(budget=Budget.parse(["20..30MFLOPs", "1Mparams"]), recipe=Recipe(epochs=5), seed=7)
    again = StudyDefinition.from_dict(json.loads(json.dumps(definition.to_dict())))
    assert again == definition
    assert again.differences(definition) == []
    assert again.differences(make_definition()) == ["budget", "recipe", "seed"]
    other = make_definition(objectives=Objectives(("params",)), control=0.2, start=({"stages.0.depth": 1},))
    assert StudyDefinition.from_dict(json.loads(json.dumps(other.to_dict()))) == other


def test_new_study_is_named_after_space_and_budget_and_numbered() -> None:
    definition = make_definition()
    assert new_plan(definition, name=None, limits=Limits(trials=1), taken=()).name == "tiny-30MFLOPs"
    assert new_plan(definition, name=None, limits=Limits(trials=1), taken={"tiny-30MFLOPs"}).name == "tiny-30MFLOPs-2"
    ranged = make_definition(budget=Budget.parse("20..30MFLOPs"))
    assert "/" not in new_plan(ranged, name=None, limits=Limits(trials=1), taken=()).name


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "with space", "a:b"])
def test_study_name_cannot_leave_its_folder(name: str) -> None:
    with pytest.raises(UserError, match="cannot name a study"):
        new_plan(make_definition(), name=name, limits=Limits(trials=1), taken=())


def test_resume_takes_the_old_target_and_refuses_contradictions(run: Runner, ledger: Ledger) -> None:
    definition = make_definition()
    stored = {**definition.to_dict(), "trials": 9}
    ledger.create_study(
        StudyRecord(name="old", kind=StudyKind.SEARCH, definition=stored, created="2026-01-01T00:00:00")
    )
    plan = resumed_plan(ledger, None, limits=Limits(), given={})
    assert (plan.name, plan.limits, plan.is_new) == ("old", Limits(trials=9), False)
    assert plan.definition == definition
    longer = resumed_plan(ledger, "old", limits=Limits(patience=20), given={"sampler": "random"})
    assert longer.limits == Limits(patience=20)
    with pytest.raises(StudyError, match="was begun with seed 0, not 3"):
        resumed_plan(ledger, "old", limits=Limits(), given={"seed": 3})


def test_everything_is_checked_before_a_study_begins() -> None:
    space = load_space("tiny")
    fields = {"task": space.task, "data": "digits", "recipe": Recipe(), "sampler": "tpe", "seed": 0}
    assert define(space, Budget.parse("30MFLOPs"), **fields).fingerprint  # type: ignore[arg-type]
    with pytest.raises(BudgetError, match="smallest"):
        define(space, Budget.parse("1kFLOPs"), **fields)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="2x2"):
        define(space, Budget(), **{**fields, "recipe": Recipe(resolution=2)})  # type: ignore[arg-type]


def test_a_recipe_that_nobody_names_is_chosen_by_networks_and_images() -> None:
    space = load_space("tiny")
    fields = {"task": space.task, "data": "digits", "sampler": "tpe", "seed": 0}
    chosen = define(space, Budget.parse("30MFLOPs"), recipe=None, changes={"epochs": 3}, **fields)  # type: ignore[arg-type]
    assert chosen.recipe.to_dict() == {"epochs": 3, "init": "fan_in", "layer_scale_init": 1.0, "crop_padding": 0.0}
    assert chosen.chosen_by is not None
    assert chosen.chosen_by.params < 3_000_000
    assert chosen.yardstick is not None
    assert chosen.yardstick.images == 359
    again = StudyDefinition.from_dict(json.loads(json.dumps(chosen.to_dict())))
    assert again == chosen
    named = define(space, Budget.parse("30MFLOPs"), recipe=Recipe(), **fields)  # type: ignore[arg-type]
    assert (named.chosen_by, named.recipe) == (None, Recipe())


SEARCHES = sorted(one for one in packaged(STUDIES).glob("*.yaml") if "architectures:" not in one.read_text())


@pytest.mark.parametrize("path", SEARCHES, ids=lambda path: path.stem)
def test_packaged_study_files_describe_a_run(path: Path) -> None:
    study = read_study_file(path)
    space = study.load_space(packaged(STUDIES))
    task = Task(resolution=study.task.resolution or space.task.resolution)
    assert space.sample(1, study.budget, task=task)


def test_weights_of_the_front_stay_and_nothing_else_is_touched(tmp_path: Path) -> None:
    folder = WeightsFolder(tmp_path)
    folder.make()
    for name in ("front", "dominated", "stranger"):
        Path(folder.path(name)).write_bytes(b"weights")
    assert folder.remove({"dominated", "never_written"}) == ["dominated"]
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["front", "stranger"]


def test_weights_stand_beside_the_ledger() -> None:
    assert weights_folder("sqlite:///some/where/nas.db", "s").folder == Path("some/where/nas.db.weights/s").absolute()
    assert weights_folder("postgresql+psycopg://host/db", "s").folder == Path.cwd() / "db@host.weights/s"


def test_a_comparison_is_never_taken_for_a_search(ledger: Ledger) -> None:
    with pytest.raises(StudyError, match=r"holds no study that searches a space; run `nas search` first"):
        resumed_plan(ledger, None, limits=Limits(), given={})
    stored = {**make_definition().to_dict(), "trials": 9}
    for name, kind in (("mine", StudyKind.SEARCH), ("pair", StudyKind.COMPARE)):
        ledger.create_study(StudyRecord(name=name, kind=kind, definition=stored, created=f"2026-01-0{len(name)}T00:00"))
    assert resumed_plan(ledger, None, limits=Limits(), given={}).name == "mine"
    with pytest.raises(StudyError, match=r"'pair' compares given architectures \(`nas compare` shows it"):
        resumed_plan(ledger, "pair", limits=Limits(), given={})


def test_weights_that_cannot_be_kept_are_one_message(tmp_path: Path) -> None:
    (tmp_path / "nas.db.weights").write_text("in the way")
    with pytest.raises(UserError, match="no folder for weights"):
        weights_folder(f"sqlite:///{tmp_path}/nas.db", "s").make()
