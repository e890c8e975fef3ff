"""Work for search tests: an accuracy that follows from the architecture and the seed, at once."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from dataclasses import replace

from nas.executors.base import Report
from nas.records import Evaluation, Failure, Job


def instant(job: Job, *, report: Report) -> Evaluation:
    return Evaluation(key=job.key, accuracy=accuracy_of(job.key.architecture_id), seconds=0.01)


def tested(job: Job, *, report: Report) -> Evaluation:
    return replace(instant(job, report=report), test_accuracy=0.25 + job.key.seed / 8 if job.test else None)


def brief(job: Job, *, report: Report) -> Evaluation:
    for step in range(10):
        time.sleep(0.005)
        report((step + 1) / 10)
    return instant(job, report=report)


def sometimes_failing(job: Job, *, report: Report) -> Evaluation:
    if int(job.key.architecture_id[0], 16) < 6:
        return Evaluation(key=job.key, failure=Failure.DIVERGED, message="the loss is nan at step 3")
    return instant(job, report=report)


def sometimes_failing_rows(job: Job, *, report: Report) -> Evaluation:
    if job.architecture["row"] % 5 == 0:
        return Evaluation(key=job.key, failure=Failure.DIVERGED, message="the loss is nan at step 3", seconds=0.01)
    return instant(job, report=report)


def always_broken(job: Job, *, report: Report) -> Evaluation:
    raise ZeroDivisionError("a defect")


def dying_first(job: Job, *, report: Report) -> Evaluation:
    """The first attempt at every training takes its worker down."""
    if job.id.endswith(".1"):
        os.kill(os.getpid(), signal.SIGKILL)
    return instant(job, report=report)


def always_dying(job: Job, *, report: Report) -> Evaluation:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def accuracy_of(architecture: str) -> float:
    return int(hashlib.sha256(architecture.encode()).hexdigest()[:8], 16) / 2**32


def climbing(job: Job, *, report: Report) -> Evaluation:
    """A little better with every rung, by an amount that is each candidate's own."""
    gain = accuracy_of(f"{job.key.architecture_id} {job.key.rung}") * 0.1
    accuracy = min(1.0, 0.8 * accuracy_of(job.key.architecture_id) + 0.05 * job.key.rung + gain)
    return Evaluation(key=job.key, accuracy=accuracy, seconds=0.01)


def failing_above(job: Job, *, report: Report) -> Evaluation:
    """Diverges on the second rung, half of the candidates."""
    if job.key.rung == 1 and int(job.key.architecture_id[0], 16) % 2:
        return Evaluation(key=job.key, failure=Failure.DIVERGED, message="the loss is nan at step 3")
    return climbing(job, report=report)


def dying_now_and_then(job: Job, *, report: Report) -> Evaluation:
    """Every other first attempt takes its worker down, whatever the rung."""
    number, attempt = job.id.split(".")
    if attempt == "1" and int(number) % 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return climbing(job, report=report)
