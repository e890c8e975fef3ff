"""Networks of a search trained again, as the search trains them to its last rung, with seeds that it has not used."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from nas.architecture import Architecture
from nas.search.definition import StudyDefinition
from nas.search.sweeps.comparison import Comparison, Entry


def retraining(
    study: str,
    definition: StudyDefinition,
    architectures: Sequence[Architecture],
    *,
    purpose: str,
    seeds: int,
) -> Comparison:
    """The comparison that trains them; the same networks make the same study, so that it goes on where it was.

    Args:
        study: the search.
        definition: of it.
        architectures: what to train.
        purpose: a word for the comparison's name.
        seeds: of each, counted up from the one after the search's own.

    Raises:
        StudyError: the search trains by somebody's own function.
    """
    definition.require_recipe(study, "there is no recipe to train its networks again by")
    ids = [one.id for one in architectures]
    digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:6]
    return Comparison(
        name=f"{study}-{purpose}-{digest}",
        about=f"Networks of {study}, trained again",
        entries=tuple(Entry(architecture=f"{study}:{one}") for one in ids),
        architectures=tuple(architectures),
        task=definition.task,
        data=definition.data,
        fingerprint=definition.fingerprint,
        recipe=definition.recipe,
        seeds=seeds,
        first_seed=definition.seed + 1,
    )
