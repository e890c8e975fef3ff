"""Trainings that need not be done: what the ledger has of them, be it under a recipe that stops at other places."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from nas.errors import FieldError
from nas.ledger import Ledger
from nas.records import Evaluation, EvaluationKey
from nas.train.recipe import Recipe


class KnownTrainings:
    """Finds trainings in a ledger, whichever study did them."""

    def __init__(self, ledger: Ledger) -> None:
        """Those of `ledger`; its recipes are looked at when they are first needed."""
        self._ledger = ledger
        self._stored: list[Recipe] | None = None
        self._twins: dict[str, list[Recipe]] = {}

    def find(self, key: EvaluationKey, recipe: Recipe | None) -> Evaluation | None:
        """The successful evaluation of a key, or of the same training under another recipe, which is no further cost.

        A training that is put aside at a rung and taken up again ends the same to the bit as one that is not, so that
        with other `rungs`, or none, a network need not be trained again. The evaluation has the wanted key.

        Args:
            key: what is wanted.
            recipe: the one of the key; None for trainings by no recipe of ours, or that are none.
        """
        known = self._ledger.find(key)
        if known is not None or recipe is None or key.rung < recipe.fidelities[-1].rung:
            return known
        for other in self._alike(recipe):
            found = self._ledger.find(replace(key, recipe=other.id, rung=other.fidelities[-1].rung))
            if found is not None:
                return replace(found, key=key, weights=None, seconds=0.0, train_seconds=0.0, phases={}, energy=None)
        return None

    def _alike(self, recipe: Recipe) -> list[Recipe]:
        """Other recipes of the ledger's studies that end the same."""
        if self._stored is None:
            self._stored = list(_read(self._ledger.recipes()))
        if recipe.id not in self._twins:
            self._twins[recipe.id] = [one for one in self._stored if one.id != recipe.id and one.ends_as(recipe)]
        return self._twins[recipe.id]


def _read(recipes: list[Mapping[str, Any]]) -> list[Recipe]:
    """Those that this version can read, each once."""
    found: dict[str, Recipe] = {}
    for one in recipes:
        with suppress(FieldError):  # of a training of somebody's own, or of another version
            recipe = Recipe.from_dict(one)
            found[recipe.id] = recipe
    return list(found.values())
