"""What a study's proxy can tell: its rows from the ledger, and in words."""

from __future__ import annotations

from collections.abc import Sequence

from nas.analysis.proxy_health import HealthRow, State, Trained, proxy_health, yardstick_of
from nas.ledger import Ledger
from nas.records import StudyKind

_ONE_RECIPE = (StudyKind.SEARCH, StudyKind.COMPARE)


def study_health(ledger: Ledger, study: str) -> list[HealthRow]:
    """What the accuracies of a study tell about its proxy; nothing for one that trains by several recipes.

    What accuracies are measured on is known of those that we trained, not of those that were told.

    Raises:
        StudyError: no such study.
    """
    record = ledger.study(study)
    if record.kind not in _ONE_RECIPE:
        return []
    found = ledger.accuracies(study)
    yardstick = None if any(key.is_told for key, _ in found) else yardstick_of(record.definition)
    return proxy_health(
        (Trained(key.architecture_id, key.seed, key.rung, accuracy) for key, accuracy in found), yardstick
    )


def health_sentences(rows: Sequence[HealthRow]) -> list[tuple[State, str]]:
    """What is known, a sentence a row, with the rung where rows are of several, and the advice."""
    known = [row for row in rows if row.state is not State.UNKNOWN]
    rungs = {row.rung for row in known}
    return [(row.state, _sentence(row, is_one=len(rungs) == 1)) for row in known]


def _sentence(row: HealthRow, *, is_one: bool) -> str:
    where = "" if is_one or row.rung is None else f" (rung {row.rung})"
    advice = f": {row.advice}" if row.advice else ""
    return f"{row.says}{where}{advice}"
