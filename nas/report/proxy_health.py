"""What a study's proxy can tell: its rows from the ledger, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nas.analysis.proxy_health import HealthRow, Measure, State, Trained, proxy_health, yardstick_of
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


class HealthLine(NamedTuple):
    """A row as it is shown, or several of which nothing can be told for the same reason.

    Attributes:
        what: the measures.
        rungs: at which; none where that is no question or `says` names them.
        state: what it means.
        says: a sentence.
        advice: what would help; empty unless the state is poor.
    """

    what: str
    rungs: tuple[int, ...]
    state: State
    says: str
    advice: str


def state_words(state: State) -> str:
    """A state as it is shown."""
    return "cannot tell" if state is State.UNKNOWN else state.value


def health_lines(rows: Sequence[HealthRow]) -> list[HealthLine]:
    """What is known, a line a row, and then what cannot be told, a line a reason."""
    known = [row for row in rows if row.state is not State.UNKNOWN]
    unknown: dict[str, list[HealthRow]] = {}
    for row in rows:
        if row.state is State.UNKNOWN:
            unknown.setdefault(row.says, []).append(row)
    return [_line([row]) for row in known] + [_line(alike) for alike in unknown.values()]


def health_sentences(rows: Sequence[HealthRow]) -> list[tuple[State, str]]:
    """The lines as sentences, with the rung where rows are of several, and the advice."""
    lines = health_lines(rows)
    is_one = len({rung for line in lines for rung in line.rungs}) == 1
    return [(line.state, _sentence(line, is_one=is_one)) for line in lines]


def _line(alike: Sequence[HealthRow]) -> HealthLine:
    rungs = dict.fromkeys(row.rung for row in alike if row.rung is not None and row.measure is not Measure.RUNGS_AGREE)
    first = alike[0]
    what = ", ".join(dict.fromkeys(row.measure.value for row in alike))
    return HealthLine(what, tuple(rungs), first.state, first.says, first.advice)


def _sentence(line: HealthLine, *, is_one: bool) -> str:
    where = "" if is_one or not line.rungs else f"rung {', '.join(map(str, line.rungs))}: "
    if line.state is State.UNKNOWN:
        return f"{where}{line.what}: {line.says}"
    return f"{where}{line.says}{f': {line.advice}' if line.advice else ''}"
