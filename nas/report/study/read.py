"""From the ledger to the rows of a report."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from nas.analysis.front import FrontRow, evaluated_rows, front_rows, searched_costs
from nas.cost import Budget
from nas.cost.budget import latency_of
from nas.errors import UserError
from nas.ledger import Ledger
from nas.records import CONTROL, Evaluation, EvaluationKey, StudyKind, StudyRecord, TrialRecord, TrialState
from nas.report.analysis import analyse
from nas.report.proxy_health import study_health
from nas.report.study.findings import findings
from nas.report.study.repeat import repeat_row
from nas.report.study.rows import NO_BUDGET, CandidateRow, FailureRow, LearningCurve, ReportRows, SpentRow, StudyRows
from nas.report.study.volume import Finished, Scale, volume_curves
from nas.train.recipe import Recipe

_CURVES = 60  # of trainings that are shown
_COSTS = ("flops", "params", "activations", "train_flops", "train_params")


class _Read(NamedTuple):
    """A study with what its hypervolume is made of, which waits for the scale that all studies share."""

    rows: StudyRows
    finished: list[Finished]


def read_report(
    ledger: Ledger, names: Sequence[str], *, watch: Callable[[str], None] = lambda doing: None
) -> ReportRows:
    """The rows of some studies.

    Args:
        ledger: where they are.
        names: of the studies, in the order of the report; one that stands twice is shown once.
        watch: told what is going on.

    Raises:
        StudyError: there is no such study.
        UserError: a study is of a kind that has no front.
    """
    read = []
    for name in dict.fromkeys(names):
        watch(f"analysing {name}")
        read.append(_study(ledger, name))
    notes = _notes([one.rows for one in read])
    found = []
    for study in read:
        shared = [study] if notes else read
        top, first = _scale(shared, lowest=False), _scale(shared, lowest=True)
        is_search = study.rows.kind == StudyKind.SEARCH
        volume = volume_curves(study.finished, top, first) if is_search and top is not None else ()
        rows = replace(study.rows, volume=volume)
        found.append(replace(rows, findings=findings(rows)))
    return ReportRows(studies=tuple(found), notes=notes)


def _scale(read: Sequence[_Read], *, lowest: bool) -> Scale | None:
    """What the hypervolumes of some studies are measured by, of their first rung or of the highest of each."""
    points = []
    for study in read:
        reached = [one for one in study.finished if one.point is not None]
        rung = 0 if lowest else max((one.rung for one in reached), default=0)
        points += [one.point for one in reached if one.rung == rung and one.point is not None]
    return Scale.of(points)


def _study(ledger: Ledger, name: str) -> _Read:
    record = ledger.study(name)
    if record.kind in (StudyKind.TRUST, StudyKind.REFINE):
        raise UserError(f"{name}: this study {record.kind.purpose} and has no front to report; `nas {record.kind}`")
    definition = record.definition
    trials, evaluations = ledger.trials(name), ledger.evaluations(name)
    budget, costs = Budget.parse(definition.get("budget", [])), searched_costs(definition)
    rows = evaluated_rows(trials, budget)
    front = {row.id for row in front_rows(rows, costs)}
    by_id = {trial.architecture_id: trial for trial in reversed(trials)}
    candidates = tuple(_candidate(row, by_id[row.id], record.kind, is_front=row.id in front) for row in rows)
    summary = next(one for one in ledger.studies() if one.name == name)
    finished = _finished(trials, evaluations, costs)
    rung_epochs = _rung_epochs(definition)
    is_told = any(one.key.is_told for one in evaluations)
    found = StudyRows(
        name=name,
        kind=record.kind.value,
        created=record.created,
        active=summary.latest_activity,
        definition=definition,
        budget=str(budget) if budget.bounds else NO_BUDGET,
        costs=costs,
        rung_epochs=rung_epochs,
        counts={state.value: summary.counts[state] for state in TrialState if summary.counts.get(state)},
        findings=(),
        candidates=candidates,
        volume=(),
        curves=_curves(evaluations, candidates, rung_epochs),
        full=(),
        analysis=analyse(ledger, name) if record.kind is StudyKind.SEARCH and candidates else None,
        failures=_failures(evaluations),
        health=tuple(study_health(ledger, name)),
        spent=_spent(trials, evaluations, finished, summary.counts),
        repeat=repeat_row(
            record, _asked_for(record, trials, candidates), _started(definition, trials), is_told=is_told
        ),
    )
    return _Read(found, finished)


def _candidate(row: FrontRow, trial: TrialRecord, kind: StudyKind, *, is_front: bool) -> CandidateRow:
    latencies = {latency_of(profile): ms for profile, ms in row.latency.items()}
    return CandidateRow(
        id=row.id,
        number=trial.number,
        accuracy=row.accuracy,
        rung=row.rung,
        seeds=row.seeds,
        seconds=row.seconds,
        costs={**{name: getattr(row, name) for name in _COSTS}, **latencies},
        decisions=row.decisions if kind is StudyKind.SEARCH else {},  # nobody decided between given architectures
        is_control=bool(trial.sampler.get(CONTROL)),
        is_front=is_front,
    )


def _rung_epochs(definition: Mapping[str, Any]) -> tuple[int, ...]:
    """Epochs at the end of every rung; none where a training of somebody's own does not say."""
    own = definition.get("evaluate")
    if own is None:
        return tuple(one.epochs for one in Recipe.from_dict(definition.get("recipe", {})).fidelities)
    return () if own["epochs"] is None else (*own["rungs"], own["epochs"])


