from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import optuna
import pytest
import search_works
from optuna.trial import TrialState as OptunaState
from optuna_rows import rows_of
from search_runs import Runner, interrupted_after, make_definition

from nas.analysis.front import evaluated_rows, front_rows
from nas.ledger import Ledger
from nas.records import StudyKind, StudyRecord, TrialRecord, TrialState
from nas.search.bench.in_process import InProcess
from nas.search.definition import StudyDefinition
from nas.search.driver import Driver
from nas.search.manage import copy_for_optuna
from nas.search.objectives import Objectives
from nas.search.optuna.mirror import Mirror
from nas.search.search import Search
from nas.search.stopping import Limits
from nas.search.trials import replayed
from nas.train.recipe import Recipe

RECIPE = Recipe.from_dict({"epochs": 9, "rungs": [1, 3]})


@pytest.mark.slow
def test_optuna_opens_the_study_beside_the_ledger(run: Runner, ledger: Ledger, tmp_path: Path) -> None:
    definition = make_definition(sampler="tpe")
    run(definition, trials=12, work=search_works.sometimes_failing)
    trials = ledger.trials("study")
    mirror = Mirror(f"sqlite:///{tmp_path}/nas.db", "study", definition.space.dimensions(), Objectives())
    for _ in range(2):  # copying again changes nothing
        _copy(mirror, trials)
    mirror.close()

    study = optuna.load_study(study_name="study", storage=f"sqlite:///{tmp_path}/nas.db")
    assert study.metric_names == ["accuracy", "flops"]
    assert len(study.trials) == len(trials)
    for ours, theirs in zip(trials, study.trials, strict=True):
        assert theirs.params == dict(ours.choices)
        assert theirs.user_attrs["architecture"] == ours.architecture_id
        trained = ours.state in (TrialState.DONE, TrialState.REUSED)
        assert theirs.state is (OptunaState.COMPLETE if trained else OptunaState.PRUNED)
        assert all(value <= 0 for value in theirs.constraints.values()) is trained
        assert set(theirs.constraints) == {"flops", "failed"}
    assert {trial.user_attrs["architecture"] for trial in study.best_trials} <= {one.architecture_id for one in trials}


def test_what_is_under_way_is_running_until_it_has_ended(run: Runner, ledger: Ledger, tmp_path: Path) -> None:
    definition = make_definition()
    run(definition, trials=5)
    trials = [one for one in ledger.trials("study") if one.state is TrialState.DONE]
    trials = [replace(one, number=number) for number, one in enumerate(trials)]
    started = [*trials[:2], replace(trials[2], state=TrialState.QUEUED, evaluation=None), *trials[3:]]
    mirror = Mirror(f"sqlite:///{tmp_path}/nas.db", "study", definition.space.dimensions(), Objectives())
    _copy(mirror, started)
    running = _opened(tmp_path).trials[2]
    assert (running.state, running.values, running.datetime_complete) == (OptunaState.RUNNING, None, None)
    assert running.params == dict(trials[2].choices)
    assert running.constraints == {}
    _copy(mirror, trials[2:3])
    mirror.close()
    ended = _opened(tmp_path).trials[2]
    assert (ended.state, ended.datetime_start) == (OptunaState.COMPLETE, running.datetime_start)
    assert ended.values is not None
    assert set(ended.constraints) == {"flops", "failed"}


@pytest.mark.slow
def test_optunas_best_trials_are_our_front_in_a_study_with_rungs(run: Runner, ledger: Ledger, tmp_path: Path) -> None:
    definition = make_definition(recipe=RECIPE, sampler="nsga2")
    run(definition, trials=27, work=search_works.failing_above)
    copy_for_optuna(ledger, f"sqlite:///{tmp_path}/nas.db", "study", definition)
    study, trials = _opened(tmp_path), ledger.trials("study")
    front = front_rows(evaluated_rows(trials, definition.budget))
    assert {row.rung for row in front} == {2}
    assert {one.user_attrs["architecture"]: tuple(one.values) for one in study.best_trials} == {
        row.id: (row.accuracy, row.flops) for row in front
    }
    for ours, theirs in zip(trials, study.trials, strict=True):
        reached = -1 if ours.evaluation is None or ours.evaluation.accuracy is None else ours.evaluation.key.rung
        assert theirs.state is (OptunaState.COMPLETE if reached == 2 else OptunaState.PRUNED)
        assert sorted(theirs.intermediate_values) == list(range(reached + 1))
        if reached >= 0:
            assert theirs.intermediate_values[reached] == ours.evaluation.accuracy  # type: ignore[union-attr]
    times = ledger.trial_times("study", [one.number for one in trials])
    for one in study.trials:
        asked, finished = times[one.number]
        assert one.datetime_start == _moment(asked)
        assert one.datetime_complete == max(_moment(asked), _moment(finished or asked))
    assert study.user_attrs["budget"] == ["30MFLOPs"]
    assert study.user_attrs["recipe"]["epochs"] == 9
    assert {"space", "data", "seed", "sampler", "objectives"} <= study.user_attrs.keys()
    figure = optuna.visualization.plot_pareto_front(study)
    best = figure.data[-1]  # behind those of infeasible trials and of others
    assert {(float(x), float(y)) for x, y in zip(best.x, best.y, strict=True)} == {
        (row.accuracy, row.flops) for row in front
    }
    assert len(optuna.visualization.plot_intermediate_values(study).data) == sum(
        bool(one.intermediate_values) for one in study.trials
    )


