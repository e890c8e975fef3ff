"""A Pareto front that points come to one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from nas.analysis.objectives import Losses, losses

T = TypeVar("T")


class Change(NamedTuple, Generic[T]):
    """What a new point did to a front.

    Attributes:
        is_in: whether it is on the front now.
        beaten: the items of the points that are off the front since, the new one perhaps.
    """

    is_in: bool
    beaten: list[T]


class RunningFront(Generic[T]):
    """The items whose points no other one dominates; each new point costs one pass over the front.

    Points that are equal are on the front together, as in `pareto.non_dominated`.
    """

    def __init__(self, maximise: Sequence[bool]) -> None:
        """An empty front; `maximise` says for each objective whether more of it is better."""
        self._maximise = tuple(maximise)
        self._members: list[tuple[Losses, T]] = []

    @property
    def items(self) -> list[T]:
        """What is on the front, in the order in which it came."""
        return [item for _, item in self._members]

    def add(self, point: Sequence[float], item: T) -> Change[T]:
        """Let a point in that is not dominated, and those out that it dominates.

        Raises:
            ValueError: a point of another length, or a coordinate that is not a number.
        """
        (new,) = losses([point], self._maximise)
        if any(_dominates(old, new) for old, _ in self._members):
            return Change(False, [item])
        beaten = [one for old, one in self._members if _dominates(new, old)]
        self._members = [(old, one) for old, one in self._members if not _dominates(new, old)]
        self._members.append((new, item))
        return Change(True, beaten)


def _dominates(one: Losses, other: Losses) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
