"""Searches side by side, from their ledgers to a table and a plot."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from nas.analysis.race import Race, Run, Trained
from nas.errors import StudyError
from nas.ledger import Ledger
from nas.records import Plain, StudyKind, TrialRecord
from nas.report.chart import Panel, Series
from nas.report.markdown import grid
from nas.units import format_seconds

SHARES = (0.25, 0.5, 0.75, 1.0)
"""Of the training time, after which scores are shown."""

_ABOUT = (
    "Hypervolume of the networks trained to the end, by the accuracies that were seen, over log {cost}, as a share of "
    "that of all searches' joint front; median over the seeds"
)
_SAME = ("space", "budget", "task", "fingerprint", "objectives")
_WORDS = {"fingerprint": "data set"}


class Searches:
    """The studies that take part, of one ledger or of several."""

    def __init__(self, only: Sequence[str] | None = None) -> None:
        """None yet; of these names alone, or of any."""
        self._only = only
        self._missing = set(only or ())
        self._runs: list[Run] = []
        self._first: tuple[str, Mapping[str, Plain]] | None = None
        self.cost = ""
        self.left_out: list[str] = []
        """Why studies do not take part, a sentence each."""

    def add(self, ledger: Ledger) -> None:
        """Every search in a ledger that can be compared with the first one; the others are left out."""
        for study in reversed(ledger.studies()):
            if self._only is not None and study.name not in self._only:
                continue
            self._missing.discard(study.name)
            name = f"{study.name} in {ledger!r}"
            if study.kind is not StudyKind.SEARCH:
                self.left_out.append(f"{name} {study.purpose}; only searches are compared")
                continue
            definition = ledger.study(study.name).definition
            run = self._run(study.name, definition, ledger)
            if not run.trained:
                self.left_out.append(f"{name} has trained no network to the end; let it search on")
                continue
            try:
                self._require_same(name, definition)
            except StudyError as error:
                self.left_out.append(str(error))
                continue
            self._runs.append(run)

    def race(self) -> Race:
        """All of them.

        Raises:
            StudyError: there is none, or none of a name that was asked for.
        """
        if self._missing:
            raise StudyError(f"no study {min(self._missing)!r} in these ledgers; `nas studies` lists those of one")
        if not self._runs:
            raise StudyError("; ".join(["no search in these ledgers that can be compared", *self.left_out]))
        return Race(tuple(sorted(self._runs, key=lambda run: run.seed)))

    def _require_same(self, name: str, definition: Mapping[str, Plain]) -> None:
        costs = definition["objectives"].split(",")[1:]
        if len(costs) != 1:
            raise StudyError(f"{name} searched for {definition['objectives']}; only one cost beside accuracy is drawn")
        if self._first is None:
            self._first, self.cost = (name, definition), costs[0]
            return
        other, first = self._first
        differs = [word for word in _SAME if definition[word] != first[word]]
        if _without_rungs(definition) != _without_rungs(first):
            differs.append("recipe")
        if differs:
            said = " and ".join(_WORDS.get(word, word) for word in differs)
            raise StudyError(f"{name} has another {said} than {other}; they cannot be compared")

    def _run(self, name: str, definition: Mapping[str, Plain], ledger: Ledger) -> Run:
        trials = ledger.trials(name)
        cost = definition["objectives"].split(",")[-1]
        prices = {trial.architecture_id: trial.cost.get(cost, math.nan) for trial in trials}
        rungs = definition["recipe"].get("rungs", [])
        spent, trained = 0.0, []
        for one in ledger.evaluations(name):
            spent += one.seconds
            if one.accuracy is not None and one.key.rung == len(rungs):
                trained.append(Trained(seconds=spent, accuracy=one.accuracy, cost=prices[one.key.architecture_id]))
        epochs = ",".join(str(rung["epochs"]) for rung in rungs)
        return Run(
            team=f"{definition['sampler']}, {f'rungs {epochs}' if epochs else 'no rungs'}",
            seed=definition["seed"],
            tried=_tried(trials),
            seconds=spent,
            trained=tuple(trained),
        )


def heads() -> tuple[str, ...]:
    """Of the table; those with a '>' are aligned to the right."""
    return ("search", ">seeds", *(f">after {share:.0%}" for share in SHARES), ">candidates", ">to the end", ">best")


def rows(race: Race, *, spread: bool) -> list[tuple[str, ...]]:
    """The table, the best search first; with the lowest and highest score of each, or without."""
    shown = _spread if spread else _middle
    return [_row(race, team, shown) for team in _ranked(race)]


def conditions(race: Race, cost: str, *, spread: bool) -> str:
    """What the table shows."""
    shown = ", with the lowest and the highest in brackets" if spread else ""
    return f"{_ABOUT.format(cost=cost)}{shown}. Each search had {format_seconds(race.length)} of training."


def markdown(race: Race, cost: str, plot: str | None) -> str:
    """The report as a file that can be committed; `plot` is the file of the plot, as seen from it."""
    lines = ["# Hypervolume against training time", "", conditions(race, cost, spread=True), ""]
    lines += grid(heads(), rows(race, spread=True))
    lines += ["", f"![Hypervolume against training time]({plot})"] if plot else []
    return "\n".join(lines) + "\n"


def panel(race: Race) -> Panel:
    """The curves."""
    series = []
    for team in _ranked(race):
        curve = race.curve(team)
        series.append(Series(team, curve.seconds, curve.middle, curve.low, curve.high))
    return Panel("Hypervolume of what was trained to the end", "seconds of training", "hypervolume", series)


def to_dict(race: Race, cost: str) -> dict[str, Any]:
    """JSON-ready."""
    return {
        "cost": cost,
        "seconds": race.length,
        "reference": {"accuracy": race.reference[0], cost: math.exp(race.reference[1])},
        "searches": [
            {
                "search": run.team,
                "seed": run.seed,
                "seconds": run.seconds,
                "candidates": run.tried,
                "trained_to_the_end": len(run.trained),
                "best_accuracy": max(one.accuracy for one in run.trained),
                "hypervolume": {f"{share:.2f}": race.score(run, share * race.length) for share in SHARES},
            }
            for run in race.runs
        ],
    }


def _ranked(race: Race) -> list[str]:
    return sorted(race.teams, key=lambda team: -median(race.scores(team, 1.0)))


def _row(race: Race, team: str, shown: Callable[[Sequence[float]], str]) -> tuple[str, ...]:
    runs = race.of(team)
    best = median(max(one.accuracy for one in run.trained) for run in runs)
    return (
        team,
        str(len(runs)),
        *(shown(race.scores(team, share)) for share in SHARES),
        f"{median(run.tried for run in runs):g}",
        f"{median(len(run.trained) for run in runs):g}",
        f"{best:.1%}",
    )


def _middle(scores: Sequence[float]) -> str:
    return f"{median(scores):.3f}"


def _spread(scores: Sequence[float]) -> str:
    return f"{median(scores):.3f} ({min(scores):.3f}-{max(scores):.3f})"


def _tried(trials: Sequence[TrialRecord]) -> int:
    return len({trial.architecture_id for trial in trials if trial.evaluation is not None})


def _without_rungs(definition: Mapping[str, Plain]) -> dict[str, Plain]:
    return {word: value for word, value in definition["recipe"].items() if word != "rungs"}
