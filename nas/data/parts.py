"""What the parts of a data set are called: one vocabulary for folders, files and arrays.

A name says its part by one of its words, in any case, as the Hugging Face hub reads the names of files
(huggingface.co/docs/hub/datasets-file-names-and-splits): `train.parquet`, `pets_train-00000-of-00002.parquet`, `Test1`.
Words are separated by whatever is no letter, and by capitals (`trainX`), which the hub does not look at.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import TypeVar

from nas.errors import DataError
from nas.units import plural

T = TypeVar("T")

TRAIN, VALIDATION, TEST, EXTRA, UNDIVIDED = "train", "validation", "test", "extra", "undivided"

PART_WORDS = {
    **dict.fromkeys(["train", "training"], TRAIN),
    **dict.fromkeys(["validation", "valid", "val", "dev"], VALIDATION),
    **dict.fromkeys(["test", "testing", "eval", "evaluation"], TEST),
    "extra": EXTRA,
}
"""The part that a word means. `extra` is what some data sets have more of to train on, such as SVHN."""

VOCABULARY = "train/training, val/valid/validation/dev, test/testing/eval, extra"
"""The same for messages."""

_LETTERS = re.compile(r"[^\W\d_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def words_of(name: str) -> list[str]:
    """The words of a name, in lower case."""
    return [word.lower() for run in _LETTERS.findall(normal(name)) for word in _HUMP.split(run)]


def normal(name: str) -> str:
    """What names are compared by: macOS writes an accent as a character of its own, others do not (Unicode's NFC)."""
    return unicodedata.normalize("NFC", name)


def part_of(name: str) -> str | None:
    """The part that a name says, or None.

    Raises:
        DataError: it says several.
    """
    parts = dict.fromkeys(PART_WORDS[word] for word in words_of(name) if word in PART_WORDS)
    if len(parts) > 1:
        raise DataError(f"the name {name!r} says {' and '.join(parts)} at once; rename it so that it says one")
    return next(iter(parts), None)


def part_said(name: str) -> str | None:
    """The part that a name says alone, or None."""
    try:
        return part_of(name)
    except DataError:
        return None


def left_extra(
    parts: Mapping[str, T], size: Callable[[T], int], extra: str, unit: str = "image"
) -> tuple[dict[str, T], tuple[str, ...]]:
    """Parts without one called extra, unless `extra` is 'train', and what to say about it."""
    kept = dict(parts)
    if EXTRA not in parts or extra == "train":
        return kept, ()
    count = plural(size(kept.pop(EXTRA)), unit)
    return kept, (f"the part extra ({count}) is left out; the option '?extra=train' trains on it, too",)
