"""What a search has taught, from Python: the same numbers as `nas analyze`."""

from __future__ import annotations

from nas.ledger import DEFAULT_STORAGE, Ledger
from nas.records import StudyKind
from nas.report.analysis import Analysis, analyse


def analyze(study: str | None = None, *, rung: int = 0, storage: str = DEFAULT_STORAGE) -> Analysis:
    """What each decision of a search's space is worth in accuracy at equal cost, and how sure that is.

    Args:
        study: its name; None for the latest search.
        rung: whose accuracies to take; those of rung 0 are the only ones that every candidate has.
        storage: address of the ledger.

    Raises:
        StudyError: no such search, no such rung, or no accuracy at it yet.
        LedgerError: there is no ledger.
    """
    with Ledger.read(storage) as ledger:
        return analyse(ledger, study or ledger.latest_study(StudyKind.SEARCH), rung=rung)
