from __future__ import annotations

from pathlib import Path

import optuna
import search_works
from optuna.trial import TrialState as OptunaState
from search_runs import Runner, make_definition

from nas.ledger import Ledger
from nas.records import TrialRecord, TrialState
from nas.search.objectives import Objectives
from nas.search.optuna.mirror import Mirror


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
        assert theirs.user_attrs["architecture"] == ours.architecture
        trained = ours.state in (TrialState.DONE, TrialState.REUSED)
        assert theirs.state is (OptunaState.COMPLETE if trained else OptunaState.PRUNED)
        assert all(value <= 0 for value in theirs.constraints.values()) is trained
        assert set(theirs.constraints) == {"flops", "failed"}
    assert {trial.user_attrs["architecture"] for trial in study.best_trials} <= {one.architecture for one in trials}


def test_mirror_stops_before_a_trial_that_is_under_way(run: Runner, ledger: Ledger, tmp_path: Path) -> None:
    definition = make_definition()
    run(definition, trials=5)
    trials = ledger.trials("study")
    unfinished = [*trials[:2], type(trials[2])(**{**_fields(trials[2]), "state": TrialState.QUEUED}), *trials[3:]]
    mirror = Mirror(f"sqlite:///{tmp_path}/nas.db", "study", definition.space.dimensions(), Objectives())
    _copy(mirror, unfinished)
    assert len(optuna.load_study(study_name="study", storage=f"sqlite:///{tmp_path}/nas.db").trials) == 2
    _copy(mirror, trials)
    mirror.close()
    assert len(optuna.load_study(study_name="study", storage=f"sqlite:///{tmp_path}/nas.db").trials) == len(trials)


def _fields(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}  # type: ignore[attr-defined]


def _copy(mirror: Mirror, trials: list[TrialRecord]) -> None:
    for trial in trials:
        mirror.note(trial)
    mirror.copy()
