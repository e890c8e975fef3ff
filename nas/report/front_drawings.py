"""The drawings of candidates, for a page that shows the one under the pointer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nas.architecture import Architecture
from nas.ledger import Ledger
from nas.report.drawing import drawn_parts, svg
from nas.report.fronts import StudyFront

_MOST = 1000
"""Candidates beside the front that are drawn, evenly chosen: a drawing has 3 kB."""


def front_drawings(ledger: Ledger, fronts: Sequence[StudyFront]) -> dict[str, str]:
    """SVG text by id, of every candidate of the fronts and of up to a thousand others of each study."""
    return {identity: text for one in fronts for identity, text in _of_study(ledger, one)}


def _of_study(ledger: Ledger, front: StudyFront) -> Iterator[tuple[str, str]]:
    forms = ledger.architectures_of(front.name)
    rows = front.comparable
    chosen = [*front.best, *rows[:: max(1, -(-len(rows) // _MOST))]]
    for identity in dict.fromkeys(row.id for row in chosen):
        architecture = Architecture.from_dict(forms[identity])
        yield identity, svg(drawn_parts(architecture, architecture.task_of(front.task)), title=identity)
