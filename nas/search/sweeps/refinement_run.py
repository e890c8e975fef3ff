"""Doing what a refinement asks for: results are kept before they are used, and what is kept decides what is left.

Whether a training goes on follows from the evaluations in the ledger, in the order they came. So a driver that was
interrupted, and a training that lost its worker, need nothing else: the evaluations are told again, the same decisions
come out, and what is left is climbed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from nas.executors.ray_tune import Climb, Halving, Referee
from nas.ledger import Ledger
from nas.records import Evaluation, EvaluationKey, Failure, StudyKind, TrialState
from nas.search.halving import DEFAULT_REDUCTION
from nas.search.sweeps.refinement import Refinement
from nas.search.sweeps.trainings import Campaign, Training, number_trainings, open_study

if TYPE_CHECKING:
    from nas.ledger import Lease

_MAX_LOSSES = 3  # workers lost over one training

Watch = Callable[[int, int], None]
"""Called with trainings that are over and trainings in all, several times a second."""


class Climbers(Protocol):
    """Workers that climb: `RayTune`."""

    def run(self, climbs: Sequence[Climb], referee: Referee) -> Mapping[int, str]:
        """See `RayTune.run`."""
        ...


def run_refinement(
    plan: Refinement,
    ledger: Ledger,
    connect: Callable[[], AbstractContextManager[Climbers]],
    *,
    checkpoints: str | None,
    holder: str,
    watch: Watch,
) -> None:
    """Do what is not done yet.

    Args:
        plan: what to train.
        ledger: where everything is kept.
        connect: gives the workers; called only if there is something to do.
        checkpoints: folder or URL for trainings under way, or None.
        holder: `host:pid` of this driver.
        watch: told how far it is.

    Raises:
        StudyError: another driver has the study.
        UserError, NasError: there are no workers to be had, or they cannot work.
    """
    open_study(ledger, plan.name, StudyKind.REFINE, plan.to_dict())
    with ledger.lease(plan.name, holder=holder) as lease:
        course = _Course(plan, plan.campaign(checkpoints), ledger, lease, watch)
        climbs = course.left()
        if not climbs:
            return
        with connect() as workers:
            while climbs:
                lost = workers.run(climbs, course)
                course.account_for(climbs, lost)
                climbs = course.left()


class _Course:
    """The referee: it writes to the ledger what the workers report, and decides by what is written."""

    def __init__(self, plan: Refinement, campaign: Campaign, ledger: Ledger, lease: Lease, watch: Watch) -> None:
        self._plan, self._campaign, self._ledger = plan, campaign, ledger
        self._lease, self._watch = lease, watch
        self._trainings = number_trainings(campaign, ledger)
        self._halving = self._fresh_halving()
        self._left: set[int] = set()
        self._silent: set[int] = set()  # of those that climb, who has not reported anything in this run
        self._losses: Counter[int] = Counter()

    def begin(self, number: int) -> None:
        """See `Referee.begin`."""
        self._ledger.record_submission(self._plan.name, number)

    def judge(self, number: int, evaluation: Evaluation) -> bool:
        """See `Referee.judge`."""
        is_last = evaluation.key.rung == self._plan.rungs - 1
        state = TrialState.FAILED if not evaluation.succeeded else TrialState.DONE if is_last else TrialState.STOPPED
        kept = self._ledger.finish(self._plan.name, number, evaluation, state)
        self._silent.discard(number)
        goes_on = self._goes_on(number, kept) and not is_last
        if not goes_on:
            self._left.discard(number)
        return goes_on

    def turn(self) -> None:
        """See `Referee.turn`."""
        self._lease.renew()
        self._watch(len(self._trainings) - len(self._left), len(self._trainings))

    def left(self) -> list[Climb]:
        """What is to be done, by what the ledger holds."""
        records = {trial.number: trial for trial in self._ledger.trials(self._plan.name)}
        history = self._ledger.evaluations(self._plan.name)
        known = {number: self._known(training) for number, training in self._trainings.items()}
        going = self._decided_again(known, history)
        diverged = {one.key: one for one in history if one.failure is Failure.DIVERGED}
        climbs: list[Climb] = []
        for number, found in known.items():
            record = records[number]
            if record.state is TrialState.FAILED:
                continue
            if found and record.evaluation != found[-1]:
                self._reuse(number, found[-1])
            if not going[number] or len(found) == self._plan.rungs:
                continue
            failure = diverged.get(self._key(self._trainings[number], len(found)))
            if failure is None:
                climbs.append(self._climb(number, len(found)))
            else:  # it would do so again
                self._ledger.finish(self._plan.name, number, failure, TrialState.FAILED)
        self._left = {climb.number for climb in climbs}
        self._silent = set(self._left)
        return climbs

    def _decided_again(
        self, known: Mapping[int, Sequence[Evaluation]], history: Sequence[Evaluation]
    ) -> dict[int, bool]:
        """Which trainings go on, told the evaluations in the order they came.

        First come those that were there before the study asked for them.
        """
        self._halving = self._fresh_halving()
        order = {one.key: place for place, one in enumerate(history) if one.succeeded}
        told = [(number, one) for number, found in known.items() for one in found]
        going = dict.fromkeys(known, True)
        for number, evaluation in sorted(told, key=lambda pair: order.get(pair[1].key, -1)):
            going[number] = self._goes_on(number, evaluation)
        return going

    def account_for(self, climbs: Iterable[Climb], lost: Mapping[int, str]) -> None:
        """Count those that lost their worker, and give up those that did so too often."""
        for climb in climbs:
            number = climb.number
            if number not in lost and number not in self._silent:
                continue
            self._losses[number] += 1
            if self._losses[number] < _MAX_LOSSES:
                continue
            said = lost.get(number, "Ray Tune ended the training without a word")
            failed = Evaluation(
                key=climb.jobs[0].key,
                failure=Failure.NODE_LOST,
                message=f"{_MAX_LOSSES} workers were lost over this training",
                traceback=said,
            )
            self._ledger.finish(self._plan.name, number, failed, TrialState.FAILED)

    def _fresh_halving(self) -> Halving:
        return Halving(rungs=self._plan.rungs, reduction=DEFAULT_REDUCTION)

    def _goes_on(self, number: int, evaluation: Evaluation) -> bool:
        """The unchanged recipe is trained to the end whatever its accuracy: the others are measured against it."""
        if evaluation.accuracy is None:
            return False
        key = evaluation.key
        goes_on = self._halving.goes_on(key.architecture, number, key.rung, evaluation.accuracy)
        return goes_on or self._trainings[number].label["draw"] == 0

    def _known(self, training: Training) -> list[Evaluation]:
        """The evaluations of a training from the lowest rung on, as far as there are any."""
        found: list[Evaluation] = []
        for rung in range(self._plan.rungs):
            evaluation = self._ledger.find(self._key(training, rung))
            if evaluation is None:
                break
            found.append(evaluation)
        return found

    def _reuse(self, number: int, evaluation: Evaluation) -> None:
        is_last = evaluation.key.rung == self._plan.rungs - 1
        state = TrialState.REUSED if is_last else TrialState.STOPPED
        self._ledger.finish(self._plan.name, number, evaluation, state)

    def _key(self, training: Training, rung: int) -> EvaluationKey:
        return self._campaign.key(replace(training, rung=rung))

    def _climb(self, number: int, first: int) -> Climb:
        training = self._trainings[number]
        jobs = (
            self._campaign.job(replace(training, rung=rung), f"{number}.{rung}")
            for rung in range(first, self._plan.rungs)
        )
        return Climb(number=number, jobs=tuple(jobs))
