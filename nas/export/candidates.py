"""Which network of which study is taken, where one study, several or none is named; and why others do not apply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nas.analysis.front import FrontRow, evaluated_rows
from nas.command_line import command_line
from nas.cost import Budget
from nas.errors import StudyError
from nas.ledger import Ledger
from nas.records import StudyKind, StudyRecord

_SAME = {"fingerprint": "data set", "recipe": "recipe"}
"""What has to be the same for accuracies to be compared, by the words of a definition."""


class _Candidate(NamedTuple):
    """A network of a study."""

    study: str
    row: FrontRow


def choose_among(ledger: Ledger, studies: Sequence[str], identity: str | None) -> tuple[str, str, list[str]]:
    """The most accurate candidate of several studies together (of the highest rung), or the one whose id begins so.

    Returns:
        Its study, its id, and a sentence for each study that does not apply.

    Raises:
        StudyError: there is no such study, none of them applies, no candidate's id begins so, or several do.
    """
    found: list[_Candidate] = []
    left_out: list[str] = []
    first: StudyRecord | None = None
    for name in dict.fromkeys(studies):
        record = ledger.study(name)
        reason = _not_exportable(ledger, record) or ("" if first is None else _unlike(record, first))
        if reason:
            left_out.append(f"{name}: {reason}")
            continue
        first = first or record
        found += _candidates(ledger, record)
    if first is None:
        raise StudyError("; ".join(["none of these studies has a network to export", *left_out]))
    if identity is not None:
        found = [one for one in found if one.row.id.startswith(identity)]
        if len({one.row.id for one in found}) != 1:
            which = "several candidates begin" if found else "no candidate with an accuracy begins"
            raise StudyError(f"{which} with {identity!r} in {', '.join(studies)}; write another id")
    chosen = max(found, key=lambda one: (one.row.rung, one.row.accuracy, -one.row.flops))
    return chosen.study, chosen.row.id, left_out


def latest_exportable(ledger: Ledger) -> tuple[str, list[str]]:
    """The most recently active search with a network to export, and why newer studies have none, a sentence each.

    Raises:
        StudyError: there is none.
    """
    left_out: list[str] = []
    for study in ledger.studies():
        reason = f"it {study.purpose}" if study.problem else _not_exportable(ledger, ledger.study(study.name))
        if not reason:
            return study.name, left_out
        left_out.append(f"{study.name}: {reason}")
    raise StudyError("; ".join(["this ledger has no search with a network to export", *left_out]))


def _candidates(ledger: Ledger, record: StudyRecord) -> list[_Candidate]:
    """Those of a study that have an accuracy."""
    budget = Budget.parse(record.definition["budget"])
    return [_Candidate(record.name, row) for row in evaluated_rows(ledger.trials(record.name), budget)]


def _not_exportable(ledger: Ledger, record: StudyRecord) -> str:
    """Why no network of a study can be exported; empty where one can."""
    if record.kind is not StudyKind.SEARCH:
        return f"it {record.kind.purpose}"
    if "evaluate" in record.definition:
        return "it trains by its own function, which leaves no weights"
    evaluations = [trial.evaluation for trial in ledger.trials(record.name) if trial.evaluation is not None]
    if any(one.key.is_told for one in evaluations):
        return "its accuracies were told, so that there are no weights"
    if not any(one.accuracy is not None for one in evaluations):
        going_on = command_line("search", "--resume", "--study", record.name, *ledger.as_option)
        return f"it has no trained candidate yet; go on with: {going_on}"
    return ""


def _unlike(record: StudyRecord, first: StudyRecord) -> str:
    """In what the accuracies of two studies differ, whatever their networks; empty where they do not."""
    differs = [said for word, said in _SAME.items() if record.definition.get(word) != first.definition.get(word)]
    return f"it has another {' and '.join(differs)} than {first.name}" if differs else ""
