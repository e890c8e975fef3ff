"""Train, validation and test from what a source has and what its options state.

What is held out is drawn by class, and the same on every machine, for every version of every library: within a class
the images are ordered by a hash of seed and name, and the first ones are drawn. Unlike a shuffle this does not depend
on a generator's implementation, and a new image leaves the order of the others alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.data.parts import TEST, TRAIN, UNDIVIDED, VALIDATION
from nas.errors import DataError

Indices = NDArray[np.intp]

_DEFAULT_SHARE = 0.2
"""Of undivided images, for validation and for test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What is held out where a source does not say.

    Attributes:
        validation: share of the images (of train, where that is a part of its own); None for the default.
        test: the same, for test.
        seed: of the draw.
        held_out: default of `validation` where there is a train part.
    """

    validation: float | None
    test: float | None
    seed: int
    held_out: float = 0.1


class Division(NamedTuple):
    """Indices of the images of each split, ascending."""

    train: Indices
    validation: Indices
    test: Indices


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """What a division looks at.

    Attributes:
        names: one per image.
        labels: (N,).
        classes: their names.
    """

    names: Sequence[str]
    labels: NDArray[np.int64]
    classes: Sequence[str]


def divide(parts: Mapping[str, Indices], images: Images, shares: Shares) -> Division:
    """Decide which image is in which split.

    * An undivided source is split 60/20/20, or by the shares that are stated.
    * A source with train and test is taken as it is; without validation, a tenth of train is held out.
    * One with train and validation only: its validation is the test split, as is the custom with ImageNet's, and a
      tenth of train is held out; unless a share for test is stated, which is then drawn from train.
    * Where both are drawn from one part, both shares are of the whole of it, and test is drawn first.

    Args:
        parts: the indices of each part that the source has, ascending: `UNDIVIDED`, or `TRAIN` and perhaps others.
        images: all of them.
        shares: what options state.

    Raises:
        DataError: there is no train part, no test split is given or stated, an option states what is given, or a class
            is too small.
    """
    given = {name: members for name, members in parts.items() if name in (VALIDATION, TEST)}
    if validation_is_test(parts, shares):
        given = {TEST: given[VALIDATION]}
    is_undivided = UNDIVIDED in parts
    if not (is_undivided or TRAIN in parts):
        raise DataError(f"there is no train part, only {', '.join(parts) or 'nothing'}")
    if not (is_undivided or TEST in given or shares.test):
        raise DataError(
            "there is a train part but no test part; add one, or have some of train held out with the option "
            f"'?test={_DEFAULT_SHARE}'"
        )
    _require_use(given, shares)
    test_share = 0.0 if TEST in given else shares.test or _DEFAULT_SHARE
    validation_share = shares.validation or (_DEFAULT_SHARE if is_undivided else shares.held_out)
    rest, test = _taken(TEST, given, parts[UNDIVIDED if is_undivided else TRAIN], images, test_share, shares.seed)
    if VALIDATION not in given and validation_share + test_share >= 1:
        raise DataError(
            f"validation={validation_share} and test={test_share} leave nothing to train on; state smaller shares"
        )
    of_rest = validation_share / (1 - test_share)
    train, validation = _taken(VALIDATION, given, rest, images, of_rest, shares.seed)
    return Division(train, validation, test)


def validation_is_test(parts: Mapping[str, object], shares: Shares) -> bool:
    """Whether the given validation part serves as the test split."""
    return VALIDATION in parts and TEST not in parts and shares.test is None


def _require_use(given: Mapping[str, Indices], shares: Shares) -> None:
    for name, stated in ((TEST, shares.test), (VALIDATION, shares.validation)):
        if name in given and stated is not None:
            raise DataError(
                f"the option {name}={stated} has no use, since the images of {name} are given; leave it out"
            )
    if len(given) == 2 and shares.seed:
        raise DataError(f"the option seed={shares.seed} has no use, since every split is given; leave it out")


def _taken(
    name: str, given: Mapping[str, Indices], members: Indices, images: Images, share: float, seed: int
) -> tuple[Indices, Indices]:
    """What remains of `members`, and the split called `name`: as it is given, or else held out."""
    return (members, given[name]) if name in given else _hold_out(members, images, share, seed)


def _hold_out(members: Indices, images: Images, share: float, seed: int) -> tuple[Indices, Indices]:
    """What remains and what is held out."""
    labels = images.labels[members]
    drawn, rest = draw([images.names[index] for index in members], labels, share, seed=seed)
    emptied = set(labels.tolist()) - set(labels[rest].tolist())
    if emptied:
        raise DataError(f"class {images.classes[min(emptied)]!r} has too few images to hold some out; add images to it")
    return members[rest], members[drawn]


def draw(names: Sequence[str], labels: NDArray[np.int64], share: float, *, seed: int) -> tuple[Indices, Indices]:
    """Draw about `share` of every class, at least one image of it.

    Args:
        names: one per image; the identity the draw depends on.
        labels: (N,), the class of every image.
        share: in [0, 1].
        seed: another seed draws another part.

    Returns:
        The indices drawn and those that remain, both ascending.
    """
    is_drawn = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label).tolist()
        count = max(1, round(share * len(members)))
        is_drawn[sorted(members, key=lambda index: rank(names[index], seed))[:count]] = True
    return np.flatnonzero(is_drawn), np.flatnonzero(~is_drawn)


def rank(name: str, seed: int) -> bytes:
    """The place of an image in a draw: those with the smallest ranks are drawn."""
    return sha256(f"{seed}:{name}".encode(errors="surrogateescape")).digest()
