"""Training networks of a search again from the command line, with seeds that it has not used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas.analysis.confirmation import Confirmed, confirmed_rows
from nas.analysis.outcomes import rungs_of
from nas.api.workers import Local
from nas.architecture import Architecture
from nas.cli.output import notice
from nas.cli.sweeps import train_sweep
from nas.command_line import command_line
from nas.errors import StudyError
from nas.ledger import Ledger
from nas.records import StudyKind, TrialRecord
from nas.search.definition import searched_study
from nas.search.sweeps.retraining import retraining
from nas.search.sweeps.sweep_run import SweepRun

if TYPE_CHECKING:
    from nas.analysis.front import FrontRow
    from nas.search.sweeps.comparison import Comparison


def train_again(comparison: Comparison, storage: str, *, workers: int | None, device: str) -> list[TrialRecord]:
    """Train what is not trained yet on this machine; the trials of the comparison that have an accuracy.

    Args:
        comparison: what to train.
        storage: of the ledger.
        workers: trainings at a time, or None for as many as fit.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        UserError, NasError: as `train_sweep` does.
    """
    settings = Local(workers, device).settings()
    with Ledger.open(storage, notify=notice) as ledger:
        train_sweep(SweepRun(comparison.sweep(), ledger), comparison.to_dict(), settings, metrics=None)
        trials = ledger.trials(comparison.name)
    return [one for one in trials if one.evaluation is not None and one.evaluation.accuracy is not None]


def confirmed(
    study: str, front: Sequence[FrontRow], seeds: int, storage: str, *, workers: int | None, device: str
) -> list[Confirmed]:
    """A front beside what it is under other seeds; arguments as for `train_again`.

    Args:
        study: the search.
        front: its rows.
        seeds: trainings of each network.
        storage: of the ledger.
        workers: trainings at a time.
        device: where to train.

    Raises:
        StudyError: there is no front, it is not of the last rung, or its accuracies were told from outside.
        UserError, NasError: as `train_sweep` does.
    """
    with Ledger.read(storage) as ledger:
        definition = searched_study(ledger, study)[1]
        _require_trained(ledger, study, front)
        networks = [Architecture.from_dict(ledger.architecture(row.id)) for row in front]
    comparison = retraining(study, definition, networks, purpose="confirm", seeds=seeds)
    wanted = set(range(comparison.first_seed, comparison.first_seed + seeds))
    accuracies: dict[str, list[float]] = {}
    for trial in train_again(comparison, storage, workers=workers, device=device):
        one = trial.evaluation
        if one is not None and one.accuracy is not None and one.key.seed in wanted:
            accuracies.setdefault(trial.architecture_id, []).append(one.accuracy)
    return confirmed_rows(front, accuracies, definition.objectives.costs)


def _require_trained(ledger: Ledger, study: str, front: Sequence[FrontRow]) -> None:
    if not front:
        raise StudyError(f"study {study!r} has no front yet: no candidate has an accuracy")
    stored = ledger.study(study, StudyKind.SEARCH).definition
    is_told = any(one.evaluation is not None and one.evaluation.key.is_told for one in ledger.trials(study))
    if "evaluate" in stored or is_told:
        raise StudyError(
            f"the accuracies of study {study!r} are not of trainings by a recipe; train its front yourself"
        )
    last = rungs_of(stored) - 1
    if front[0].rung != last:
        raise StudyError(
            f"the front of study {study!r} is of rung {front[0].rung} of 0 to {last}, so it would not be compared with "
            f"itself; let it search on: {command_line('search', '--resume', '--study', study, *ledger.as_option)}"
        )
