"""From everything a source has to its catalog: left out what cannot be used, divided, identified."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from nas.data.dataset import Findings
from nas.data.division import Division, Images, Shares, divide, validation_is_test
from nas.data.files import first_few
from nas.data.images import GRAY, NAMED, Colour, ImageError, refusal
from nas.data.parts import EXTRA, TRAIN
from nas.data.source import DECODING, Catalog
from nas.data.survey import Survey
from nas.errors import DataError
from nas.units import plural

_STANDS_IN = "there is no test part: the validation part is the test split, and validation is held out of train"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listing:
    """Every image of a source as it is found.

    Attributes:
        classes: class names in the order of the labels.
        names: one per image, unique.
        labels: int64, (N,).
        parts: the names of each part, as a range of indices: `undivided`, or `train` and perhaps others. `extra` is
            trained on, so a source that leaves it out does not list it.
        survey: what each image is. Its digests cover the labels too, unless the names imply them.
        remarks: what a user should know about how the source was read.
    """

    classes: tuple[str, ...]
    names: Sequence[str]
    labels: NDArray[np.int64]
    parts: Mapping[str, range]
    survey: Survey
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a source's options say about the images as a whole.

    Attributes:
        kind: name of the data set in the registry.
        reference: for messages.
        shares: what is held out.
        skip: leave out images that cannot be used; they are an error otherwise.
        flippable: whether a mirrored image still shows its class.
        background: what transparent images are composed onto; None where transparency is dropped.
    """

    kind: str
    reference: str
    shares: Shares
    skip: bool
    flippable: bool
    background: Colour | None


def ranges(counts: Mapping[str, int]) -> dict[str, range]:
    """The indices of parts that follow each other in a listing, by their sizes."""
    ends = itertools.accumulate(counts.values())
    return {name: range(end - count, end) for (name, count), end in zip(counts.items(), ends, strict=True)}


def assemble(listing: Listing, terms: Terms) -> Catalog:
    """The catalog of a listing.

    Raises:
        DataError: images cannot be used and are not to be skipped, or the rest cannot be divided.
    """
    problems = listing.survey.problems
    if problems and not terms.skip:
        raise refusal(terms.reference, _errors(listing), len(listing.names))
    parts = {
        name: np.array([index for index in indices if index not in problems], dtype=np.intp)
        for name, indices in listing.parts.items()
    }
    if EXTRA in parts and TRAIN in parts:
        parts[TRAIN] = np.concatenate([parts[TRAIN], parts.pop(EXTRA)])
    try:
        division = divide(parts, Images(listing.names, listing.labels, listing.classes), terms.shares)
        _require_images(listing, division)
    except DataError as error:
        raise DataError(f"{terms.reference}: {error}") from error
    order = np.concatenate(division)
    names = tuple(listing.names[index] for index in order.tolist())
    counts = (len(division.train), len(division.validation), len(division.test))
    modes = Counter(listing.survey.modes[order].tolist())
    transparent = int(listing.survey.transparent[order].sum()) if terms.background else 0
    is_gray = {mode.decode() for mode in modes} <= GRAY and not (transparent and len(set(terms.background or ())) > 1)
    channels = 1 if is_gray else 3
    content = sha256(listing.survey.digests[order].tobytes()).hexdigest()
    identity = [terms.kind, DECODING, content, listing.classes, counts, terms.shares.seed, names]
    if not terms.flippable:
        identity.append("not flippable")
    if transparent:
        identity.append(["background", terms.background])
    remarks = [*listing.remarks, *_lacking(listing, division)]
    if validation_is_test(listing.parts, terms.shares):
        remarks.append(_STANDS_IN)
    if transparent:
        remarks.append(f"{plural(transparent, 'image')} with transparency composed onto the background")
    return Catalog(
        classes=listing.classes,
        channels=channels,
        names=names,
        labels=listing.labels[order],
        counts=counts,
        flippable=terms.flippable,
        fingerprint=sha256(json.dumps(identity).encode()).hexdigest()[:16],
        findings=_findings(listing, order, "L" if channels == 1 else "RGB", tuple(remarks)),
    )


def _require_images(listing: Listing, division: Division) -> None:
    empty = [name for name, indices in division._asdict().items() if not len(indices)]
    if empty:
        raise DataError(f"there are no images for {empty[0]}")
    if len(listing.classes) < 2:
        raise DataError(f"the images are all of one class ({', '.join(listing.classes)}); two at least are needed")
    missing = set(range(len(listing.classes))) - set(listing.labels[division.train].tolist())
    if missing:
        raise DataError(
            f"there is no image of class {listing.classes[min(missing)]!r} to train on; train needs images of every "
            "class, the other splits need not have them"
        )


def _lacking(listing: Listing, division: Division) -> list[str]:
    """What to say about classes that a split other than train has no images of."""
    said = []
    for split, indices in (("validation", division.validation), ("test", division.test)):
        absent = np.setdiff1d(np.arange(len(listing.classes)), listing.labels[indices]).tolist()
        if absent:
            said.append(f"{split} has no image of {first_few(listing.classes[label] for label in absent)}")
    return said


def _errors(listing: Listing) -> list[ImageError]:
    return [ImageError(listing.names[index], problem) for index, problem in listing.survey.problems.items()]


def _findings(listing: Listing, order: NDArray[np.intp], usual: str, remarks: tuple[str, ...]) -> Findings:
    modes = listing.survey.modes[order]
    unusual = order[modes != usual.encode()]
    counts = Counter(listing.survey.modes[unusual].tolist())
    skipped = _errors(listing)
    return Findings(
        skipped=len(skipped),
        skipped_names=tuple(map(str, skipped[:NAMED])),
        converted={mode.decode(): count for mode, count in sorted(counts.items())},
        converted_names=tuple(listing.names[index] for index in np.sort(unusual)[:NAMED]),
        remarks=remarks,
    )
