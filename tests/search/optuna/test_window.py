from __future__ import annotations

import optuna
from optuna.trial import TrialState

from nas.search.optuna.window import WindowedStorage


def test_sampler_sees_what_is_under_way_the_front_and_the_latest() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = WindowedStorage(3, (True, False))
    study = optuna.create_study(storage=storage, directions=["maximize", "minimize"])
    pending = study.ask()
    pending.suggest_int("x", 0, 99)
    for number, values in enumerate([(0.9, 5.0), (0.1, 9.0), (0.2, 9.0), (0.1, 1.0), *[(0.1, 9.0)] * 4], start=1):
        trial = study.ask()
        trial.suggest_int("x", 0, 99)
        study.tell(trial, values)
        assert trial.number == number
    shown = study.get_trials()
    assert [trial.number for trial in shown] == [0, 1, 4, 6, 7, 8]
    assert [trial.number for trial in study.get_trials(states=(TrialState.RUNNING,))] == [0]
    assert study.ask().number == 9
    assert storage.get_trial(2).number == 2
