"""What a study has seen: of each candidate its decisions, what it costs, how accurate it is, and who chose it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nas.analysis.front import searched_costs
from nas.command_line import command_line
from nas.errors import StudyError
from nas.ledger import Ledger
from nas.records import CONTROL, Evaluation, Plain, StudyKind, TrialRecord

_RANDOM = "random"  # the sampler whose every trial is one of the control


class Origin(StrEnum):
    """Who chose a candidate, which decides what may be concluded from it."""

    RANDOM = "random"  # drawn uniformly among what is within budget, whatever was seen before
    GIVEN = "given"  # the user began with it
    CHOSEN = "chosen"  # by a sampler that had seen the accuracies of others


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One candidate with its accuracy.

    Attributes:
        id: of the architecture.
        accuracy: top-1 on the validation split at `rung`, in [0, 1].
        rung: the fidelity.
        seed: of the training.
        cost: by metric, as the trial has it.
        decisions: the answers that make it; a decision that was not asked is missing.
        origin: who chose it.
    """

    id: str
    accuracy: float
    rung: int
    seed: int
    cost: Mapping[str, float]
    decisions: Mapping[str, Plain]
    origin: Origin


def outcomes(
    trials: Sequence[TrialRecord], evaluations: Sequence[Evaluation], definition: Mapping[str, Any], *, rung: int = 0
) -> list[Outcome]:
    """The candidates of a search that have an accuracy at a rung, in the order in which they were asked for.

    At rung 0 these are all that did not fail. Those of a higher rung got there by their accuracy on the one below, and
    so they are a choice by outcome, whoever chose them in the first place: their origin is `CHOSEN`.

    Args:
        trials: of the study.
        evaluations: that the study made or reused.
        definition: of the study, as the ledger has it.
        rung: whose accuracies to take.
    """
    seed = definition.get("seed", 0)
    known: dict[str, float] = {}
    for one in (*(trial.evaluation for trial in trials), *evaluations):
        if one is not None and one.accuracy is not None and one.key.rung == rung and one.key.seed == seed:
            known.setdefault(one.key.architecture_id, one.accuracy)
    found: dict[str, Outcome] = {}
    for trial in sorted(trials, key=lambda one: one.number):
        accuracy = known.get(trial.architecture_id)
        if accuracy is not None and trial.architecture_id not in found:
            found[trial.architecture_id] = Outcome(
                id=trial.architecture_id,
                accuracy=accuracy,
                rung=rung,
                seed=seed,
                cost={metric: float(value) for metric, value in trial.cost.items()},
                decisions=trial.choices,
                origin=Origin.CHOSEN if rung else _origin(trial, definition),
            )
    return list(found.values())


def outcomes_of(ledger: Ledger, study: str, *, rung: int = 0) -> list[Outcome]:
    """The candidates of a search with an accuracy at a rung.

    Raises:
        StudyError: no such search, or it has none.
    """
    definition = ledger.study(study, StudyKind.SEARCH).definition
    rows = outcomes(ledger.trials(study), ledger.evaluations(study), definition, rung=rung)
    if not rows:
        going_on = command_line("search", "--resume", "--study", study, *ledger.as_option)
        raise StudyError(f"study {study!r} has no accuracy at rung {rung} yet; let it search on: {going_on}")
    return rows


def rungs_of(definition: Mapping[str, Plain]) -> int:
    """How many fidelities the recipe of a search has."""
    return len(definition.get("recipe", {}).get("rungs", ())) + 1


def cost_of(definition: Mapping[str, Plain]) -> str:
    """The cost that is held fixed: the first one that accuracy was traded against, or else FLOPs."""
    return next(iter(searched_costs(definition)), "flops")


def _origin(trial: TrialRecord, definition: Mapping[str, Any]) -> Origin:
    if trial.number < len(definition.get("start", ())):
        return Origin.GIVEN
    is_random = definition.get("sampler") == _RANDOM or trial.sampler.get(CONTROL, False)
    return Origin.RANDOM if is_random else Origin.CHOSEN
