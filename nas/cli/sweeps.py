"""Running a comparison, a judgement of a proxy or a refinement from the command line, with progress on stderr."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nas.cli.live import SearchDisplay
from nas.cli.metrics import serving
from nas.cli.output import aside, notice
from nas.cli.preparing import ready_images
from nas.executors.settings import ExecutorSettings
from nas.search.images import images_of
from nas.search.sweeps.refinement_run import RefinementRun
from nas.search.sweeps.run import run_sweep
from nas.search.sweeps.sweep_run import SweepRun

if TYPE_CHECKING:
    from nas.report.metrics import Place


def train_sweep(
    source: SweepRun | RefinementRun,
    definition: Mapping[str, Any],
    settings: ExecutorSettings,
    *,
    metrics: Place | None,
) -> None:
    """Decode the images, then begin or continue the sweep's study and do what is not done yet.

    Args:
        source: what to train.
        definition: what makes it the same study the next time.
        settings: who trains.
        metrics: where Prometheus finds how it stands, or None.

    Raises:
        StudyError: the study was begun with another definition, or another driver has it.
        DataError: the images cannot be read.
        UserError, NasError: there are no workers to be had, or they cannot work.
    """
    sweep = source.sweep
    said: list[str] = []
    try:
        for one in images_of(sweep.fingerprint, *sweep.recipes):
            ready_images(sweep.data, one.resolution, expected=sweep.fingerprint)
        with serving(metrics) as listen, SearchDisplay() as display:
            run_sweep(source, definition, settings, watch=display.update, listen=listen, say=said.append)
    except KeyboardInterrupt:
        aside().print("\nInterrupted; what is finished is kept. Give the same command again to go on.", soft_wrap=True)
        raise
    finally:
        for sentence in said:
            notice(sentence)
