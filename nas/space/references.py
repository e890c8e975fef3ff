"""`ARCH` as users write it: a preset name, an architecture file, a folder with weights, or `STUDY:ID`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from nas.architecture import Architecture
from nas.errors import UserError
from nas.ledger.address import DEFAULT_STORAGE, split_candidate
from nas.schema.packaged import preset_names
from nas.space.load import load_architecture
from nas.task import Task

if TYPE_CHECKING:
    from nas.ledger import Ledger

ABOUT = "model.json"
"""What a folder with weights says about them."""


def resolve_architecture(reference: str, storage: str = DEFAULT_STORAGE, *, beside: Path | None = None) -> Architecture:
    """The architecture of a reference; `STUDY:ID` takes any unambiguous beginning of the id.

    Args:
        reference: as the user wrote it.
        storage: address of the ledger that has the study.
        beside: a folder that is looked into before the working directory: that of the file with the reference.

    Raises:
        UserError: nothing of that name, with the nearest ones there are.
    """
    near = None if beside is None else beside / reference
    if near is not None and (near.is_file() or (near.is_dir() and reference not in preset_names())):
        return load_architecture(near)
    found = split_reference(reference)
    if found is None:
        return load_architecture(reference)
    from nas.ledger import Ledger

    with Ledger.read(storage) as ledger:
        return candidate_architecture(ledger, *found)


def candidate_architecture(ledger: Ledger, study: str, prefix: str) -> Architecture:
    """The architecture of a study's candidate by the beginning of its id; raises LedgerError where there is none."""
    return Architecture.from_dict(ledger.architecture(ledger.architecture_id(study, prefix)))


def own_task(reference: str, storage: str = DEFAULT_STORAGE) -> Task:
    """What a reference is priced for where nobody says otherwise: a candidate and weights have a task of their own.

    Raises:
        UserError: no such study, or a folder that is damaged.
    """
    found = split_reference(reference)
    if found is None:
        about = Path(reference) / ABOUT
        return task_of(about) if about.is_file() else load_architecture(reference).task_of(Task())
    from nas.ledger import Ledger

    with Ledger.read(storage) as ledger:
        task = ledger.study(found[0]).definition.get("task")
        architecture = candidate_architecture(ledger, *found)
    return architecture.task_of(Task(**task) if isinstance(task, dict) else Task())


def task_of(about: Path) -> Task:
    """What the weights of a folder are for, by its `model.json`; raises UserError."""
    try:
        document = json.loads(about.read_text(encoding="utf-8"))
        return Task(resolution=document["resolution"], classes=document["classes"], channels=document["in_channels"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{about}: not what `nas export` writes: {error}") from None


def split_reference(reference: str) -> tuple[str, str] | None:
    """The study and the id of `STUDY:ID`; None for anything else."""
    return None if ":" not in reference or os.path.exists(reference) else split_candidate(reference)
