"""Which candidates go on to the next rung: asynchronous successive halving for several objectives.

As in ASHA (arXiv:1810.05934), a candidate goes up as soon as it is among the best 1/reduction of those that have
reached its rung, whenever a worker is free; nobody waits for a rung to fill. Differs from it in what 'best' means with
costs beside the accuracy: first the front, then the front of the rest, and so on, and within one front the candidates
that stand most alone (NSGA-II's order). So a small network is compared with networks of its size, not with large ones.
When a search has asked for its last candidate, whole fronts go on, so that the front it ends with is of the last rung.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nas.analysis.crowding import crowding_distances
from nas.analysis.running_ranks import RunningRanks
from nas.pulse import RungState
from nas.train.recipe import Fidelity

DEFAULT_REDUCTION = 3


def expected_share(fidelities: Sequence[Fidelity], reduction: int = DEFAULT_REDUCTION) -> float:
    """What a candidate costs on average, as a share of a whole training, if one in `reduction` goes on every time."""
    epochs = [0, *(one.epochs for one in fidelities)]
    work = [
        (one.epochs - before) * one.data_share * one.resolution**2
        for before, one in zip(epochs, fidelities, strict=False)
    ]
    return float(sum(part / reduction**rung for rung, part in enumerate(work)) / sum(work))


class Promotion(NamedTuple):
    """A candidate that goes on, by the number of its trial, and the rung it goes on to."""

    number: int
    rung: int


class Halving:
    """The rungs of a study and who stands on them."""

    def __init__(self, rungs: int, *, maximise: Sequence[bool], reduction: int = DEFAULT_REDUCTION) -> None:
        """Nobody stands anywhere yet.

        Args:
            rungs: how many there are; one means that nobody ever goes on.
            maximise: for each objective, whether more of it is better.
            reduction: of the candidates on a rung, one in so many goes on.
        """
        self._reduction = reduction
        self._standing: list[dict[int, tuple[float, ...]]] = [{} for _ in range(rungs)]
        self._gone_on: list[set[int]] = [set() for _ in range(rungs)]
        self._ranks = [RunningRanks(maximise) for _ in range(rungs)]

    def arrive(self, number: int, rung: int, point: Sequence[float]) -> None:
        """A candidate has reached a rung, and its objectives there are known."""
        self._standing[rung][number] = tuple(point)
        if rung < len(self._standing) - 1:  # nobody goes on from the last one
            self._ranks[rung].add(number, point)
        if rung:
            self._gone_on[rung - 1].add(number)

    def fall(self, number: int, rung: int) -> None:
        """A candidate has failed on its way to a rung; it stays where it was."""
        if rung:
            self._gone_on[rung - 1].add(number)

    def go_on(self, number: int, rung: int) -> None:
        """A candidate goes on from a rung whatever its place there."""
        self._gone_on[rung].add(number)

    def promote(self, *, whole_front: bool = False) -> Promotion | None:
        """The next candidate to go on, which counts as gone from now on; the highest rung comes first.

        Args:
            whole_front: let everybody go on whom nobody on the rung beats, however many they are. For the end of a
                search, so that its front is whole.
        """
        for rung in reversed(range(len(self._standing) - 1)):
            count = len(self._standing[rung]) // self._reduction
            chosen = self._best_waiting(rung, count, whole_front=whole_front)
            if chosen is not None:
                self._gone_on[rung].add(chosen)
                return Promotion(chosen, rung + 1)
        return None

    def counts(self) -> tuple[int, ...]:
        """How many candidates have reached each rung."""
        return tuple(len(standing) for standing in self._standing)

    def places(self) -> tuple[RungState, ...]:
        """How many candidates have arrived at each rung, gone on from there, and may still go on."""
        last = len(self._standing) - 1
        return tuple(
            RungState(
                arrived=len(standing),
                promoted=len(gone_on),
                waiting=0 if rung == last else sum(number not in gone_on for number in standing),
            )
            for rung, (standing, gone_on) in enumerate(zip(self._standing, self._gone_on, strict=True))
        )

    def _best_waiting(self, rung: int, count: int, *, whole_front: bool) -> int | None:
        """The first of the best `count` who has not gone on: front by front, on each the one that stands most alone."""
        before = 0
        for index, front in enumerate(self._ranks[rung].fronts):
            limit = max(count - before, len(front) if whole_front and index == 0 else 0)
            if not limit:
                return None
            if not self._gone_on[rung].issuperset(front):
                best = self._most_alone(rung, front)[:limit]
                return next((number for number in best if number not in self._gone_on[rung]), None)
            before += len(front)
        return None

    def _most_alone(self, rung: int, front: Sequence[int]) -> list[int]:
        """The numbers of a front from the one that stands most alone."""
        distances = crowding_distances([self._standing[rung][number] for number in front])
        alone = dict(zip(front, distances, strict=True))
        return sorted(front, key=lambda number: (-alone[number], number))
