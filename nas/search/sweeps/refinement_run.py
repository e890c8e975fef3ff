"""A refinement as a source of jobs: which recipe goes on, by our own halving, one for each architecture.

Not by Ray Tune: its `Tuner` pickles its searcher and so cannot hold a ledger, owns its workers, and keeps results in
files of its own, from which `restore` trains again what was finished after a kill; its ASHA is one bracket for all
trials and wants rungs at powers of the reduction. Here the rungs are the recipe's, and what goes on follows from what
the ledger holds: a candidate that has arrived may go on, whoever trained it and in whatever run.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile

from nas.ledger import Ledger
from nas.pulse import Pulse, RungState
from nas.records import Ending, Evaluation, EvaluationKey, Failure, TrialState
from nas.search.driver import Ended, Submission, TrialWriter
from nas.search.halving import DEFAULT_REDUCTION, Halving, Promotion
from nas.search.pulse import Progress
from nas.search.sweeps.refinement import Refinement
from nas.search.sweeps.trainings import number_trainings
from nas.search.sweeps.trials import SweepTrials
from nas.search.trials import next_rung


class RefinementRun:
    """Does what a refinement's study lacks.

    Every recipe is trained to the first rung; of those of one architecture that have come to a rung the best
    1/reduction go on, and at last the best one whatever its share. The unchanged recipe is trained to the end, since
    the others are measured against it. Failed trainings are tried again by the next run, except those that diverged.

    Attributes:
        writer: see `Source`.
        sweep: what is to be trained.
    """

    def __init__(self, plan: Refinement, ledger: Ledger, *, checkpoints: str | None = None) -> None:
        """Nothing happens before `begin`; the study is in the ledger already.

        Args:
            plan: what to train.
            ledger: where everything is kept.
            checkpoints: folder or URL for trainings between rungs, or None.
        """
        self.writer = TrialWriter(plan.name, ledger)
        self._plan = plan
        self.sweep = plan.sweep(checkpoints)
        self._ledger = ledger

    # --- what the ledger holds

    def begin(self, alive: Callable[[], None]) -> None:
        """Make sure that every training is a trial, and look who has come how far; see `Source`."""
        self._trainings = number_trainings(self.sweep, self._ledger)
        self._trials = SweepTrials(self.writer, self._trainings)
        self._halvings = {
            one.id: Halving(self._plan.rungs, maximise=(True,), reduction=DEFAULT_REDUCTION)
            for one in self._plan.architectures
        }
        self._unchanged = {
            training.architecture.id: number
            for number, training in self._trainings.items()
            if training.label["draw"] == 0
        }
        self._queue: deque[int] = deque()
        self._running: set[int] = set()
        self._open: Counter[str] = Counter()  # trainings queued or running by architecture
        self._is_over = False
        history = self._ledger.evaluations(self._plan.name)
        diverged = {one.key: one for one in history if one.failure is Failure.DIVERGED}
        self._trials.finish([ending for number in self._trainings for ending in self._restored(number, diverged)])

    def _restored(self, number: int, diverged: Mapping[EvaluationKey, Evaluation]) -> Iterator[Ending]:
        """Put a training where it is by its evaluations, whichever study made them; how its trial ends by that."""
        found = self._found(number)
        for evaluation in found:
            self._arrive(number, evaluation)
        record = self._trials[number]
        failure = None if len(found) == self._plan.rungs else diverged.get(self._key(number, len(found)))
        if failure is not None:  # it would do so again
            self._arrive(number, failure)
            if record.state is not TrialState.FAILED:
                yield Ending(number=number, evaluation=failure, state=TrialState.FAILED)
        elif not found:
            self._queue.append(number)
            self._open[record.architecture_id] += 1
        elif record.evaluation != found[-1]:
            yield Ending(number=number, evaluation=found[-1], state=self._state(found[-1], TrialState.REUSED))

    def _found(self, number: int) -> list[Evaluation]:
        """The evaluations of a training from the lowest rung on, as far as there are any."""
        keys = [self._key(number, rung) for rung in range(self._plan.rungs)]
        known = self._ledger.find_all(keys)
        return [known[key] for key in takewhile(known.__contains__, keys)]

    # --- what goes on

    def next(self, meanwhile: Callable[[], None]) -> Submission | None:
        """A training that goes on, or else the next one that has not begun; see `Source`."""
        promotion = next(filter(None, map(self._going_on, self._halvings)), None)
        if promotion is not None:
            self._open[self._trials[promotion.number].architecture_id] += 1
            return self._submission(promotion.number, promotion.rung)
        if self._queue:
            return self._submission(self._queue.popleft(), 0)
        self._is_over = not self._running
        return None

    def _going_on(self, architecture_id: str) -> Promotion | None:
        """Who goes on of an architecture's trainings: the unchanged recipe, else the best ones.

        Once none is queued or running, the best one of every rung goes on, too, so that one comes to the end.
        """
        halving, unchanged = self._halvings[architecture_id], self._trials[self._unchanged[architecture_id]]
        if unchanged.state is TrialState.STOPPED and unchanged.number not in self._running:
            rung = next_rung(unchanged)
            halving.go_on(unchanged.number, rung - 1)
            return Promotion(unchanged.number, rung)
        return halving.promote(whole_front=not self._open[architecture_id])

    def _submission(self, number: int, rung: int) -> Submission:
        self._running.add(number)
        job = self.sweep.job(self._trainings[number], rung)
        return Submission(number=number, attempts=self._trials[number].attempts, job=job)

    def take(self, ended: Sequence[Ended]) -> None:
        """See `Source`."""
        kept = self._trials.take(ended, lambda one: self._state(one, TrialState.DONE))
        for (submission, _), evaluation in zip(ended, kept, strict=True):
            self._running.discard(submission.number)
            self._open[evaluation.key.architecture_id] -= 1
            self._arrive(submission.number, evaluation)

    def _arrive(self, number: int, evaluation: Evaluation) -> None:
        """Put a training on the rung that it has come to, or failed to come to."""
        halving, rung = self._halvings[evaluation.key.architecture_id], evaluation.key.rung
        if evaluation.accuracy is None:
            halving.fall(number, rung)
        else:
            halving.arrive(number, rung, (evaluation.accuracy,))

    def _state(self, evaluation: Evaluation, at_the_end: TrialState) -> TrialState:
        if not evaluation.succeeded:
            return TrialState.FAILED
        return at_the_end if evaluation.key.rung == self._plan.rungs - 1 else TrialState.STOPPED

    def _key(self, number: int, rung: int) -> EvaluationKey:
        return self.sweep.key(self._trainings[number], rung)

    def turn(self) -> None:
        """There is nothing else to be done."""

    def end(self) -> None:
        """There is nothing else to be done."""

    def progress(self) -> Progress:
        """See `Source`."""
        reached = zip(*(halving.counts() for halving in self._halvings.values()), strict=True)
        return self._trials.progress(is_over=self._is_over, rungs=tuple(map(sum, reached)))

    def pulse(self) -> Pulse:
        """See `Source`."""
        places = zip(*(halving.places() for halving in self._halvings.values()), strict=True)
        return self._trials.pulse(tuple(map(_together, places)))


def _together(places: Sequence[RungState]) -> RungState:
    """One rung of several architectures."""
    return RungState(
        arrived=sum(one.arrived for one in places),
        promoted=sum(one.promoted for one in places),
        waiting=sum(one.waiting for one in places),
    )
