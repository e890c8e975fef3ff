"""`ARCH` as users write it: a preset name, an architecture file, or `STUDY:ID`."""

from __future__ import annotations

from pathlib import Path

from nas.architecture import Architecture
from nas.errors import UserError
from nas.ledger import DEFAULT_STORAGE
from nas.space import load_architecture


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


def split_reference(reference: str) -> tuple[str, str] | None:
    """The study and the id of `STUDY:ID`; None for anything else."""
    study, colon, prefix = reference.rpartition(":")
    if not colon or Path(reference).exists():
        return None
    if not study or not prefix:
        raise UserError(f"cannot read {reference!r}; write STUDY:ID, as `nas pareto` and `nas studies` show them")
    return study, prefix
