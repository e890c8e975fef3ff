"""How a front grew with the work that went into it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from nas.analysis.hypervolume import hypervolume
from nas.analysis.running_front import RunningFront
from nas.report.study.rows import VolumeCurve, VolumeStep

_ROOM = 1.02  # of the dearest front's log cost that still counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A training that has ended, or a result that the ledger had already.

    Attributes:
        rung: that it reached, or failed on the way to.
        point: accuracy and costs; None for a failure.
        trainings, epochs, seconds: what it took; 0 for what was known.
        is_control: whether its candidate was drawn at random.
    """

    rung: int
    point: tuple[float, ...] | None
    trainings: int
    epochs: int
    seconds: float
    is_control: bool


@dataclass(frozen=True, slots=True)
class Scale:
    """What hypervolumes are measured by: a corner, and the volume of everything that was found.

    The volume is that of accuracy above the median of all candidates of the highest rung, over the logarithms of the
    costs up to a little beyond the dearest. A network at chance, however cheap, adds nothing.
    """

    corner: tuple[float, ...]
    whole: float

    @classmethod
    def of(cls, points: Sequence[tuple[float, ...]]) -> Scale | None:
        """Of accuracies and costs; None where they span no volume."""
        if not points:
            return None
        logs = [_logs(point) for point in points]
        floor = median(point[0] for point in points)
        corner = [floor]
        for place in range(1, len(logs[0])):
            least, most = (pick(one[place] for one in logs) for pick in (min, max))
            corner.append(least + _ROOM * (most - least) if most > least else most + 1)
        whole = _volume(logs, corner)
        return cls(tuple(corner), whole) if whole > 0 else None


def volume_curves(finished: Sequence[Finished], scale: Scale, first: Scale | None) -> tuple[VolumeCurve, ...]:
    """The growth of a study's front and, where some candidates were drawn at random, of theirs beside the others'.

    The random control is compared at the first rung, against its own work alone: how far a candidate climbs depends on
    all others.

    Args:
        finished: in the order in which they ended.
        scale: of the highest rung.
        first: of the first rung; None where it spans no volume.
    """
    top = max(one.rung for one in finished if one.point is not None)
    curves = [_curve("search", finished, scale, top)]
    begun = [one for one in finished if one.rung == 0]
    control = [one for one in begun if one.is_control]
    if first is not None and any(one.point is not None for one in control):
        where = ", first rung" if top else ""
        chosen = [one for one in begun if not one.is_control]
        curves += [_curve(f"chosen by the sampler{where}", chosen, first, 0)]
        curves += [_curve(f"random control{where}", control, first, 0)]
    return tuple(curves)


def _curve(name: str, finished: Sequence[Finished], scale: Scale, rung: int) -> VolumeCurve:
    counted = [one if one.rung == rung else replace(one, point=None) for one in finished]
    points = sum(one.point is not None for one in counted)
    return VolumeCurve(name=name, candidates=points, steps=tuple(_steps(counted, scale)))


def _steps(finished: Sequence[Finished], scale: Scale) -> Iterator[VolumeStep]:
    front: RunningFront[tuple[float, ...]] = RunningFront((True, *(False for _ in scale.corner[1:])))
    step = VolumeStep(trainings=0, epochs=0, seconds=0.0, share=0.0)
    yield step
    shown = step
    for one in finished:
        share = step.share
        if one.point is not None:
            logs = _logs(one.point)
            if front.add(logs, logs).is_in:
                share = _volume(front.items, scale.corner) / scale.whole
        step = VolumeStep(
            trainings=step.trainings + one.trainings,
            epochs=step.epochs + one.epochs,
            seconds=step.seconds + one.seconds,
            share=share,
        )
        if step.share > shown.share:
            yield step
            shown = step
    if step != shown:
        yield step


def _logs(point: tuple[float, ...]) -> tuple[float, ...]:
    return (point[0], *(math.log(max(cost, 1e-12)) for cost in point[1:]))


def _volume(logs: Sequence[tuple[float, ...]], corner: Sequence[float]) -> float:
    return hypervolume(logs, reference=corner, maximise=(True, *(False for _ in corner[1:])))
