"""How far a proxy can be trusted: everything that was measured, and the judgement of every ranking."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from statistics import fmean
from typing import Any

import numpy as np

from nas.analysis.bootstrap import Estimate
from nas.analysis.ranking import Values
from nas.analysis.trust import FEWEST, Judgement, Trust, judge
from nas.errors import NasError
from nas.evaluate.zerocost import scores
from nas.evaluate.zerocost.study import Scores
from nas.records import Evaluation, TrialRecord
from nas.search.sweeps.trust import PROXY, REFERENCE, TrustPlan
from nas.units import plural

TRIVIAL = ("params", "flops")
TOPS = (1, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One architecture with everything that was measured of it.

    Attributes:
        id: of the architecture.
        flops, params: of the deployed form.
        reference: accuracies at the reference, by seed.
        rungs: accuracies by rung, by seed.
        scores: by name, by seed; None where a score is not finite.
        failure: why it is not judged; empty if it is.
    """

    id: str
    flops: int
    params: int
    reference: Sequence[float | None]
    rungs: Sequence[Sequence[float | None]]
    scores: Mapping[str, Sequence[float | None]]
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRow:
    """One ranking of the architectures.

    Attributes:
        name: `rung 0`, a score, `params`, `flops`.
        kind: `rung`, `score` or `trivial`.
        judgement: None where it has no finite value for some architecture.
        seconds: of one architecture, on average.
        share: of the reference's seconds.
        missing: architectures without a value.
    """

    name: str
    kind: str
    judgement: Judgement | None
    seconds: float
    share: float
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustReport:
    """The whole answer.

    Attributes:
        plan: what was measured.
        rows: rungs, scores, trivial rankings.
        trust: the judgements and the ceiling.
        reference_seconds: of one training.
        architectures: all of them, judged or not.
    """

    plan: TrustPlan
    rows: Sequence[TrustRow]
    trust: Trust
    reference_seconds: float
    architectures: Sequence[Ranked]

    @property
    def judged(self) -> int:
        """Architectures that all of the numbers are about."""
        return sum(not one.failure for one in self.architectures)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; what is not known is null."""
        whole: dict[str, Any] = _plain(
            {
                "study": self.plan.name,
                "seeds": self.plan.seeds,
                "judged": self.judged,
                "proxy": {"id": self.plan.proxy.id, "rungs": [asdict(one) for one in self.plan.proxy.fidelities]},
                "reference": {"id": self.plan.reference.id, "seconds": self.reference_seconds},
                "rankings": [asdict(row) for row in self.rows],
                "ceiling": self.trust.ceiling,
                "random_regret": self.trust.random_regret,
                "architectures": [asdict(one) for one in self.architectures],
            }
        )
        return whole


def trust_report(plan: TrustPlan, trials: Sequence[TrialRecord], scored: Mapping[str, Scores]) -> TrustReport:
    """Judge what a study has measured.

    Architectures of which a training failed are left out and named.

    Args:
        plan: what was to be measured.
        trials: of its study.
        scored: zero-cost scores by architecture.

    Raises:
        NasError: too few architectures have all of their trainings.
    """
    by_architecture: dict[str, list[TrialRecord]] = {one.id: [] for one in plan.architectures}
    wanted = {tuple(sorted(training.label.items())) for training in plan.sweep().trainings}
    for trial in trials:
        if tuple(sorted(trial.choices.items())) in wanted:  # the study may hold more seeds and architectures
            by_architecture[trial.architecture_id].append(trial)
    everyone = [_ranked(plan, one.id, by_architecture, scored) for one in plan.architectures]
    judged = [one for one in everyone if not one.failure]
    if len(judged) < FEWEST:
        reasons = "; ".join(f"{one.id}: {one.failure}" for one in everyone if one.failure)
        raise NasError(
            f"only {plural(len(judged), 'architecture')} of {len(everyone)} can be judged, {FEWEST} are the least "
            f"({reasons or 'ask for more with --architectures'})"
        )
    values = {
        f"rung {fidelity.rung}": _by_seed([one.rungs[fidelity.rung] for one in judged])
        for fidelity in plan.proxy.fidelities
    }
    values |= {name: _by_seed([one.scores[name] for one in judged]) for name in judged[0].scores}
    finite = {name: rows for name, rows in values.items() if np.isfinite(rows).all()}
    trust = judge(
        finite,
        _by_seed([one.reference for one in judged]),
        np.array([one.flops for one in judged], dtype=np.float64),
        trivial=[name for name in TRIVIAL if name in finite],
        tops=TOPS,
    )
    seconds = _seconds(judged, by_architecture, scored)
    rows = [
        TrustRow(
            name=name,
            kind=_kind(name),
            judgement=trust.judgements.get(name),
            seconds=seconds[name],
            share=seconds[name] / seconds[REFERENCE] if seconds[REFERENCE] else math.nan,
            missing=int((~np.isfinite(values[name])).any(0).sum()),
        )
        for name in sorted(values, key=lambda name: ("rung", "score", "trivial").index(_kind(name)))
    ]
    return TrustReport(plan=plan, rows=rows, trust=trust, reference_seconds=seconds[REFERENCE], architectures=everyone)


def _kind(name: str) -> str:
    return "trivial" if name in TRIVIAL else "score" if name in scores else "rung"


def _ranked(
    plan: TrustPlan, architecture_id: str, trials: Mapping[str, Sequence[TrialRecord]], scored: Mapping[str, Scores]
) -> Ranked:
    """Everything about one architecture."""
    mine = trials[architecture_id]
    proxies = [_accuracies(plan, mine, PROXY, fidelity.rung) for fidelity in plan.proxy.fidelities]
    return Ranked(
        id=architecture_id,
        flops=mine[0].cost["flops"],
        params=mine[0].cost["params"],
        reference=_accuracies(plan, mine, REFERENCE, plan.reference.fidelities[-1].rung),
        rungs=proxies,
        scores={name: [one.value for one in by_seed] for name, by_seed in scored.get(architecture_id, {}).items()},
        failure=next(filter(None, (_why_not(trial) for trial in mine)), ""),
    )


def _accuracies(plan: TrustPlan, trials: Sequence[TrialRecord], role: str, rung: int) -> list[float | None]:
    """By seed; None where there is none."""
    found = [trial for trial in trials if (trial.choices["role"], trial.choices["rung"]) == (role, rung)]
    return [None if trial.evaluation is None else trial.evaluation.accuracy for trial in found]


def _why_not(trial: TrialRecord) -> str:
    where = f"{trial.choices['role']}, rung {trial.choices['rung']}, seed {trial.choices['seed']}"
    if trial.evaluation is None:
        return f"{where}: not trained yet"
    if trial.evaluation.succeeded:
        return ""
    return f"{where}: {trial.evaluation.failure}: {trial.evaluation.message.partition(chr(10))[0]}"


def _by_seed(values: Sequence[Sequence[float | None]]) -> Values:
    """(S, n); NaN where there is no value."""
    return np.array([[math.nan if one is None else one for one in by_seed] for by_seed in values]).T


def _seconds(
    judged: Sequence[Ranked], trials: Mapping[str, Sequence[TrialRecord]], scored: Mapping[str, Scores]
) -> dict[str, float]:
    """Mean seconds of one architecture, by ranking and for the reference."""
    of_proxies: dict[str, list[float]] = {}
    for ranked in judged:
        for (role, _), rungs in groupby(
            sorted(trials[ranked.id], key=_training), key=lambda trial: _training(trial)[:2]
        ):
            evaluations = [trial.evaluation for trial in rungs if trial.evaluation is not None]
            for upto in range(1, len(evaluations) + 1):
                name = f"rung {upto - 1}" if role == PROXY else REFERENCE
                of_proxies.setdefault(name, []).append(training_seconds(evaluations[:upto]))
        for name, by_seed in scored[ranked.id].items():
            of_proxies.setdefault(name, []).extend(one.seconds for one in by_seed)
    return {name: fmean(all_of_them) for name, all_of_them in of_proxies.items()}


def _training(trial: TrialRecord) -> tuple[str, int, int]:
    return trial.choices["role"], trial.choices["seed"], trial.choices["rung"]


def training_seconds(rungs: Sequence[Evaluation]) -> float:
    """What a training takes up to the last of these rungs, whether or not its jobs went on from checkpoints.

    The training steps of each stretch at that stretch's pace, and the building and validation of the last job.

    Args:
        rungs: evaluations of one training, in the order of the rungs.
    """
    steps, seen = 0.0, 0
    for rung in rungs:
        steps += (rung.images - seen) / rung.images_per_second if rung.images_per_second else rung.train_seconds
        seen = rung.images
    last = rungs[-1]
    around = sum(last.phases.get(phase, 0.0) for phase in ("data", "build", "validate"))
    return steps + (around if last.phases else last.seconds - last.train_seconds)


def _plain(value: Any) -> Any:
    """The same without what JSON has no word for."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, Estimate):
        return _plain(value._asdict())
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