def _asked_for(record: StudyRecord, trials: Sequence[TrialRecord], candidates: Sequence[CandidateRow]) -> int:
    """How far a repetition goes: candidates with an evaluation or, in a comparison, trainings of each."""
    if record.kind is not StudyKind.SEARCH:
        return max((one.seeds for one in candidates), default=1)
    return len({trial.architecture_id for trial in trials if trial.evaluation is not None})


def _started(definition: Mapping[str, object], trials: Sequence[TrialRecord]) -> list[str]:
    """Ids of the architectures that the search was begun with."""
    start = definition.get("start", ())
    count = len(start) if isinstance(start, list | tuple) else 0
    return [trial.architecture_id for trial in trials[:count]]


def _finished(trials: Sequence[TrialRecord], evaluations: Sequence[Evaluation], costs: Sequence[str]) -> list[Finished]:
    """What became of each training, in the order in which they ended; work at a lower rung is not counted twice."""
    of = {trial.architecture_id: trial for trial in reversed(trials)}
    known = {
        trial.evaluation.key
        for trial in trials
        if trial.state is TrialState.REUSED and trial.evaluation is not None
    }  # fmt: skip
    epochs_of: dict[tuple[str, int], int] = defaultdict(int)
    finished = []
    for one in evaluations:
        trial = of.get(one.key.architecture_id)
        training = (one.key.architecture_id, one.key.seed)
        is_known, done = one.key in known, epochs_of[training]
        epochs_of[training] = max(done, len(one.curve))
        point = None
        if one.accuracy is not None and trial is not None:
            point = (one.accuracy, *(float(trial.cost[cost]) for cost in costs))
        finished.append(
            Finished(
                rung=one.key.rung,
                point=point,
                trainings=0 if is_known else 1,
                epochs=0 if is_known else max(len(one.curve) - done, 0),
                seconds=0.0 if is_known else one.seconds,
                is_control=trial is not None and bool(trial.sampler.get(CONTROL)),
            )
        )
    return finished


