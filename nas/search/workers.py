"""The workers of a run: from the settings of an executor to one that trains, and whose images are where it trains."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from nas.evaluate.proxy import evaluate
from nas.executors.base import Executor, Work
from nas.executors.image_transfer import Decoded
from nas.executors.settings import ExecutorSettings, log_of


@contextmanager
def workers_of(
    settings: ExecutorSettings, work: Work, *, jobs: int | None, images: Sequence[Decoded], say: Callable[[str], None]
) -> Iterator[Executor]:
    """Workers that do some work, for the block.

    Args:
        settings: who they are.
        work: what they do with a job.
        jobs: how many trainings there will be, where that is known.
        images: what they train on, decoded.
        say: told at the end where the system under them has left its messages, unless all went well.

    Raises:
        UserError, NasError: there are none to be had.
    """
    executor = settings.start(work, jobs=jobs, images=images)
    try:
        with executor:
            yield executor
    finally:
        if (log := log_of(executor)) is not None:
            say(f"What Ray had to say is in {log}")


def proxy_work(device: str) -> Work:
    """Training a candidate by its recipe."""
    return partial(evaluate, device=device)
