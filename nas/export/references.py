"""`ARCH` as users write it: a preset name, an architecture file, a folder with weights, or `STUDY:ID`."""

from __future__ import annotations

from pathlib import Path

from nas.architecture import Architecture
from nas.export.bundle import ABOUT, about_of
from nas.ledger import DEFAULT_STORAGE, split_candidate
from nas.space import load_architecture
from nas.task import Task


def resolve_architecture(reference: str, storage: str = DEFAULT_STORAGE) -> Architecture:
    """The architecture of a reference; `STUDY:ID` takes any unambiguous beginning of the id.

    Raises:
        UserError: nothing of that name, with the nearest ones there are.
    """
    found = split_reference(reference)
    if found is None:
        return load_architecture(reference)
    from nas.ledger import Ledger

    study, prefix = found
    with Ledger.read(storage) as ledger:
        return Architecture.from_dict(ledger.architecture(ledger.architecture_id(study, prefix)))


def own_task(reference: str, storage: str = DEFAULT_STORAGE) -> Task:
    """What a reference is priced for where nobody says otherwise: a candidate and weights have a task of their own.

    Raises:
        UserError: no such study, or a folder that is damaged.
    """
    found = split_reference(reference)
    if found is None:
        return about_of(Path(reference)).provenance.task if (Path(reference) / ABOUT).is_file() else Task()
    from nas.ledger import Ledger

    with Ledger.read(storage) as ledger:
        task = ledger.study(found[0]).definition.get("task")
    return Task(**task) if isinstance(task, dict) else Task()


def split_reference(reference: str) -> tuple[str, str] | None:
    """The study and the id of `STUDY:ID`; None for anything else."""
    return None if ":" not in reference or Path(reference).exists() else split_candidate(reference)