@pytest.mark.slow
def test_the_front_is_of_the_highest_rung_so_far(ledger: Ledger, run: Runner, tmp_path: Path) -> None:
    definition = make_definition(recipe=RECIPE)
    run(definition, trials=27, work=search_works.climbing)
    mirror = Mirror(f"sqlite:///{tmp_path}/nas.db", "study", definition.space.dimensions(), Objectives(), ledger=ledger)
    steps = [climbed for _, climbed in replayed(ledger, "study", definition.problem().proxy)]
    for rung in range(3):
        for climbed in steps:
            for step in climbed[rung : rung + 1] or ([climbed[0]] if rung == 0 else []):
                mirror.note(step)
        mirror.copy()
        now = [climbed[: rung + 1][-1] for climbed in steps]
        assert {one.user_attrs["architecture"] for one in _opened(tmp_path).best_trials} == {
            row.id for row in front_rows(evaluated_rows(now, definition.budget))
        }
    mirror.close()


@pytest.mark.slow
def test_a_search_in_pieces_leaves_what_a_copy_of_the_whole_is(ledger: Ledger, tmp_path: Path) -> None:
    """A driver that dies leaves its copy as it is; the next one brings it to what the ledger says."""
    definition = make_definition(recipe=RECIPE)
    ledger.create_study(
        StudyRecord(name="study", kind=StudyKind.SEARCH, definition=definition.to_dict(), created="2026-01-01T00:00:00")
    )
    problem, rng = definition.problem(), random.Random(7)
    for trials in (9, 18, 27):
        for _ in range(3):
            with suppress(KeyboardInterrupt):
                _piece(ledger, definition, tmp_path, trials=trials, after=rng.randrange(3, 14))
        _piece(ledger, definition, tmp_path, trials=trials, after=10**9)
    copy_for_optuna(ledger, f"sqlite:///{tmp_path}/fresh.db", "study", definition)
    kept, fresh = (rows_of(tmp_path / name) for name in ("nas.db", "fresh.db"))
    assert kept == fresh
    assert len(kept["trials"]) == len(ledger.trials("study"))
    assert problem.proxy.last == max(step for _, step, _ in kept["trial_intermediate_values"])


def _piece(ledger: Ledger, definition: StudyDefinition, folder: Path, *, trials: int, after: int) -> None:
    """A run whose driver stops at the `after`th look, with nothing put in order."""
    problem = definition.problem()
    mirror = Mirror(
        f"sqlite:///{folder}/nas.db", "study", problem.domain.dimensions, problem.objectives, ledger=ledger,
        about=definition.to_dict(),
    )  # fmt: skip
    mirror._pause = 0.0  # copied at every look
    with InProcess(search_works.climbing, workers=2) as executor:
        search = Search(
            "study", problem, ledger=ledger, limits=Limits(trials=trials, fruitless_asks=300), mirror=mirror
        )
        Driver(search, executor=executor, watch=interrupted_after(after)).run("here:1")


def _moment(text: str | None) -> datetime:
    assert text is not None
    return datetime.fromisoformat(text).replace(tzinfo=None)


def _opened(folder: Path) -> optuna.Study:
    return optuna.load_study(study_name="study", storage=f"sqlite:///{folder}/nas.db")


def _copy(mirror: Mirror, trials: list[TrialRecord]) -> None:
    for trial in trials:
        mirror.note(trial)
    mirror.copy()


def test_tables_of_another_optuna_are_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/nas.db"
    storage = optuna.storages.RDBStorage(url)
    said: list[str] = []
    for revision, messages in ((storage.get_head_version(), 0), ("v1.2.0.a", 1)):
        with storage.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE version_info SET library_version = '3.0.0'")
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
        mirror = Mirror(url, f"of {revision}", {}, Objectives(), notify=said.append)
        mirror.copy()
        mirror.close()
        assert len(said) == messages
    assert optuna.get_all_study_names(storage) == [f"of {storage.get_head_version()}"]
    storage.engine.dispose()