def _curves(
    evaluations: Sequence[Evaluation], candidates: Sequence[CandidateRow], rung_epochs: Sequence[int]
) -> tuple[LearningCurve, ...]:
    """Those of some of the front, and of others evenly chosen from worst to best."""
    others = sorted((one for one in candidates if not one.is_front), key=lambda one: one.accuracy)
    front = [one for one in candidates if one.is_front]
    some = (*_evenly(front, _CURVES // 2), *_evenly(others, _CURVES // 2))
    chosen = {one.id: one for one in some}
    seen: dict[str, dict[int, Evaluation]] = {}
    seeds: dict[str, EvaluationKey] = {}
    for one in evaluations:
        key = one.key
        if key.architecture_id in chosen and one.accuracy is not None:
            first = seeds.setdefault(key.architecture_id, key)
            if (first.seed, first.recipe) == (key.seed, key.recipe):
                seen.setdefault(key.architecture_id, {})[key.rung] = one
    return tuple(
        LearningCurve(
            id=identity,
            is_front=chosen[identity].is_front,
            losses=tuple(max(rungs.items())[1].curve),
            rungs=tuple(
                (rung_epochs[rung], one.accuracy)
                for rung, one in sorted(rungs.items())
                if rung < len(rung_epochs) and one.accuracy is not None
            ),
        )
        for identity, rungs in seen.items()
    )


def _evenly(some: Sequence[CandidateRow], most: int) -> Sequence[CandidateRow]:
    return some[:: -(-len(some) // most)] if some else some


def _failures(evaluations: Sequence[Evaluation]) -> tuple[FailureRow, ...]:
    groups: dict[tuple[str, str], list[Evaluation]] = defaultdict(list)
    for one in evaluations:
        if one.failure is not None:
            groups[one.failure.value, re.sub(r"\d+", "#", one.message)].append(one)  # numbers aside
    rows = [
        FailureRow(
            failure=failure,
            message=some[0].message,
            count=len(some),
            seconds=sum(one.seconds for one in some),
            example=some[0].key.architecture_id,
            traceback=some[0].traceback,
        )
        for (failure, _), some in groups.items()
    ]
    return tuple(sorted(rows, key=lambda row: -row.count))


def _spent(
    trials: Sequence[TrialRecord],
    evaluations: Sequence[Evaluation],
    finished: Sequence[Finished],
    counts: Mapping[TrialState, int],
) -> SpentRow:
    paid = [one for one, end in zip(evaluations, finished, strict=True) if end.trainings]
    phases: Counter[str] = Counter()
    for one in paid:
        phases.update(one.phases)
    energies = [one.energy for one in paid if one.energy is not None]
    return SpentRow(
        trainings=len(paid),
        reused=counts.get(TrialState.REUSED, 0),
        rejected=counts.get(TrialState.REJECTED, 0),
        failed=sum(not one.succeeded for one in paid),
        epochs=sum(one.epochs for one in finished),
        images=_images(paid),
        seconds=sum(one.seconds for one in paid),
        train_seconds=sum(one.train_seconds for one in paid),
        failed_seconds=sum(one.seconds for one in paid if not one.succeeded),
        control_seconds=sum(one.seconds for one in finished if one.is_control),
        phases=dict(phases),
        energy=sum(energies) if energies else None,
        peak_memory=max((one.peak_memory for one in paid), default=0),
        workers=dict(Counter(one.worker.partition(":")[0] or "unknown" for one in paid)),
    )


def _images(paid: Sequence[Evaluation]) -> int:
    """Training images seen; an evaluation counts those of its lower rungs too, which are one training."""
    most: dict[tuple[str, int], int] = defaultdict(int)
    for one in paid:
        training = (one.key.architecture_id, one.key.seed)
        most[training] = max(most[training], one.images)
    return sum(most.values())


def _notes(studies: Sequence[StudyRows]) -> tuple[str, ...]:
    """Why accuracies of these studies are not to be compared."""
    if len(studies) < 2:
        return ()
    words = {"fingerprint": "data", "recipe": "recipes", "seed": "seeds of the trainings", "task": "tasks"}
    differ = [
        word
        for name, word in words.items()
        if any(one.definition.get(name) != studies[0].definition.get(name) for one in studies[1:])
    ]
    serious = [word for word in differ if word != "seeds of the trainings"]
    if any(one.costs != studies[0].costs for one in studies[1:]):
        serious.append("objectives")
    if not serious:
        return ()
    return (f"these studies differ in {' and '.join(serious)}: their accuracies are not to be compared",)
