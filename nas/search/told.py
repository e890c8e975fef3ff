"""A search whose accuracies are told from outside: it asks, somebody else evaluates.

Each ask and each tell replays the study from its ledger and holds its lease for that moment only. So it makes no
difference to the sampler whether a study is asked by one process or by one after another, and a process that dies
between two calls leaves nothing to be put right.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache

from nas.errors import BudgetError, StudyError, UserError
from nas.executors.settings import ExecutorSettings
from nas.ledger import Ledger
from nas.ledger.leases import Lease
from nas.records import TOLD, Evaluation, Failure, StudyKind, StudyRecord
from nas.registry import did_you_mean
from nas.search.definition import StudyDefinition
from nas.search.driver import Ended, Submission, this_process
from nas.search.gauge import gauging
from nas.search.optuna.mirror import Mirror
from nas.search.problem import Problem, Proxy
from nas.search.search import Search
from nas.search.stopping import Limits

_LIMITS = Limits()  # none but that of fruitless asks: who asks decides how often
_FAILURES = [one.value for one in Failure if one is not Failure.NODE_LOST]  # what is lost is asked for again


def ask(ledger: Ledger, storage: str, study: str, *, settings: ExecutorSettings, but: Collection[str]) -> int:
    """The trial to be evaluated next: an open one, or else a new one.

    Args:
        ledger: where the study is.
        storage: address of the ledger.
        study: its name.
        settings: the cores that a measurement of latencies keeps away from.
        but: candidates that somebody evaluates already.

    Returns:
        The number of the trial, which the ledger holds.

    Raises:
        BudgetError: no new candidate within budget was found for too long.
        StudyError: another process drives the study, or its candidates are trained.
    """
    with _replayed(ledger, storage, study, settings) as (search, lease):
        while (submission := search.next(lease.renew)) is not None:
            if submission.job.key.architecture_id not in but:
                search.writer.write({submission.number: submission.attempts + 1})
                return submission.number
    raise BudgetError(
        f"study {study!r} has no new candidate within budget while those asked for are open; tell of them first, or "
        "widen the budget or the space"
    )


def tell(
    ledger: Ledger,
    storage: str,
    study: str,
    architecture_id: str,
    *,
    settings: ExecutorSettings,
    accuracy: float | None,
    failure: str | None,
) -> None:
    """Close the open trial of a candidate; arguments as for `ask`.

    Raises:
        UserError: there is not one outcome, or it is no accuracy or failure.
        StudyError: the candidate is not open, another process drives the study, or its candidates are trained.
    """
    reason = _outcome(accuracy, failure)
    with _replayed(ledger, storage, study, settings) as (search, _):
        submission = _open_trial(search, study, architecture_id)
        evaluation = Evaluation(
            key=submission.job.key,
            accuracy=None if accuracy is None else float(accuracy),
            worker=this_process(),
            failure=reason,
            message="" if reason is None else f"told to have failed: {reason.value}",
        )
        search.take([Ended(submission, evaluation)])


@contextmanager
def _replayed(ledger: Ledger, storage: str, study: str, settings: ExecutorSettings) -> Iterator[tuple[Search, Lease]]:
    """The search as it stands, for as long as nobody else may touch it."""
    record = ledger.study(study, StudyKind.SEARCH)
    definition, problem = _read(json.dumps(record.definition))
    if definition.evaluate is not None:
        raise StudyError(
            f"the candidates of study {study!r} are evaluated by {definition.evaluate.function.name}, which does not "
            "mix with ask and tell; begin another study for that"
        )
    with (
        gauging(definition.profiles, definition.task, ledger, settings) as gauge,
        ledger.lease(study, holder=this_process()) as lease,
    ):
        if gauge is not None:
            problem = definition.problem(gauge=gauge)
        proxy = _told(problem.proxy, record)
        proxy.require_alike(study, ledger.recipe_of(study))
        search = Search(
            study,
            replace(problem, proxy=proxy),
            ledger=ledger,
            limits=_LIMITS,
            gauge=gauge,
            mirror=Mirror(
                storage,
                study,
                problem.domain.dimensions,
                problem.objectives,
                ledger=ledger,
                about=definition.to_dict(),
                notify=ledger.notify,
            ),
        )
        search.begin(lease.renew)
        yield search, lease
        search.end()


@lru_cache(maxsize=1)
def _read(definition: str) -> tuple[StudyDefinition, Problem]:
    """A study by its definition, kept for the next call: to price its space takes longer than to ask and to tell."""
    read = StudyDefinition.from_dict(json.loads(definition))
    return read, read.problem()


def _told(proxy: Proxy, study: StudyRecord) -> Proxy:
    """One rung, with keys that no training and no other study has, not even a later one of the same name."""
    named = json.dumps([study.name, study.created])
    return replace(proxy, recipe_id=TOLD + hashlib.sha256(named.encode()).hexdigest()[:12], rungs=1, yardstick=None)


def _open_trial(search: Search, study: str, architecture_id: str) -> Submission:
    for submission in search.unfinished():
        if submission.job.key.architecture_id == architecture_id:
            return submission
    has_ended = search.knows(architecture_id)
    why = "its outcome is in the ledger already" if has_ended else "the study has not asked for it"
    raise StudyError(f"candidate {architecture_id} of study {study!r} is not open: {why}; tell of each candidate once")


def _outcome(accuracy: float | None, failure: str | None) -> Failure | None:
    """The failure, if it is one; raises UserError for what is neither."""
    if (accuracy is None) == (failure is None):
        raise UserError("tell takes either accuracy=, a number in [0, 1], or failure=, the reason why there is none")
    if failure is not None:
        if failure not in _FAILURES:
            raise UserError(f"no failure is called {failure!r}; {did_you_mean(failure, _FAILURES)}")
        return Failure(failure)
    try:
        value = math.nan if accuracy is None or isinstance(accuracy, bool) else float(accuracy)
    except (TypeError, ValueError):
        value = math.nan
    if not 0 <= value <= 1:
        raise UserError(
            f"accuracy is a share in [0, 1], got {accuracy!r}; a training without an accuracy is told as "
            "failure='diverged'"
        )
    return None
