"""What decides how long a network takes, as numbers: work and memory traffic by kind of operation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.architecture import Architecture, Part, estimate
from nas.measure.prediction.operations import Operation, operations
from nas.task import Task

_REACHES = (3, 7, 13)  # of depthwise kernels: runtimes change their algorithm with the size
_KINDS = ("pointwise", "linear", "dense", "grouped", "depthwise<=3", "depthwise<=7", "depthwise<=13", "depthwise>13",
          "norm", "activation", "pool", "elementwise")  # fmt: skip
_COMPUTING = _KINDS[:8]
NAMES = (
    *(f"{kind} multiply-adds" for kind in _COMPUTING),
    *(f"{kind} bytes" for kind in _KINDS),
    "operations",
)
"""The columns of `work`."""


class Description(NamedTuple):
    """A network as the predictors see it.

    Attributes:
        work: (len(NAMES),) multiply-adds, bytes and the number of operations at batch size 1.
        totals: FLOPs and activations.
        blocks: FLOPs and activations of each kind of part, for a sum over blocks.
        family: the mixer that most of its FLOPs are in the blocks of.
        traits: everything that a predictor must have seen to say something about it.
        widths: the least and the greatest width of its operations, by kind.
    """

    work: NDArray[np.float64]
    totals: tuple[float, float]
    blocks: dict[str, tuple[float, float]]
    family: str
    traits: frozenset[str]
    widths: dict[str, tuple[int, int]]


def describe(architecture: Architecture, task: Task) -> Description:
    """What there is to know of a network; each distinct part is looked into once per process."""
    work = dict.fromkeys(NAMES, 0.0)
    blocks: dict[str, tuple[float, float]] = {}
    traits: set[str] = set()
    widths: dict[str, tuple[int, int]] = {}
    families: dict[str, float] = {}
    for part in architecture.parts(task):
        kind, cost = _kind(part), part.cost
        flops, activations = blocks.get(kind, (0.0, 0.0))
        blocks[kind] = flops + cost.flops, activations + cost.activations
        traits.update(f"part {name}" for name in kinds_in(part.spec.canonical()))
        if ".blocks." in part.name:
            families[kind] = families.get(kind, 0.0) + cost.flops
        for one in operations(part.spec, part.site):
            _add(work, one, part.times)
            traits.update(_traits(one))
            low, high = widths.get(one.kind, (one.width, one.width))
            widths[one.kind] = min(low, one.width), max(high, one.width)
    total = estimate(architecture, task)
    return Description(
        work=np.array([work[name] for name in NAMES]),
        totals=(float(total.flops), float(total.activations)),
        blocks=blocks,
        family=max(families, key=lambda kind: families[kind]),
        traits=frozenset(traits),
        widths=widths,
    )


def work_of(descriptions: Sequence[Description]) -> NDArray[np.float64]:
    """The `work` of several, (n, len(NAMES))."""
    return np.array([one.work for one in descriptions]).reshape(len(descriptions), len(NAMES))


def kinds_in(form: object) -> Iterator[str]:
    """The names of the parts in a canonical form, whatever they are nested in."""
    if isinstance(form, str):
        yield form
    elif isinstance(form, dict):
        for key, value in form.items():
            if key == "kind" or isinstance(value, dict | list):
                yield from kinds_in(value)
    elif isinstance(form, list):
        for value in form:
            yield from kinds_in(value)


def _kind(part: Part) -> str:
    """Block and mixer, or what the part is."""
    form = part.spec.canonical()
    mixer = form.get("mixer") if isinstance(form, dict) else None
    inner = "/".join(kinds_in(mixer)) if mixer is not None else ""
    return f"{part.spec.kind} {inner}".strip()


def _add(work: dict[str, float], one: Operation, times: int) -> None:
    kind = one.kind
    if kind == "depthwise":
        limit = next((reach for reach in _REACHES if one.reach <= reach), None)
        kind = "depthwise>13" if limit is None else f"depthwise<={limit}"
    if kind in _COMPUTING:
        work[f"{kind} multiply-adds"] += one.flops * times
    work[f"{kind} bytes"] += one.bytes * times
    work["operations"] += times


def _traits(one: Operation) -> Iterator[str]:
    yield f"operation {one.kind}"
    if one.kernel > 1:
        yield f"{one.kind} kernel {one.kernel}, reach {one.reach}"
