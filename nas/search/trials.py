"""The trials of a search in its memory: those that may still change, those between asking and telling, those before.

A search is a list of trials in the ledger; here is what its driver has to remember of them while it runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from nas.errors import StudyError
from nas.ledger import Ledger
from nas.records import Evaluation, EvaluationKey, TrialRecord, TrialState
from nas.search.problem import Proxy


class OpenTrials:
    """The records of the trials that may still change, by number, so that a long search fits into memory.

    Attributes:
        counts: trials by state, those that are over included.
    """

    def __init__(self) -> None:
        self.counts: Counter[TrialState] = Counter()
        self._open: dict[int, TrialRecord] = {}

    @property
    def present(self) -> dict[TrialState, int]:
        """Trials by state, those states that there are."""
        return dict(+self.counts)

    def __getitem__(self, number: int) -> TrialRecord:
        """A trial that may still change: one that is QUEUED, or STOPPED at a rung."""
        return self._open[number]

    def put(self, record: TrialRecord) -> None:
        """Take in a trial, or what has become of it. Of one that was told to the sampler its choices are forgotten."""
        before = self._open.pop(record.number, None)
        if before is not None:
            self.counts[before.state] -= 1
        self.counts[record.state] += 1
        if record.state is TrialState.QUEUED:
            self._open[record.number] = record
        elif record.state is TrialState.STOPPED:
            self._open[record.number] = replace(record, choices={}, overrun={}, sampler={})


class UnderWay:
    """The candidates that are about to be trained or are being so; none is trained twice at a time.

    Nothing here takes time that grows with their number.

    Attributes:
        new: trials among them that have no result yet at any rung.
    """

    def __init__(self) -> None:
        self._candidates: set[str] = set()
        self._waiting: dict[str, list[int]] = {}  # candidate -> further trials that asked for it
        self.new = 0

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._candidates)

    def __contains__(self, architecture_id: str) -> bool:
        """Whether a candidate is among them."""
        return architecture_id in self._candidates

    def enter(self, record: TrialRecord) -> bool:
        """Take in a trial to be trained; False if its candidate is under way already and it has to wait for that."""
        if record.architecture_id in self._candidates:
            self._waiting.setdefault(record.architecture_id, []).append(record.number)
            return False
        self._candidates.add(record.architecture_id)
        self.new += record.evaluation is None
        return True

    def climb(self, record: TrialRecord) -> None:
        """Take in a trial that goes on to another rung."""
        self._candidates.add(record.architecture_id)

    def leave(self, record: TrialRecord) -> list[int]:
        """Let a trial go whose training is over, by what it was before; returns those that waited for it."""
        self._candidates.discard(record.architecture_id)
        self.new -= record.evaluation is None
        return self._waiting.pop(record.architecture_id, [])


def replayed(ledger: Ledger, study: str, proxy: Proxy) -> Iterator[tuple[TrialRecord, list[TrialRecord]]]:
    """Each trial by number, and the same trial as it was at each rung that it has reached.

    Raises:
        StudyError: one has reached a rung that there is none of.
    """
    for page in ledger.pages(study):
        lower = ledger.find_all([key for record in page for key in _below(record, proxy)])
        for record in page:
            _require_rung(record, study, proxy)
            yield record, _climbed(record, proxy, lower)


def next_rung(record: TrialRecord) -> int:
    """The rung that a trial's next training leads to."""
    return 0 if record.evaluation is None else record.evaluation.key.rung + 1


def _below(record: TrialRecord, proxy: Proxy) -> list[EvaluationKey]:
    """The trainings that led to a trial's result."""
    last = record.evaluation
    return [] if last is None else [proxy.key(record.architecture_id, rung) for rung in range(last.key.rung)]


def _require_rung(record: TrialRecord, study: str, proxy: Proxy) -> None:
    if record.evaluation is not None and record.evaluation.key.rung >= proxy.rungs:
        raise StudyError(
            f"trial {record.number} of study {study!r} has reached rung {record.evaluation.key.rung}, and its recipe "
            f"has {proxy.rungs} from 0 on: its definition was changed; restore the ledger from a copy"
        )


def _climbed(record: TrialRecord, proxy: Proxy, lower: Mapping[EvaluationKey, Evaluation]) -> list[TrialRecord]:
    last = record.evaluation
    if last is None or last.key.rung == 0:
        return [record]
    before = [lower[key] for key in _below(record, proxy) if key in lower]
    steps = [replace(record, state=TrialState.STOPPED, evaluation=one) for one in before]
    fell = record.state is TrialState.FAILED and last.succeeded
    return [*steps, replace(record, state=TrialState.STOPPED) if fell else record]
