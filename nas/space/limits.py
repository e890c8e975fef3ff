"""Limits in a space: `at_most: 13`, or `at_most: 2 maps` for twice the side of the stage's map."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nas.errors import UserError
from nas.layers import Site, downsamples, stems
from nas.space.dimension import Choice, Dimension, Range
from nas.space.tree import Decision, Here, Tree, Walk
from nas.task import Task

_ANY_WIDTH = 1024  # sizes do not depend on it


def map_sizes(stem: Tree | None, downsample: Tree | None, count: int, task: Task) -> list[int]:
    """The side of each stage's map for `task`, with the first option wherever stem or downsample are open.

    Empty where these have problems, or the task's resolution is too small for them.
    """
    if stem is None:
        return []
    walk = Walk(lambda name, dimension: dimension.values[0])
    sizes: list[int] = []
    try:
        size = stems.read(stem.resolve(walk, Here())).size_out(Site(task.channels, _ANY_WIDTH, task.resolution))
        for stage in range(count):
            form = None if downsample is None else downsample.resolve(walk, Here(stage))
            if form is not None:
                spec = downsamples.read(form)
                size = -(-size // spec.stride) if spec.in_block else spec.size_out(Site(_ANY_WIDTH, _ANY_WIDTH, size))
            sizes.append(size)
    except (UserError, TypeError):
        return []
    return sizes if min(sizes) > 0 else []


_LIMIT = re.compile(r"(\d+(?:\.\d+)?) maps?")


def most_of(value: Any) -> Callable[[int], float] | None:
    """From the side of a map to the limit: '2 maps' -> twice the side, 13 -> 13."""
    if _is_number(value) and value > 0:
        return lambda side: float(value)
    match = _LIMIT.fullmatch(value) if isinstance(value, str) else None
    return None if match is None else lambda side: float(match[1]) * side


def cut(decision: Decision, stage: int, highest: float) -> Decision:
    """The decision of one stage, without numbers above `highest`."""
    kept = tuple(one for one in decision.dimension.values if not _is_number(one) or one <= highest)  # type: ignore[operator]
    dimension: Dimension = Choice(kept)
    if isinstance(decision.dimension, Range):
        low, step = decision.dimension.low, decision.dimension.step
        dimension = Range(low, low + step * (len(kept) - 1), step)
    return replace(decision, dimension=dimension, stages=None if decision.stages is None else (stage,))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
