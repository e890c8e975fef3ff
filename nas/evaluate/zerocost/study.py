"""Zero-cost scores of the architectures of a study, kept in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from nas.architecture import Architecture
from nas.data import DataSet
from nas.evaluate.zerocost.scoring import Scored, score_architecture
from nas.ledger import Ledger
from nas.train.recipe import Recipe

Scores = Mapping[str, Sequence[Scored]]
"""By the name of the score, one for each seed."""


def study_scores(
    study: str,
    architectures: Sequence[Architecture],
    data: DataSet,
    recipe: Recipe,
    ledger: Ledger,
    *,
    names: Sequence[str],
    seeds: int,
    device: str,
    watch: Callable[[int, int], None],
) -> dict[str, Scores]:
    """Scores at the start of every training, by architecture; those that the ledger knows are not computed again.

    Args:
        study: name of the study, which has trials of these architectures.
        architectures: what to score.
        data: what they train on, at the recipe's stored resolution.
        recipe: how they are trained.
        ledger: where scores are kept.
        names: which scores.
        seeds: trainings of each, with seeds 0, 1, ...
        device: where to compute.
        watch: told how many architectures are done, of how many.
    """
    found: dict[str, Scores] = {}
    for done, architecture in enumerate(architectures):
        watch(done, len(architectures))
        by_seed = [_scores(study, architecture, data, recipe, ledger, names, seed, device) for seed in range(seeds)]
        found[architecture.id] = {name: [scored[name] for scored in by_seed] for name in names}
    return found


def _scores(
    study: str,
    architecture: Architecture,
    data: DataSet,
    recipe: Recipe,
    ledger: Ledger,
    names: Sequence[str],
    seed: int,
    device: str,
) -> dict[str, Scored]:
    """All scores at one start; one row of the ledger each, so that a new score leaves the old ones alone."""
    kinds = {name: f"score {name}, seed {seed}" for name in names}
    known = {name: ledger.report(study, architecture.id, kind) for name, kind in kinds.items()}
    scored = {name: Scored(**report) for name, report in known.items() if report is not None}
    missing = [name for name in names if name not in scored]
    if missing:
        fresh = score_architecture(architecture, data, recipe, seed=seed, names=missing, device=device)
        for name, one in fresh.items():
            scored[name] = Scored(**ledger.save_report(study, architecture.id, kinds[name], one._asdict()))
    return scored
