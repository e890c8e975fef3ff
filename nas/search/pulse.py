"""How far a study is: one value that displays draw, and what its driver says of it every few seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nas.analysis.nodes import node_states, total_pace
from nas.executors.base import Executor
from nas.pulse import Pace, Pulse
from nas.records import Failure
from nas.search.stopping import Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A moment of a study's run.

    Attributes:
        target: candidates asked for; None where something else ends the run.
        trained: candidates trained by this study.
        reused: candidates whose evaluation was known already.
        failed: candidates whose training failed.
        rejected: asks over budget.
        running: fraction done of every training under way.
        waiting: why no worker is at hand for those that could be under way; empty where one is.
        best_id: the most accurate candidate so far, empty without one.
        best_accuracy: its validation accuracy.
        best_share: the part of the budget it uses.
        seconds: since this run began.
        seconds_left: until the target or the end of the time is reached, at the pace so far; NaN while unknown.
        train_seconds: that workers spent on the trainings of this study, those of earlier runs included.
        asking_seconds: that this run spent on choosing candidates.
        rungs: candidates that have reached each rung.
        lost: workers that died in the middle of a training; it is handed out again, twice at most.
        stop: what ended the run; None while it goes on.
        warnings: why the accuracies so far tell little, and what would help.
    """

    target: int | None
    trained: int = 0
    reused: int = 0
    failed: int = 0
    rejected: int = 0
    running: tuple[float, ...] = ()
    waiting: str = ""
    best_id: str = ""
    best_accuracy: float = math.nan
    best_share: float = math.nan
    seconds: float = 0.0
    seconds_left: float = math.nan
    train_seconds: float = 0.0
    asking_seconds: float = 0.0
    lost: int = 0
    rungs: tuple[int, ...] = ()
    stop: Stop | None = None
    warnings: tuple[str, ...] = ()

    @property
    def done(self) -> int:
        """Candidates that need no more work."""
        return self.trained + self.reused + self.failed

    @property
    def fraction(self) -> float:
        """How much of it is done: of its trials, those under way counted by their part, or of its time."""
        if self.target is not None:
            return min(1.0, (self.done + sum(self.running)) / self.target) if self.target else 1.0
        return 0.0 if math.isnan(self.seconds_left) else self.seconds / (self.seconds + self.seconds_left or 1.0)

    def account(self) -> dict[str, Any]:
        """What it took, JSON-ready: counts are of the whole study, wall and asking time of this run."""
        return {
            "stop": self.stop,
            "trainings": self.trained,
            "failures": self.failed,
            "reused": self.reused,
            "rejected_asks": self.rejected,
            "workers_lost": self.lost,
            "train_seconds": self.train_seconds,
            "asking_seconds": self.asking_seconds,
            "seconds": self.seconds,
        }


def with_time_left(progress: Progress, *, finished: int) -> Progress:
    """The same with the seconds left: to the target at the pace so far, or to the end of the time if that is sooner.

    Args:
        progress: with the seconds since the run began, and those that are left of its time, if that is limited.
        finished: trainings that this run has done.
    """
    left = [progress.seconds_left]
    under_way = sum(progress.running)
    if progress.target is not None and finished:
        pace = (finished + under_way) / progress.seconds
        left.append((progress.target - progress.done - under_way) / pace)
    known = [seconds for seconds in left if not math.isnan(seconds)]
    return replace(progress, seconds_left=max(min(known), 0.0) if known else math.nan)


def pulse_of(
    said: Pulse,
    progress: Progress,
    *,
    driver: str,
    failures: Mapping[Failure, int],
    executor: Executor,
    paces: Mapping[str, Pace],
) -> Pulse:
    """What a driver says of its study.

    Args:
        said: what only the source of its jobs knows: trials, rungs, front.
        progress: how far it is.
        driver: `host:pid`.
        failures: failed trainings by type, lost workers included.
        executor: who trains.
        paces: what one worker does, by host.
    """
    workers = tuple(executor.worker_states())
    nodes = node_states(workers, paces)
    return replace(
        said,
        driver=driver,
        target=progress.target,
        failures=dict(failures),
        slots=executor.workers,
        waiting=progress.waiting,
        workers=workers,
        nodes=nodes,
        images_per_second=total_pace(nodes),
        peak_memory=max((pace.peak_memory for pace in paces.values()), default=None),
        train_seconds=progress.train_seconds,
        best=progress.best_id,
        best_accuracy=_known(progress.best_accuracy),
        seconds=progress.seconds,
        seconds_left=_known(progress.seconds_left),
        stop=None if progress.stop is None else progress.stop.value,
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
