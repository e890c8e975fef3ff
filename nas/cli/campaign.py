"""Running given trainings from the command line: images first, then the trainings, with progress on stderr."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any

from nas.cli.live import StepDisplay
from nas.cli.output import notice
from nas.cli.preparing import decode_images
from nas.executors.settings import ExecutorSettings
from nas.ledger import Ledger
from nas.search.sweeps.trainings import Campaign, open_study, run_trainings
from nas.search.workers import images_of, workers_of
from nas.train.checkpoint import prune_checkpoints


def run_campaign(campaign: Campaign, definition: Mapping[str, Any], ledger: Ledger, settings: ExecutorSettings) -> None:
    """Begin or continue the study of a campaign and do what is not done yet.

    Args:
        campaign: what to train.
        definition: what makes it the same study the next time.
        ledger: where everything is kept.
        settings: who trains.

    Raises:
        StudyError: the study was begun with another definition, or another driver has it.
        DataError: the images cannot be read.
        UserError, NasError: there are no workers to be had.
    """
    open_study(ledger, campaign.study, campaign.kind, definition)
    recipes = {training.recipe.id: training.recipe for training in campaign.trainings}.values()
    images = images_of(campaign.fingerprint, *recipes)
    for one in images:
        decode_images(campaign.data, one.resolution, expected=campaign.fingerprint)
    said: list[str] = []
    try:
        with (
            StepDisplay(f"training {campaign.study}") as display,
            workers_of(settings, jobs=campaign.width, images=images, say=said.append) as executor,
        ):
            run_trainings(
                campaign,
                ledger,
                executor,
                holder=f"{socket.gethostname()}:{os.getpid()}",
                watch=lambda done, total, under_way: display.fraction((done + under_way) / total),
            )
    finally:
        for sentence in said:
            notice(sentence)
    if campaign.checkpoints is not None:  # all is done; trainings that failed have left theirs
        prune_checkpoints(campaign.checkpoints, set())
