"""How far a search is: one value that displays draw, and what its driver says of it every few seconds.

The pulse goes to the ledger, for whoever looks from elsewhere, and to a listener here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nas.analysis.nodes import node_states, total_pace
from nas.executors.base import Executor
from nas.ledger import Ledger
from nas.records import Failure, Pulse, RungState, TrialState
from nas.search.stopping import Stop

Listen = Callable[[Pulse], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A moment of a search.

    Attributes:
        target: evaluations asked for; None where something else ends the search.
        trained: candidates trained by this study.
        reused: candidates whose evaluation was known already.
        failed: candidates whose training failed.
        rejected: asks over budget.
        running: fraction done of every training under way.
        best_id: the most accurate candidate so far, empty without one.
        best_accuracy: its validation accuracy.
        best_share: the part of the budget it uses.
        seconds: since this run began.
        seconds_left: until the target or the end of the time is reached, at the pace so far; NaN while unknown.
        train_seconds: that workers spent on the trainings of this study, those of earlier runs included.
        asking_seconds: that this run spent on choosing candidates.
        rungs: candidates that have reached each rung.
        lost: workers that died in the middle of a training; it is handed out again, twice at most.
        stop: the limit that ended the search; None while it goes on.
    """

    target: int | None
    trained: int = 0
    reused: int = 0
    failed: int = 0
    rejected: int = 0
    running: tuple[float, ...] = ()
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

    @property
    def done(self) -> int:
        """Candidates that need no more work."""
        return self.trained + self.reused + self.failed

    @property
    def fraction(self) -> float:
        """How much of the search is done: of its trials, those under way counted by their part, or of its time."""
        if self.target is not None:
            return min(1.0, (self.done + sum(self.running)) / self.target) if self.target else 1.0
        return 0.0 if math.isnan(self.seconds_left) else self.seconds / (self.seconds + self.seconds_left or 1.0)

    def account(self) -> dict[str, Any]:
        """What the search took, JSON-ready: counts are of the whole study, wall and asking time of this run."""
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


class Heartbeat:
    """The pulses of one run of a study."""

    def __init__(self, study: str, *, ledger: Ledger, executor: Executor, listen: Listen) -> None:
        """Nothing is said yet.

        Args:
            study: its name.
            ledger: where every pulse takes the place of the last one.
            executor: who trains.
            listen: told every pulse, too.
        """
        self._study = study
        self._ledger = ledger
        self._executor = executor
        self._listen = listen

    def beat(
        self,
        driver: str,
        progress: Progress,
        trials: Mapping[TrialState, int],
        *,
        failures: Mapping[Failure, int],
        rungs: tuple[RungState, ...],
        front: int,
    ) -> None:
        """Say how the search stands.

        Args:
            driver: who drives it, `host:pid`.
            progress: how far it is.
            trials: their number in each state.
            failures: failed trainings by type, lost workers included.
            rungs: who stands where.
            front: candidates on it.
        """
        pulse = self._pulse(driver, progress, trials, failures, rungs, front)
        self._ledger.save_pulse(pulse)
        self._listen(pulse)

    def _pulse(
        self,
        driver: str,
        progress: Progress,
        trials: Mapping[TrialState, int],
        failures: Mapping[Failure, int],
        rungs: tuple[RungState, ...],
        front: int,
    ) -> Pulse:
        crew = tuple(self._executor.crew())
        paces = self._ledger.paces(self._study)
        nodes = node_states(crew, paces)
        return Pulse(
            study=self._study,
            driver=driver,
            trials={state: count for state, count in trials.items() if count},
            target=progress.target,
            rungs=rungs,
            failures=dict(failures),
            slots=self._executor.workers,
            workers=crew,
            nodes=nodes,
            images_per_second=total_pace(nodes),
            peak_memory=max((pace.peak_memory for pace in paces.values()), default=None),
            train_seconds=progress.train_seconds,
            best=progress.best_id,
            best_accuracy=_known(progress.best_accuracy),
            front=front,
            seconds=progress.seconds,
            seconds_left=_known(progress.seconds_left),
            stop=None if progress.stop is None else progress.stop.value,
        )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
