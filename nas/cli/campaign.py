"""Running given trainings from the command line: images first, then the trainings, with progress on stderr."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from functools import partial
from typing import Any

from nas.cli.live import StepDisplay
from nas.cli.preparing import decode_images
from nas.evaluate.proxy import evaluate
from nas.executors.local import LocalExecutor
from nas.ledger import Ledger
from nas.search.trainings import Campaign, open_study, run_trainings
from nas.train.checkpoint import prune_checkpoints


def run_campaign(
    campaign: Campaign, definition: Mapping[str, Any], ledger: Ledger, *, workers: int, device: str
) -> None:
    """Begin or continue the study of a campaign and do what is not done yet.

    Args:
        campaign: what to train.
        definition: what makes it the same study the next time.
        ledger: where everything is kept.
        workers: trainings at a time.
        device: where to train.

    Raises:
        StudyError: the study was begun with another definition, or another driver has it.
        DataError: the images cannot be read.
    """
    open_study(ledger, campaign.study, definition)
    for resolution in sorted({training.recipe.stored_resolution for training in campaign.trainings}):
        decode_images(campaign.data, resolution, expected=campaign.fingerprint)
    with (
        StepDisplay(f"training {campaign.study}") as display,
        LocalExecutor(partial(evaluate, device=device), workers=workers) as executor,
    ):
        run_trainings(
            campaign,
            ledger,
            executor,
            holder=f"{socket.gethostname()}:{os.getpid()}",
            watch=lambda done, total, under_way: display.fraction((done + under_way) / total),
        )
    if campaign.checkpoints is not None:  # all is done; trainings that failed have left theirs
        prune_checkpoints(campaign.checkpoints, set())
