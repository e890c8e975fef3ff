"""What a driver says of its search every few seconds: to the ledger, for whoever looks from elsewhere, and here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from nas.analysis.nodes import node_states, total_pace
from nas.executors.base import Executor
from nas.ledger import Ledger
from nas.records import Failure, Pulse, RungState, TrialState
from nas.search.progress import Progress

Listen = Callable[[Pulse], None]


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
