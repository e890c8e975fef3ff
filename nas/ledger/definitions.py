"""What the words of a study's definition hold: looked at when it is read, wherever it is used then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nas.cost import METRICS
from nas.cost.budget import profile_of
from nas.errors import shortened
from nas.ledger.failures import DamageError
from nas.records import Plain

_TEXT, _OBJECT, _LIST, _NUMBER, _COUNT = (str,), (dict,), (list,), (float, int), (int,)
_SHAPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("data", "fingerprint", "sampler", "objectives", "refines", "judges"), _TEXT),
    **dict.fromkeys(("space", "drawn_from", "task", "recipe", "reference", "profiles", "guided_by"), _OBJECT),
    **dict.fromkeys(("evaluate", "chosen_by", "yardstick"), _OBJECT),
    **dict.fromkeys(("budget", "start", "plugins", "architectures"), _LIST),
    **dict.fromkeys(("seconds", "train_seconds", "control"), _NUMBER),
    **dict.fromkeys(("seed", "reduction", "trials", "patience"), _COUNT),
    **dict.fromkeys(("space.name", "space.text", "drawn_from.name", "drawn_from.text"), _TEXT),
    **dict.fromkeys(("task.resolution", "task.classes", "task.channels"), _COUNT),
    "yardstick.images": _COUNT,
    "yardstick.chance": _NUMBER,
    "evaluate.epochs": (*_COUNT, type(None)),
    "evaluate.rungs": _LIST,
    "recipe.rungs": _LIST,
    "recipe.epochs": _COUNT,
}
"""By word; behind a dot those of an object below it."""

ACCURACY = "accuracy"
_ABSENT = frozenset({"trials", "seconds", "train_seconds", "patience", "evaluate", "chosen_by", "yardstick"})
"""Words that may say None, which is as if they were not there."""
_ITEMS: Mapping[str, tuple[type, ...]] = {"budget": _TEXT, "plugins": _TEXT, "start": _OBJECT, "architectures": _OBJECT}
_NEEDED = ("yardstick.images", "yardstick.chance", "evaluate.epochs", "evaluate.rungs")
_CALLED = {str: "a text", dict: "an object", list: "a list", int: "a whole number", float: "a number"}


def require_shapes(study: str, definition: Mapping[str, Plain]) -> None:
    """Refuse a definition of which a word holds another kind of value than we write.

    Raises:
        DamageError: one does.
    """
    for word, kinds in _SHAPES.items():
        outer, _, inner = word.partition(".")
        place = definition.get(outer) if inner else definition
        name = inner or outer
        if not isinstance(place, dict):
            continue
        if name in place and not (name in _ABSENT and place[name] is None):
            _require(study, word, place[name], kinds)
        elif word in _NEEDED:
            raise DamageError(f"the definition of study {study!r} has no {word}")
    _require_objectives(study, definition.get("objectives", ACCURACY))
    for word, kinds in _ITEMS.items():
        for item in definition.get(word, ()):
            _require(study, word, item, kinds)


def _require_objectives(study: str, objectives: str) -> None:
    known = (ACCURACY, *METRICS)
    unknown = [one for one in objectives.split(",") if one not in known and profile_of(one) is None]
    if unknown:
        raise DamageError(f"the definition of study {study!r} has an objective {shortened(unknown[0])}, which is none")


def _require(study: str, word: str, value: Any, kinds: tuple[type, ...]) -> None:
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise DamageError(
            f"the definition of study {study!r} has {shortened(repr(value))} as its {word}, where "
            f"{_CALLED[kinds[0]]} belongs"
        )
