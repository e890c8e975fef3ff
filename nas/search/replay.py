"""The trials of a study as they were at each rung, read from the ledger page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from nas.ledger import Ledger
from nas.records import Evaluation, EvaluationKey, TrialRecord, TrialState
from nas.search.problem import Proxy


def replayed(ledger: Ledger, study: str, proxy: Proxy) -> Iterator[tuple[TrialRecord, list[TrialRecord]]]:
    """Each trial by number, and the same trial as it was at each rung that it has reached."""
    for page in ledger.pages(study):
        lower = ledger.find_all([key for record in page for key in _below(record, proxy)])
        for record in page:
            yield record, _climbed(record, proxy, lower)


def next_rung(record: TrialRecord) -> int:
    """The rung that a trial's next training leads to."""
    return 0 if record.evaluation is None else record.evaluation.key.rung + 1


def _below(record: TrialRecord, proxy: Proxy) -> list[EvaluationKey]:
    """The trainings that led to a trial's result."""
    last = record.evaluation
    return [] if last is None else [proxy.key(record.architecture, rung) for rung in range(last.key.rung)]


def _climbed(record: TrialRecord, proxy: Proxy, lower: Mapping[EvaluationKey, Evaluation]) -> list[TrialRecord]:
    last = record.evaluation
    if last is None or last.key.rung == 0:
        return [record]
    before = [lower[key] for key in _below(record, proxy) if key in lower]
    steps = [replace(record, state=TrialState.STOPPED, evaluation=one) for one in before]
    fell = record.state is TrialState.FAILED and last.succeeded
    return [*steps, replace(record, state=TrialState.STOPPED) if fell else record]
