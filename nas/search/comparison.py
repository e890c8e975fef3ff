"""Given architectures under one recipe with several seeds: a table instead of a search.

Each training is a trial of a study in the ledger, so a comparison that was interrupted goes on where it stopped, and
trainings that any study has done before are not done again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from nas.architecture import Architecture, estimate
from nas.errors import StudyError, UserError
from nas.executors.base import Executor
from nas.ledger import Ledger
from nas.records import EvaluationKey, Failure, Job, TrialRecord, TrialState
from nas.schema.models import read_model
from nas.schema.nodes import read_yaml
from nas.search.definition import TaskFile
from nas.task import Task
from nas.train.recipe import Recipe

_POLL = 0.5
_MAX_LOSSES = 3  # workers lost over one training
Watch = Callable[[int, int, float], None]
"""Called with trainings done, trainings in all, and the fraction done of those under way."""


class Entry(BaseModel):
    """One architecture of a comparison.

    Attributes:
        architecture: a preset, or a file beside the comparison's.
        label: what the table calls it; default its reference.
        published: what its paper says, shown beside ours word for word.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: str
    label: str = ""
    published: str = ""


class ComparisonFile(BaseModel):
    """A study file with `architectures` in place of a space.

    Attributes:
        name: of the study.
        about: a sentence for people, above the table.
        architectures: what to compare, in the order of the table.
        task: what costs are for.
        data: reference of the data set.
        recipe: fields of the recipe; what is missing is the proxy's default.
        seeds: trainings of each, with seeds 0, 1, …
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    about: str = ""
    architectures: list[Entry] = Field(min_length=1)
    task: TaskFile = TaskFile()
    data: str = "digits"
    recipe: Recipe = Recipe()
    seeds: int = Field(default=3, ge=1)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What is compared, and how.

    Attributes:
        name: of the study.
        about: a sentence for people.
        entries: what to compare.
        architectures: of the entries.
        task: what costs are for.
        data: reference of the data set.
        fingerprint: of the data set.
        recipe: how to train.
        seeds: trainings of each.
    """

    name: str
    about: str
    entries: tuple[Entry, ...]
    architectures: tuple[Architecture, ...]
    task: Task
    data: str
    fingerprint: str
    recipe: Recipe
    seeds: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        return {
            "architectures": [entry.model_dump() for entry in self.entries],
            "budget": [],
            "task": asdict(self.task),
            "data": self.data,
            "fingerprint": self.fingerprint,
            "recipe": self.recipe.to_dict(),
        }

    def trials(self) -> list[TrialRecord]:
        """Every training, seed by seed, so that a first seed of all is done before a second of any."""
        return [
            TrialRecord(
                number=number,
                architecture=self.architectures[index].id,
                choices={"entry": index, "seed": seed},
                cost=asdict(estimate(self.architectures[index], self.task)),
                overrun={},
                state=TrialState.QUEUED,
            )
            for number, (seed, index) in enumerate(product(range(self.seeds), range(len(self.entries))))
        ]


def read_comparison(path: Path) -> ComparisonFile:
    """Read a comparison file; raises SchemaError with all its problems."""
    root, problems = read_yaml(path)
    found = read_model(ComparisonFile, root, problems)
    problems.check()
    if found is None:
        raise UserError(f"{path}: cannot be read")
    return found


def run_comparison(comparison: Comparison, ledger: Ledger, executor: Executor, *, holder: str, watch: Watch) -> None:
    """Train what is not known yet.

    Args:
        comparison: what to train; its study is in the ledger already.
        ledger: where everything is kept.
        executor: who trains.
        holder: `host:pid` of this driver.
        watch: told how far it is, several times a second.

    Raises:
        StudyError: another driver has the study.
    """
    with ledger.lease(comparison.name, holder=holder) as lease:
        wanted = comparison.trials()
        forms = {one.id: one.to_dict() for one in comparison.architectures}
        ledger.write_trials(comparison.name, wanted, architectures=forms)
        waiting = ledger.trials(comparison.name, {TrialState.QUEUED})
        running: dict[str, TrialRecord] = {}
        losses: dict[int, int] = {}
        total, done = len(wanted), len(wanted) - len(waiting)
        while waiting or running:
            while waiting and executor.capacity:
                trial = waiting.pop(0)
                known = ledger.find(_key(comparison, trial))
                if known is not None:
                    ledger.finish(comparison.name, trial.number, known, TrialState.REUSED)
                    done += 1
                    continue
                job = _job(comparison, trial, ledger.record_submission(comparison.name, trial.number))
                executor.submit(job)
                running[job.id] = trial
            for finished in executor.completed(_POLL):
                trial, evaluation = running.pop(finished.job_id), finished.evaluation
                if evaluation.failure is Failure.NODE_LOST and losses.get(trial.number, 0) + 1 < _MAX_LOSSES:
                    losses[trial.number] = losses.get(trial.number, 0) + 1
                    waiting.append(trial)
                    continue
                state = TrialState.DONE if evaluation.succeeded else TrialState.FAILED
                ledger.finish(comparison.name, trial.number, evaluation, state)
                done += 1
            watch(done, total, sum(executor.progress().values()))
            lease.renew()


def require_same(comparison: Comparison, stored: dict[str, Any]) -> None:
    """Refuse to mix two comparisons under one name; raises StudyError."""
    mine = comparison.to_dict()
    differs = [word for word in mine if stored.get(word) != mine[word]]
    if differs:
        raise StudyError(
            f"study {comparison.name!r} was begun with other {', '.join(differs)}; "
            "give this comparison another name, or take another --storage"
        )


def _key(comparison: Comparison, trial: TrialRecord) -> EvaluationKey:
    return EvaluationKey(
        architecture=trial.architecture,
        recipe=comparison.recipe.id,
        data=comparison.fingerprint,
        seed=trial.choices["seed"],
    )


def _job(comparison: Comparison, trial: TrialRecord, attempt: int) -> Job:
    return Job(
        id=f"{trial.number}.{attempt}",
        key=_key(comparison, trial),
        architecture=comparison.architectures[trial.choices["entry"]].to_dict(),
        recipe=comparison.recipe.to_dict(),
        data=comparison.data,
    )
