"""Running a sweep of any kind: its study, its workers if there is anything to do, and what is left behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nas.executors.settings import ExecutorSettings
from nas.records import Plain
from nas.search.driver import Driver, Listen, Watch, this_process
from nas.search.images import images_of
from nas.search.sweeps.refinement_run import RefinementRun
from nas.search.sweeps.sweep_run import SweepRun
from nas.search.sweeps.trainings import open_study
from nas.search.workers import proxy_work, workers_of
from nas.train.checkpoint import prune_checkpoints


def run_sweep(
    source: SweepRun | RefinementRun,
    definition: Mapping[str, Plain],
    settings: ExecutorSettings,
    *,
    watch: Watch,
    listen: Listen,
    say: Callable[[str], None],
) -> None:
    """Begin or continue the study of a sweep and do what is not done yet.

    Args:
        source: what to train; its images are decoded.
        definition: what makes it the same study the next time.
        settings: who trains.
        watch: told the progress several times a second.
        listen: told the pulse that goes into the ledger.
        say: told, at the end, what people should know of the executor.

    Raises:
        StudyError: the study was begun with another definition, or another driver has it.
        UserError, NasError: there are no workers to be had, or they cannot work.
    """
    writer, sweep = source.writer, source.sweep
    open_study(writer.ledger, writer.study, sweep.kind, definition)
    if _has_work(source):
        images = images_of(sweep.fingerprint, *sweep.recipes)
        with workers_of(settings, proxy_work(settings.device), jobs=sweep.width, images=images, say=say) as executor:
            Driver(source, executor=executor, watch=watch, listen=listen).run(this_process())
    if sweep.checkpoints is not None:  # all is done; trainings that failed have left theirs
        prune_checkpoints(sweep.checkpoints, set())


def _has_work(source: SweepRun | RefinementRun) -> bool:
    """Whether any training is left, for which workers are worth starting; the driver begins anew."""
    writer = source.writer
    with writer.ledger.lease(writer.study, holder=this_process()) as lease:
        source.begin(lease.renew)
        return source.next(lease.renew) is not None
