"""What Optuna says of the importance of decisions, on the candidates that our own importances are of."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.trial import create_trial

from nas.analysis.ranking import Values
from nas.records import Plain


def optuna_importances(decisions: Sequence[Mapping[str, Plain]], scores: Values) -> dict[str, dict[str, float]]:
    """Shares of importance by evaluator and decision: `ped_anova` and `fanova`, with Optuna's defaults.

    fANOVA (F. Hutter, H. Hoos and K. Leyton-Brown, ICML 2014) knows only decisions that every candidate has.

    Args:
        decisions: of each candidate.
        scores: (n,), more is better.
    """
    from optuna import importance  # with scikit-learn, a second

    values: dict[str, dict[str, Plain]] = {}
    for one in decisions:
        for name, value in one.items():
            values.setdefault(name, {})[repr(value)] = value
    distributions = {name: CategoricalDistribution(list(some.values())) for name, some in values.items()}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize")
    study.add_trials(
        [
            create_trial(
                params=dict(one), distributions={name: distributions[name] for name in one}, value=float(score)
            )
            for one, score in zip(decisions, scores, strict=True)
        ]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        evaluators: dict[str, importance.BaseImportanceEvaluator] = {
            "ped_anova": importance.PedAnovaImportanceEvaluator(),
            "fanova": importance.FanovaImportanceEvaluator(seed=0),
        }
        return {name: importance.get_param_importances(study, evaluator=one) for name, one in evaluators.items()}
