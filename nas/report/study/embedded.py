"""What the page's script works with: every candidate, a column each, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nas.records import Plain
from nas.report.study.networks import Networks
from nas.report.study.rows import CandidateRow, ReportRows, StudyRows
from nas.report.words import metric_label


def embedded(report: ReportRows, networks: Networks) -> dict[str, Any]:
    """JSON-ready; a number that a candidate lacks is null."""
    metrics = dict.fromkeys(metric for study in report.studies for one in study.candidates for metric in one.costs)
    labels = {metric: metric_label(metric) for metric in ("accuracy", *metrics, "seconds")}
    studies = [_study(study, networks, list(metrics)) for study in report.studies]
    return {"metrics": labels, "studies": studies, "shared": networks.to_dict()}


def _study(study: StudyRows, networks: Networks, metrics: Sequence[str]) -> dict[str, Any]:
    candidates = study.candidates
    known = [networks.of.get((study.name, one.id)) for one in candidates]
    return {
        "name": study.name,
        "costs": list(study.costs),
        "candidates": {
            "id": [one.id for one in candidates],
            "number": [one.number for one in candidates],
            "accuracy": [round(one.accuracy, 6) for one in candidates],
            "rung": [one.rung for one in candidates],
            "seeds": [one.seeds for one in candidates],
            "seconds": [round(one.seconds, 2) for one in candidates],
            "front": [int(one.is_front) for one in candidates],
            "control": [int(one.is_control) for one in candidates],
            **{metric: [one.costs.get(metric) for one in candidates] for metric in metrics},
        },
        "decisions": {name: _column(name, candidates) for name in _decisions(candidates)},
        "drawings": [None if one is None else one["drawing"] for one in known],
        "fields": [None if one is None else one["fields"] for one in known],
        "yaml": {identity: text for (name, identity), text in networks.files.items() if name == study.name},
        "files": dict(study.repeat.files),
    }


def _decisions(candidates: Sequence[CandidateRow]) -> list[str]:
    return list(dict.fromkeys(name for one in candidates for name in one.decisions))


def _column(name: str, candidates: Sequence[CandidateRow]) -> dict[str, Any]:
    """The values of a decision in their order, and the place of each candidate's; null where it was not asked."""
    values = [one.decisions[name] for one in candidates if name in one.decisions]
    distinct = {_key(value): value for value in sorted(values, key=_order)}
    places = {key: place for place, key in enumerate(distinct)}
    return {
        "values": list(distinct.values()),
        "at": [places[_key(one.decisions[name])] if name in one.decisions else None for one in candidates],
    }


def _key(value: Plain) -> str:
    return f"{type(value).__name__} {value!r}"


def _order(value: Plain) -> tuple[bool, float, str]:
    """Numbers first, by size; all else by its words."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return (not is_number, float(value) if is_number else 0.0, str(value))
